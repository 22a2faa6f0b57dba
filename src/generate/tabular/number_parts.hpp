// Where a column of numbers may be cut: its parts, and the bins and classes of these (column_coding.hpp).
#pragma once

#include <cstddef>
#include <span>

#include "src/generate/tabular/coding_learner.hpp"

namespace synthema::detail {

// Needs values and their protection; `rows` with each value.
void learn_parts(const CodingLearner& learner, const CodePeople& people, std::span<const std::size_t> rows,
                 ColumnCoding& out);

// Gaps between parts (column_coding.hpp); needs the cuts and the ends.
void find_gaps(ColumnCoding& out);

// Cuts that make each value a part: of what is published, and of files that have bins and classes by value.
void cut_between_all(ColumnCoding& out);

}  // namespace synthema::detail
