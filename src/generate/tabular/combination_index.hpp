// Combinations (fixed_combinations.hpp) to be asked which cells may stand beside known ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "synthema/generate/tabular/fixed_combinations.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

// A cell as a key; NaN equals nothing, not even itself.
double key_of_cell(double cell);

class CombinationIndex {
 public:
  explicit CombinationIndex(Combinations with) : with_(std::move(with)) { index(); }

  std::size_t size() const { return with_.size(); }
  const std::vector<std::size_t>& columns() const { return with_.columns; }
  double cell(std::size_t combination, std::size_t place) const {
    return with_.cells[combination * with_.columns.size() + place];
  }
  bool has(std::size_t column) const;
  bool may_miss(std::size_t place) const;
  // Whether some combination has this cell and all cells of its columns that are known.
  bool admits(std::size_t column, double cell, const KnownCells& row) const;
  // The numbers that one of its columns has in them, unsorted.
  std::vector<double> numbers(std::size_t column) const;
  // Keeps those with these numbers, ascending.
  void keep(std::span<const std::size_t> combinations);
  std::string text(std::span<const ColumnCoding> columns) const;  // for errors

 private:
  void index();

  Combinations with_;
  // By place of a column: which have a cell there; missing is infinity.
  std::vector<std::unordered_map<double, std::vector<std::uint32_t>>> having_;
};

}  // namespace synthema::detail
