// Columns of numbers, learnt (column_coding.hpp), and the decimals that they are written with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/generate/tabular/coding_learner.hpp"

namespace synthema::detail {

// To the schema's decimals, else to those that the values have; no grid where there are none.
void learn_reals(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                 std::vector<std::uint32_t>& codes);
// Integers and times.
void learn_whole(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                 std::vector<std::uint32_t>& codes);

double power_of_ten(std::uint32_t decimals);
// The nearest number of so many decimals, as a whole multiple of the last one; nothing where that is off by
// more than the rounding of arithmetic in binary (62.14215469 may be held as 62.142154690000005).
std::optional<double> whole_of(double v, double power, double largest);

}  // namespace synthema::detail
