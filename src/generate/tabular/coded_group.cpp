#include "src/generate/tabular/coded_group.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/special_numbers.hpp"
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
  const Others others = others_of(column, row, columns);
  if (is_set_cell(columns[column], cell)) return !others.set;
  return kind != "one_hot" || others.set || others.open;
}

CodedGroup::Others CodedGroup::others_of(std::size_t column, const KnownCells& row,
                                         std::span<const ColumnCoding> columns) const {
  Others out;
  for (const std::size_t other : fields) {
    if (other == column) continue;
    out.open = out.open || !row.known[other];
    out.set = out.set || (row.known[other] && is_set_cell(columns[other], row.cells[other]));
  }
  return out;
}

std::pair<double, double> CodedGroup::room_of_member(std::size_t column, const KnownCells& row,
                                                     std::span<const ColumnCoding> columns) const {
  const ColumnCoding& coding = columns[column];
  const double zero = coding.cell_of_number(0);
  if (!std::ranges::binary_search(coding.values, zero)) return {-kInfinity, kInfinity};
  const Others others = others_of(column, row, columns);
  if (others.set) return {0, 0};
  const bool is_next = coding.grid && zero == coding.values.front();
  if (kind != "one_hot" || others.open || !is_next) return {-kInfinity, kInfinity};
  return {coding.number(zero + 1), kInfinity};
}

}  // namespace synthema::detail
