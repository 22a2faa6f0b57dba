// Conditions of a sample as cells of coded columns: row i of a result agrees with row i mod n of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema {

// Whether a sample has conditions: without a table or its columns it has none. ConfigError: columns without a
// row, with which no row could agree.
bool has_conditions(const Table* conditions);

class CellConditions {
 public:
  CellConditions() = default;
  // GenerationError: a condition on a column that is not there or not modelled, on a label or a number that
  // was never seen, or on a time as another kind. A missing cell is no condition. A total may be what samples
  // have of its parts, summed, whether it was seen or not.
  // Lenient: a label that was never seen is no condition instead, and any number is one.
  CellConditions(const Table* conditions, std::span<const ColumnCoding> columns, const RowRules& rules,
                 std::string_view generator, bool lenient = false);

  bool empty() const { return rows_ == 0; }
  std::size_t rows() const { return rows_; }
  // The columns that some row fixes.
  std::vector<std::size_t> columns() const { return columns_; }
  // Of one row of the result, by column; NaN where it is free.
  void row(std::uint64_t row, std::span<double> cells) const;

 private:
  std::size_t rows_ = 0;
  std::vector<std::size_t> columns_;
  std::vector<std::vector<double>> cells_;  // by entry of columns_
};

}  // namespace synthema
