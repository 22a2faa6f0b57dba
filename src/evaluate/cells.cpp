#include "src/evaluate/cells.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "src/evaluate/label_counts.hpp"
#include "src/evaluate/shared_columns.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint8_t kMissing = 0, kOther = 1, kFirst = 2;

std::vector<double> all_numbers(const std::vector<const Column*>& columns) {
  std::vector<double> out;
  for (const Column* column : columns) {
    const std::vector<double> values = numbers_of(*column);
    out.insert(out.end(), values.begin(), values.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The values on the first grid of `bins`, `bins` + 1, ... (at most 1000) evenly spaced ranks that has more
// than `bins` different ones; the last grid where none has.
std::vector<double> quantile_bounds(const std::vector<double>& sorted, std::size_t bins) {
  const std::size_t end = std::max(bins + 1, std::min<std::size_t>(1000, sorted.size() + 1));
  std::vector<double> out;
  for (std::size_t points = bins; points < end && out.size() <= bins; ++points) {
    std::set<double> found;
    const auto last = static_cast<double>(sorted.size() - 1), steps = static_cast<double>(points - 1);
    for (std::size_t i = 0; i < points; ++i)  // numpy.linspace: i * (last / steps), the end point exact
      found.insert(
          sorted[i + 1 == points ? sorted.size() - 1
                                 : static_cast<std::size_t>(static_cast<double>(i) * (last / steps))]);
    out.assign(found.begin(), found.end());
  }
  return out;
}

void floor_bounds(std::vector<double>& bounds) {
  for (int decimals = 0; decimals < 20; ++decimals) {
    const double scale = std::pow(10.0, decimals);
    std::vector<double> floored;
    for (const double bound : bounds) floored.push_back(std::floor(bound * scale) / scale);
    if (std::set<double>(floored.begin(), floored.end()).size() < bounds.size()) continue;
    std::copy(floored.begin(), floored.end() - 1, bounds.begin());  // the largest stays as it is
    return;
  }
}

}  // namespace

ColumnCells::ColumnCells(const std::vector<const Column*>& reference, const CellOptions& options)
    : numeric_(is_number(reference.front()->kind())) {
  numeric_ ? find_bounds(reference, options) : find_labels(reference, options);
}

void ColumnCells::find_bounds(const std::vector<const Column*>& reference, const CellOptions& options) {
  const std::vector<double> sorted = all_numbers(reference);
  if (sorted.empty()) return;
  std::vector<double> different = sorted;
  different.erase(std::unique(different.begin(), different.end()), different.end());
  if (different.size() <= options.bins)
    different.push_back(different.back() + 1);  // so that the largest value has a cell of its own
  else
    different = quantile_bounds(sorted, options.bins);
  if (options.floored_bounds) floor_bounds(different);
  different.pop_back();  // the upper end of the last cell, which is open
  bounds_ = std::move(different);
  count_ = kFirst + bounds_.size();
}

void ColumnCells::find_labels(const std::vector<const Column*>& reference, const CellOptions& options) {
  Frequencies counts;
  double missing = 0;
  for (const Column* column : reference) {
    missing += static_cast<double>(column->null_count());
    for (const auto& [label, count] : label_counts(*column)) counts[label] += count;
  }
  std::vector<std::pair<std::string, double>> ranked(counts.begin(), counts.end());
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::size_t kept = std::min(options.bins, ranked.size());
  if (options.missing_is_label && kept == options.bins && missing > ranked[kept - 1].second) --kept;
  for (std::size_t i = 0; i < kept; ++i)
    if (ranked[i].second >= static_cast<double>(options.rarest))
      labels_.emplace(ranked[i].first, static_cast<std::uint8_t>(count_++));
}

std::vector<std::uint8_t> ColumnCells::of(const Column& column) const {
  std::vector<std::uint8_t> out(column.size(), kMissing);
  std::vector<std::uint8_t> of_code;  // each label of a category is looked up once
  if (column.kind() == Kind::category)
    for (std::size_t code = 0; code < column.labels().size(); ++code) {
      const auto found = labels_.find(std::string(column.labels().text_at(code)));
      of_code.push_back(found == labels_.end() ? kOther : found->second);
    }
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (numeric_) {
      const auto above = std::upper_bound(bounds_.begin(), bounds_.end(), column.number_at(row));
      const std::ptrdiff_t cell = above - bounds_.begin();
      out[row] = static_cast<std::uint8_t>(bounds_.empty() ? kOther
                                                           : kFirst + std::max<std::ptrdiff_t>(1, cell) - 1);
    } else if (column.kind() == Kind::category) {
      out[row] = of_code[static_cast<std::size_t>(column.codes()[row])];
    } else {
      const auto found = labels_.find(category_at(column, row));
      out[row] = found == labels_.end() ? kOther : found->second;
    }
  }
  return out;
}

}  // namespace synthema::detail
