// A table that need not fit into memory: its columns are asked for one after the other, each as a whole, and
// given back before the next one. What is learnt is what the table itself would teach, to the last bit,
// because a coding (column_coding.hpp) looks at one column at a time.
//
// Memory: one column, its values once more while they are sorted, four bytes a row for its codes, four bytes
// a row for whose row it is, and the codes of each column that the schema combines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema {

struct ColumnSource {
  Schema schema;
  std::size_t rows = 0;
  // The column of this number, of exactly `rows` cells and the kind that the schema says. Called again for a
  // column that is needed again; never by two threads at once.
  std::function<Column(std::size_t column)> read;
};

// As of a table.
std::vector<std::uint32_t> people_of(const ColumnSource& source);

// Called for each column once it is coded, in their order: takes what it needs of `coded.codes[column]`.
using TakeCodes = std::function<void(const CodedTable& coded, std::size_t column)>;

// As of a table, but that the codes are kept only of columns that the schema combines (groups
// "combinations"), for whoever counts their rows. Errors as there, those of `read`, and a SchemaError where a
// column is of another length or kind.
SYNTHEMA_EXPORT CodedTable code_columns(const ColumnSource& source, const CodingOptions& options,
                                        const TakeCodes& take);

}  // namespace synthema
