// What protects single people in a column of numbers (column_coding.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/generate/tabular/coding_learner.hpp"

namespace synthema::detail {

// Which values are rare, where the tails begin and end, and which are replaced in a list of particular
// numbers; `codes` by row, `rows` with each value.
void protect(const CodingLearner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes,
             std::span<const std::size_t> rows);

}  // namespace synthema::detail
