// Columns as small cell numbers, the same in every table: what counting distributions needs.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "synthema/data/table.hpp"

namespace synthema::detail {

struct CellOptions {
  std::size_t bins = 10;          // of a number; most frequent labels kept of a category
  std::size_t rarest = 1;         // rows that a label needs to be kept
  bool missing_is_label = false;  // missing takes one of the places of the most frequent labels
  bool floored_bounds = false;    // to the fewest decimals that keep the bounds apart
};

// Cells of one column; what they are is decided by the columns given to the constructor (all of one kind).
// Cell 0 is missing, cell 1 "other" (categories); at most bins + 2.
class ColumnCells {
 public:
  ColumnCells(const std::vector<const Column*>& reference, const CellOptions& options);
  std::vector<std::uint8_t> of(const Column& column) const;
  std::size_t count() const { return count_; }

 private:
  void find_bounds(const std::vector<const Column*>& reference, const CellOptions& options);
  void find_labels(const std::vector<const Column*>& reference, const CellOptions& options);

  bool numeric_ = false;
  std::vector<double> bounds_;  // lower ends of the cells 2, 3, ...
  std::unordered_map<std::string, std::uint8_t> labels_;
  std::size_t count_ = 2;
};

}  // namespace synthema::detail
