// The few classes of code points that tokenizers split by: general categories L* and N*, and White_Space, of
// Unicode 16.0.
#pragma once

#include <cstdint>

namespace synthema {

enum class CharClass : std::uint8_t { other, letter, number, space };

constexpr bool is_white_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

CharClass char_class(char32_t c);

}  // namespace synthema
