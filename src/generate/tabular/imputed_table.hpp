// What imputing methods share: whether a table has the columns of the training table, and a table whose holes
// are filled from another.
#pragma once

#include <span>

#include "synthema/data/table.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

// SchemaError where it lacks a column, has another, or has one of another kind.
void require_columns(std::span<const ColumnCoding> columns, const Table& table);

// Cells of `real` where it has them, else of `drawn`.
Table filled_table(const Table& real, const Table& drawn);

}  // namespace synthema::detail
