// Whose codes they are, while columns are learnt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

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
