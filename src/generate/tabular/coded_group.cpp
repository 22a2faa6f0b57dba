#include "src/generate/tabular/coded_group.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "synthema/data/field_rule.hpp"

namespace synthema::detail {

bool CodedGroup::has_field(std::size_t column) const {
  return std::ranges::find(fields, column) != fields.end();
}

std::pair<double, double> CodedGroup::room(std::size_t column, const KnownCells& row,
                                           std::span<const ColumnCoding> columns,
                                           std::span<const OwnRange> own) const {
  double low = 0, high = 0;
  const auto add = [&](std::size_t member, double sign) {
    double from = own[member].minimum, to = own[member].maximum;
    const ColumnCoding& coding = columns[member];
    if (row.known[member]) {
      from = to = coding.number(row.cells[member]);
    } else if (member != total && !coding.values.empty()) {
      if (std::isinf(from)) from = coding.number(coding.values.front());
      if (std::isinf(to)) to = coding.number(coding.values.back());
    }
    low += sign > 0 ? from : -to;
    high += sign > 0 ? to : -from;
  };
  const double part = column == total ? 1 : -1;
  for (const std::size_t member : fields)
    if (member != column) add(member, part);
  if (column != total) add(total, 1);
  // NaN: a missing member.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(low) || std::isnan(high)) return {-kInfinity, kInfinity};
  const double slack = kSumTolerance * std::max({1.0, std::isinf(low) ? 1.0 : std::abs(low),
                                                 std::isinf(high) ? 1.0 : std::abs(high)});
  return {low - slack, high + slack};
}

bool CodedGroup::keeps(std::size_t column, double cell, const KnownCells& row,
                       std::span<const ColumnCoding> columns, std::span<const OwnRange> own) const {
  if (is_sum()) {
    if (!binds(column) || std::isnan(cell)) return true;
    const auto [low, high] = room(column, row, columns, own);
    const double number = columns[column].number(cell);
    return number >= low && number <= high;
  }
  if (!has_field(column)) return true;
  bool other_set = false, other_open = false;
  for (const std::size_t other : fields) {
    if (other == column) continue;
    other_open = other_open || !row.known[other];
    other_set = other_set || (row.known[other] && is_set_cell(columns[other], row.cells[other]));
  }
  if (is_set_cell(columns[column], cell)) return !other_set;
  return kind != "one_hot" || other_set || other_open;
}

}  // namespace synthema::detail
