// Columns that number the rows, such as the index that a CSV file was written with: they identify rows, say
// nothing about people, and have another range in each table.
#pragma once

#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

// Whole numbers, none missing or negative, no two alike, that fill more than half of the range between the
// smallest and the largest; or so much of it that of numbers drawn by chance two would be alike (but for one
// in a million such columns), some of them side by side. 50 rows or more.
SYNTHEMA_EXPORT bool numbers_rows(const Column& column);

// Whether a field of the schema, with this column, numbers the rows: it has no role, and nothing is stated
// that numbers which go on from the largest would break (a maximum, a rule, a group that is not `unique`).
SYNTHEMA_EXPORT bool numbers_rows(const Schema& schema, const Field& field, const Column& column);

// The columns of a table that number its rows.
SYNTHEMA_EXPORT std::vector<std::string> row_number_columns(const Table& table);

}  // namespace synthema
