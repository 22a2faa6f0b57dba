#include "synthema/model/unicode.hpp"

#include <array>

#include "src/model/code_point_ranges.hpp"

namespace synthema {

namespace {

using detail::inside;
using detail::Range;
#include "src/model/unicode_tables.inc"

CharClass look_up(char32_t c) {
  if (is_white_space(c)) return CharClass::space;
  if (inside(kLetters, c)) return CharClass::letter;
  return inside(kNumbers, c) ? CharClass::number : CharClass::other;
}

}  // namespace

CharClass char_class(char32_t c) {
  static const auto latin = [] {  // nearly all of most texts
    std::array<CharClass, 0x250> table{};
    for (char32_t i = 0; i < table.size(); ++i) table[i] = look_up(i);
    return table;
  }();
  return c < latin.size() ? latin[c] : look_up(c);
}

}  // namespace synthema
