#include "src/generate/tabular/combination_index.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthema::detail {

double key_of_cell(double cell) {
  return std::isnan(cell) ? std::numeric_limits<double>::infinity() : cell;
}

void CombinationIndex::index() {
  const std::size_t width = with_.columns.size();
  having_.assign(width, {});
  for (std::size_t i = 0; i < with_.cells.size(); ++i)
    having_[i % width][key_of_cell(with_.cells[i])].push_back(static_cast<std::uint32_t>(i / width));
}

bool CombinationIndex::has(std::size_t column) const {
  return std::ranges::find(with_.columns, column) != with_.columns.end();
}

bool CombinationIndex::may_miss(std::size_t place) const {
  for (std::size_t i = 0; i < size(); ++i)
    if (std::isnan(cell(i, place))) return true;
  return false;
}

// Looked for among those that have the rarest of these cells.
bool CombinationIndex::admits(std::size_t column, double cell_of_column, const KnownCells& row) const {
  const std::size_t width = with_.columns.size();
  if (!has(column)) return true;
  const std::vector<std::uint32_t>* fewest = nullptr;
  for (std::size_t k = 0; k < width; ++k) {
    const std::size_t other = with_.columns[k];
    if (other != column && !row.known[other]) continue;
    const auto at = having_[k].find(key_of_cell(other == column ? cell_of_column : row.cells[other]));
    if (at == having_[k].end()) return false;
    if (!fewest || at->second.size() < fewest->size()) fewest = &at->second;
  }
  return std::ranges::any_of(*fewest, [&](std::uint32_t i) {
    for (std::size_t k = 0; k < width; ++k) {
      const std::size_t other = with_.columns[k];
      if (other != column && !row.known[other]) continue;
      if (key_of_cell(cell(i, k)) != key_of_cell(other == column ? cell_of_column : row.cells[other]))
        return false;
    }
    return true;
  });
}

std::vector<double> CombinationIndex::numbers(std::size_t column) const {
  std::vector<double> out;
  const auto place =
      static_cast<std::size_t>(std::ranges::find(with_.columns, column) - with_.columns.begin());
  for (std::size_t i = 0; i < size(); ++i)
    if (const double one = cell(i, place); !std::isnan(one)) out.push_back(one);
  return out;
}

void CombinationIndex::keep(std::span<const std::size_t> combinations) {
  std::vector<double> left;
  for (const std::size_t i : combinations)
    for (std::size_t k = 0; k < with_.columns.size(); ++k) left.push_back(cell(i, k));
  with_.cells = std::move(left);
  index();
}

std::string CombinationIndex::text(std::span<const ColumnCoding> columns) const {
  std::string out = "combinations of ";
  for (std::size_t k = 0; k < with_.columns.size(); ++k)
    out += (k > 0 ? ", '" : "'") + columns[with_.columns[k]].field.name + "'";
  return out;
}

}  // namespace synthema::detail
