// What imputing methods share: a table in the kinds of the training table, and one whose holes are filled
// from another.
#pragma once

#include <span>

#include "synthema/data/table.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

// The table in the kinds of the training table: whole reals become integers where that had integers, ISO 8601
// texts become times, 0 and 1 become booleans, numbers and booleans become labels; text and category stay
// what they are. A column without values takes any kind. SchemaError where the table lacks a column, has
// another, or has a value that is none of its kind.
Table of_fitted_kinds(std::span<const ColumnCoding> columns, const Table& table);

// Cells of `real` where it has them, else of `drawn`.
Table filled_table(const Table& real, const Table& drawn);

}  // namespace synthema::detail
