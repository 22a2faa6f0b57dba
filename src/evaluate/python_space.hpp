// What Python's str.split and str.rstrip take for white space: sacreBLEU's numbers depend on it.
#pragma once

#include <string_view>

#include "synthema/core/utf8.hpp"

namespace synthema::detail {

inline bool is_python_space(char32_t c) {
  if (c > 0x20 && c < 0x85) return false;  // nearly all
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// The code point at `at`; a byte that is no UTF-8 stands for one replacement character.
inline CodePoint code_point(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {byte, 1};
  const CodePoint point = decode_utf8(text, at);
  return point.length > 0 ? point : CodePoint{0xFFFD, 1};
}

}  // namespace synthema::detail
