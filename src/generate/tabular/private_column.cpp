#include "synthema/generate/tabular/private_column.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/special_numbers.hpp"

namespace synthema {

namespace {

using detail::kMissing;
using detail::kNever;

bool holds(const NumberCell& cells, bool grid, double cell) {
  if (cells.low == cells.high) return cell == cells.low;
  return cell >= cells.low && (grid ? cell < cells.high : cell <= cells.high);
}

double share_within(const NumberCell& cells, bool grid, const std::function<bool(double)>& passes) {
  constexpr double kMostPoints = 64;
  if (cells.low == cells.high) return passes(cells.low) ? 1 : 0;
  const double points = grid ? std::min(cells.high - cells.low, kMostPoints) : kMostPoints;
  double out = 0;
  for (double i = 0; i < points; ++i) {
    const double at = cells.low + (i + 0.5) / points * (cells.high - cells.low);
    out += passes(grid ? std::floor(at) : at) ? 1 : 0;
  }
  return out / points;
}

}  // namespace

std::uint32_t PrivateColumn::state_of(double cell) const {
  if (std::isnan(cell)) return missing_state();
  if (coding.is_category()) return label_states[static_cast<std::size_t>(cell)];
  const auto at = std::ranges::partition_point(
      cells, [&](const NumberCell& one) { return one.low == one.high ? one.low < cell : one.high <= cell; });
  return at == cells.end() ? cells.back().state : at->state;
}

void PrivateColumn::finish() {
  places_.assign(states, {});
  const auto add = [&](std::uint32_t state, double weight, std::size_t place) {
    auto& list = places_[state];
    list.emplace_back((list.empty() ? 0 : list.back().first) + weight, static_cast<std::uint32_t>(place));
  };
  for (std::size_t i = 0; i < label_states.size(); ++i) {
    add(label_states[i], label_weights[i], i);
    if (rest) add(rest_state(), label_weights[i], i);
  }
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (cells[i].weight > 0) add(cells[i].state, cells[i].weight, i);
}

double PrivateColumn::draw(std::uint32_t state, const PhiloxBlock& random) const {
  if (missing && state == missing_state()) return kMissing;
  const auto& list = places_[state];
  const double wanted = (random[0] + 0.5) / 4294967296.0 * list.back().first;
  const auto at =
      std::ranges::partition_point(list, [&](const auto& place) { return place.first <= wanted; });
  const std::uint32_t place = (at == list.end() ? list.back() : *at).second;
  if (coding.is_category()) return place;
  const NumberCell& cell = cells[place];
  const double share = ((std::uint64_t{random[1]} << 21 | random[2] >> 11) + 0.5) * 0x1p-53;
  const double x = cell.low + share * (cell.high - cell.low);
  return coding.grid ? std::min(std::floor(x), cell.high - 1) : x;
}

double PrivateColumn::log_share(std::uint32_t state, double cell) const {
  const bool is_missing = missing && state == missing_state();
  if (std::isnan(cell)) return is_missing ? 0 : kNever;
  if (is_missing) return kNever;
  const auto& list = places_[state];
  double before = 0;
  for (const auto& [until, place] : list) {
    const double share = (until - before) / list.back().first;
    before = until;
    if (coding.is_category()) {
      if (place == static_cast<std::uint32_t>(cell)) return std::log(share);
      continue;
    }
    const NumberCell& one = cells[place];
    if (holds(one, coding.grid, cell))
      return one.low == one.high ? std::log(share) : std::log(share / (one.high - one.low));
  }
  return kNever;
}

double PrivateColumn::share_that(std::uint32_t state, const std::function<bool(double)>& passes) const {
  if (missing && state == missing_state()) return passes(kMissing) ? 1 : 0;
  double out = 0, before = 0;
  for (const auto& [until, place] : places_[state]) {
    const double share =
        coding.is_category() ? (passes(place) ? 1 : 0) : share_within(cells[place], coding.grid, passes);
    out += (until - before) * share;
    before = until;
  }
  return out / before;
}

std::vector<std::string> untold_of(std::span<const PrivateColumn> columns) {
  std::vector<std::string> out;
  for (const PrivateColumn& column : columns)
    if (column.coding.form == CodingForm::absent) out.push_back(column.coding.field.name);
  return out;
}

std::vector<std::string> unresolved_of(std::span<const PrivateColumn> columns) {
  std::vector<std::string> out;
  for (const PrivateColumn& column : columns)
    if (column.modelled() && !column.resolved && !column.coding.is_category())
      out.push_back(column.coding.field.name);
  return out;
}

bool has_one_label(const PrivateColumn& column) {
  return column.modelled() && !column.resolved && column.coding.is_category();
}

std::vector<std::string> one_label_of(std::span<const PrivateColumn> columns) {
  std::vector<std::string> out;
  for (const PrivateColumn& column : columns)
    if (has_one_label(column)) out.push_back(column.coding.field.name);
  return out;
}

std::vector<ColumnCoding> codings_of(std::span<const PrivateColumn> columns) {
  std::vector<ColumnCoding> out;
  for (const PrivateColumn& column : columns) out.push_back(column.coding);
  return out;
}

}  // namespace synthema
