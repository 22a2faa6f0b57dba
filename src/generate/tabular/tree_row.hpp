// A row of SequentialTrees while it is drawn.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "synthema/generate/tabular/sequential_trees.hpp"

namespace synthema {

// Cells by column, bins by position in the order.
struct SequentialTrees::RowState {
  std::vector<double> cells, fixed;
  std::vector<std::uint8_t> known, past, bins;  // past: known, and before the column in the order
  std::size_t stuck = 0;                        // column of the last dead end
  bool whole = false;   // nothing is drawn as missing that has a value in the whole column
  bool forced = false;  // the last attempt of a whole row: what the rules leave no value is missing
  // By column: what a fixed number behind it proposes; NaN: nothing, infinity: that it is missing. Empty
  // without conditions.
  std::vector<double> proposed;
  // Candidates for what stands before fixed columns.
  std::vector<std::vector<double>> candidate_cells;
  std::vector<std::vector<std::uint8_t>> candidate_bins;
  std::vector<double> weights;

  RowState(std::size_t columns, std::size_t steps, bool conditions)
      : cells(columns),
        fixed(conditions ? columns : 0),
        known(columns),
        past(columns),
        bins(steps),
        proposed(fixed.size(), std::numeric_limits<double>::quiet_NaN()) {}
  bool is_fixed(std::size_t column) const { return !fixed.empty() && !std::isnan(fixed[column]); }
  KnownCells row() const { return {cells, known}; }
  void set(std::size_t position, const ColumnCoding& coding, std::size_t column, double cell) {
    cells[column] = cell;
    known[column] = 1;
    bins[position] = coding.bin_of(cell);
  }
};

}  // namespace synthema
