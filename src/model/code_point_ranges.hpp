// Sets of code points as sorted tables of ranges.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace synthema::detail {

struct Range {
  char32_t first, last;
};

template <std::size_t n>
bool inside(const Range (&table)[n], char32_t c) {
  const Range* const after =
      std::upper_bound(std::begin(table), std::end(table), c,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != std::begin(table) && c <= std::prev(after)->last;
}

}  // namespace synthema::detail
