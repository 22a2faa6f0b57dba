#include "src/generate/tabular/exclusive_groups.hpp"

#include <algorithm>
#include <cmath>

namespace synthema::detail {

bool is_set_code(const ColumnCoding& coding, std::uint32_t code) {
  return code < coding.codes() && is_set_cell(coding, coding.is_category() ? code : coding.values[code]);
}

std::vector<std::vector<std::size_t>> drawn_groups(const RowRules& rules,
                                                   std::span<const std::size_t> order) {
  std::vector<std::vector<std::size_t>> out = rules.exclusive();
  for (std::vector<std::size_t>& group : out)
    std::ranges::sort(group, {}, [&](std::size_t c) { return std::ranges::find(order, c); });
  return out;
}

std::vector<std::vector<std::uint8_t>> open_rows(const CodedTable& coded,
                                                 std::span<const std::vector<std::size_t>> groups) {
  std::vector<std::vector<std::uint8_t>> out(coded.columns.size());
  for (const std::vector<std::size_t>& group : groups) {
    std::vector<std::uint8_t> open(coded.rows, 1);
    for (const std::size_t c : group) {
      if (out[c].empty()) out[c].assign(coded.rows, 1);
      for (std::size_t row = 0; row < coded.rows; ++row) {
        out[c][row] &= open[row];
        if (is_set_code(coded.columns[c], coded.codes[c][row])) open[row] = 0;
      }
    }
  }
  return out;
}

namespace {

double share_set(const ColumnCoding& coding, const CodeCounts& counts) {
  double set = 0;
  for (std::size_t i = 0; i < counts.codes.size(); ++i)
    if (is_set_code(coding, counts.codes[i]))
      set += counts.cumulative[i] - (i > 0 ? counts.cumulative[i - 1] : 0);
  return counts.total() == 0 ? 0.0 : set / counts.total();
}

// The counts with another share that is set, which lies between 0 and 1 as theirs does.
OwnedCounts with_share(const ColumnCoding& coding, const CodeCounts& counts, double now, double wanted) {
  constexpr double kWhole = 1U << 30;
  OwnedCounts out;
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    const double own = counts.cumulative[i] - (i > 0 ? counts.cumulative[i - 1] : 0);
    const double times = is_set_code(coding, counts.codes[i]) ? wanted / now : (1 - wanted) / (1 - now);
    const auto weight = static_cast<std::uint32_t>(std::nearbyint(kWhole * times * own / counts.total()));
    if (weight == 0) continue;
    out.codes.push_back(counts.codes[i]);
    out.cumulative.push_back(total += weight);
  }
  return out;
}

}  // namespace

OpenMembers::OpenMembers(const RowRules& rules, std::span<const std::vector<std::size_t>> groups,
                         std::span<const ColumnCoding> columns, std::span<const CodeCounts> counts)
    : groups_(groups), columns_(columns), counts_(counts.begin(), counts.end()), set_(columns.size()) {
  const auto unset = [&](std::size_t c) {
    return columns[c].is_category() ? 0 : columns[c].cell_of_number(0);
  };
  for (const std::vector<std::size_t>& group : groups) {
    std::vector<double> cells(columns.size());
    std::vector<std::uint8_t> known(columns.size());
    for (const std::size_t c : group) {
      const bool may_be_unset = rules.admits(c, unset(c), {cells, known}, columns);
      set_[c] = may_be_unset ? share_set(columns[c], counts_[c]) : 1;
      cells[c] = unset(c);
      known[c] = 1;
    }
  }
}

std::optional<OwnedCounts> OpenMembers::counts_beside(std::size_t column, std::span<const double> fixed,
                                                      const KnownCells& row) const {
  if (fixed.empty() || !(set_[column] > 0 && set_[column] < 1)) return std::nullopt;
  for (const std::vector<std::size_t>& group : groups_) {
    const auto at = std::ranges::find(group, column);
    if (at == group.end()) continue;
    if (std::any_of(at, group.end(), [&](std::size_t k) { return is_set_cell(columns_[k], fixed[k]); }) ||
        std::any_of(group.begin(), at, [&](std::size_t k) {
          return row.known[k] != 0 && is_set_cell(columns_[k], row.cells[k]);
        }))
      return std::nullopt;
    double unset = 1;  // likelihood that those that are fixed are not set, where none before is
    for (auto k = group.end(); --k != at;)
      unset = (std::isnan(fixed[*k]) ? set_[*k] : 0.0) + (1 - set_[*k]) * unset;
    if (unset == 1) continue;
    const double set = set_[column] / (set_[column] + (1 - set_[column]) * unset);
    return with_share(columns_[column], counts_[column], set_[column], set);
  }
  return std::nullopt;
}

}  // namespace synthema::detail
