// A number that a rule of the schema keeps above or below another one, learnt as its distance from that one:
// a discharge as the stay after the admission. Only where distances vary less than half as much as the
// numbers: else the number itself, with the round values that people write, says more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

struct OrderDistance {
  std::size_t from = 0;  // the column that it is measured from, which is drawn before
  ColumnCoding coding;   // of the distances, in the unit of both numbers; missing where either is

  // Of two cells, which are not missing, as a cell of the distances; off their grid where it is.
  double cell_of(std::span<const ColumnCoding> columns, std::size_t column, double cell, double base) const {
    return coding.cell_of_number(columns[column].number(cell) - columns[from].number(base));
  }
};

// Nothing where no rule orders the column, or its own values say more. `codes` are those of the distances, by
// row.
std::optional<OrderDistance> learn_distance(const CodedTable& table, const RowRules& rules,
                                            std::size_t column, const CodingOptions& options,
                                            std::vector<std::uint32_t>& codes);

// A cell of the column at the distance from the base: on the column's grid, away from what single people have
// (which side is looked at first, `bits` say). Nothing beyond what the column's samples reach.
std::optional<double> cell_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                       const OrderDistance& distance, double base, double cell_of_distance,
                                       std::uint32_t bits);

}  // namespace synthema::detail
