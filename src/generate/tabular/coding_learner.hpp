// Whose codes they are, while columns are learnt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

// Different people with a row of which `has(row)` holds, counted up to `enough`.
template <class Has>
std::size_t people_with(std::span<const std::uint32_t> who, std::size_t enough, const Has& has) {
  std::unordered_set<std::uint32_t> people;
  for (std::size_t row = 0; row < who.size() && people.size() < enough; ++row)
    if (has(row)) people.insert(who[row]);
  return people.size();
}

struct CodingLearner {
  const CodingOptions& options;
  std::span<const std::uint32_t> who;  // by row
  bool rows_are_people;

  // Different people with each of the first `n` codes.
  std::vector<std::uint32_t> count(std::span<const std::uint32_t> codes, std::size_t n) const;
  // How many codes from one end on belong to `rare_below` people together; `people` as of count.
  std::size_t codes_of_end(std::span<const std::uint32_t> codes, std::span<const std::uint32_t> people,
                           bool high) const;
};

}  // namespace synthema::detail
