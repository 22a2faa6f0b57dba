#include "synthema/model/unicode.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace synthema {

namespace {

struct Range {
  char32_t first, last;
};
#include "src/model/unicode_tables.inc"

template <std::size_t n>
bool inside(const Range (&table)[n], char32_t c) {
  const Range* const after =
      std::upper_bound(std::begin(table), std::end(table), c,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != std::begin(table) && c <= std::prev(after)->last;
}

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
