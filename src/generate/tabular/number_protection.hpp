// What protects single people in a column of numbers (column_coding.hpp).
#pragma once

#include <cstddef>
#include <span>

#include "src/generate/tabular/coding_learner.hpp"

namespace synthema::detail {

// Which values are rare, where the tails begin and end, and which are replaced in a list of particular
// numbers; `rows` with each value.
void protect(const CodingLearner& learner, const CodePeople& people, std::span<const std::size_t> rows,
             ColumnCoding& out);

}  // namespace synthema::detail
