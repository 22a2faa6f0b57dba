// Groups "combinations" of a schema over coded columns: which cells may stand together. What a group lists is
// public; where it lists nothing, the combinations are those of the table that at least `rare_below` people
// have: one that fewer have is not handed on, as little as a rare label is, and no chance draw makes it
// again.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema {

// Cells that may stand together in some columns, one row after the other, all different.
struct Combinations {
  std::vector<std::size_t> columns;
  std::vector<double> cells;  // NaN: missing

  std::size_t size() const { return columns.empty() ? 0 : cells.size() / columns.size(); }
};

// Writes the table's frequent combinations into the groups of the coded schema that list none, so that the
// schema says what the model may make. GenerationError: no combination belongs to `rare_below` people; a
// listed set leaves rows of nobody, or of fewer people and leaves others out. SchemaError: a column that is
// drawn afresh or has no value.
SYNTHEMA_EXPORT void resolve_combinations(CodedTable& coded, std::size_t rare_below);

// The listed combinations of those columns of the group that are modelled, without those that have a value
// which the columns do not hand on.
Combinations listed_combinations(const Schema& schema, const GroupRule& group,
                                 std::span<const ColumnCoding> columns);

}  // namespace synthema
