#include "synthema/evaluate/resampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "synthema/core/normal.hpp"
#include "synthema/data/json.hpp"

namespace synthema {

Units Units::rows(std::size_t n) {
  Units out;
  out.of_row.resize(n);
  std::iota(out.of_row.begin(), out.of_row.end(), std::size_t{0});
  out.count = n;
  return out;
}

Units Units::of_column(const Table& table, std::string_view column, std::string name) {
  Units out;
  out.name = std::move(name);
  const Column& values = table.column(column);
  std::map<std::string, std::size_t> known;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (values.is_null(row)) {
      out.of_row.push_back(out.count++);
      continue;
    }
    const auto [entry, fresh] = known.try_emplace(to_json(values.value_at(row)), out.count);
    if (fresh) ++out.count;
    out.of_row.push_back(entry->second);
  }
  return out;
}

Units Units::of(const Table& table) {
  const Field* subject = table.schema().subject();
  return subject ? of_column(table, subject->name, "subjects") : rows(table.rows());
}

Units Units::take(std::span<const std::size_t> chosen) const {
  Units out;
  out.name = name;
  std::map<std::size_t, std::size_t> renumbered;
  for (const std::size_t row : chosen)
    out.of_row.push_back(renumbered.try_emplace(of_row.at(row), renumbered.size()).first->second);
  out.count = renumbered.size();
  return out;
}

double quantile(std::span<const double> sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

Interval wilson(double successes, double n, double level) {
  if (!(level > 0 && level < 1))
    throw ConfigError({.field = "level"}, message("A level of ", level, " is not between 0 and 1."));
  const double z = level == 0.95 ? kNormal95 : -normal_quantile((1 - level) / 2), z2 = z * z;
  const double centre = (successes + z2 / 2) / (n + z2);
  const double half = z / (n + z2) * std::sqrt(successes * (n - successes) / n + z2 / 4);
  // Of none or of all one end is exact; rounding must not say otherwise.
  return {successes <= 0 ? 0.0 : std::max(0.0, centre - half),
          successes >= n ? 1.0 : std::min(1.0, centre + half), level, "Wilson"};
}

namespace detail {

RowSums sum_by_unit(const RowSums& sums, const Units& units) {
  RowSums out{sums.width, std::vector<double>(units.count * sums.width, 0.0)};
  for (std::size_t row = 0; row < sums.rows(); ++row)
    for (std::size_t k = 0; k < sums.width; ++k)
      out.values[units.of_row[row] * sums.width + k] += sums.values[row * sums.width + k];
  return out;
}

namespace {

// Adds up what is drawn; an array stays in registers. A thousand resamples of all rows are tens of millions
// of draws: each takes one word and no division (Lemire, "Fast random integer generation in an interval",
// 2019).
template <class Sums>
Sums drawn_sums(Sums sums, const RowSums& by_unit, std::size_t units, Random random) {
  if (units == 0) return sums;
  const std::uint64_t uneven = (std::uint64_t{1} << 32) % units;  // words that would favour some units
  for (std::size_t i = 0; i < units; ++i) {
    std::uint64_t drawn = random() * std::uint64_t{units};
    while (static_cast<std::uint32_t>(drawn) < uneven) drawn = random() * std::uint64_t{units};
    const double* unit = by_unit.values.data() + (drawn >> 32) * by_unit.width;
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += unit[k];
  }
  return sums;
}

template <std::size_t width>
std::vector<double> resampled_of(const RowSums& by_unit, std::size_t units, Random random) {
  const auto sums = drawn_sums(std::array<double, width>{}, by_unit, units, random);
  return {sums.begin(), sums.end()};
}

}  // namespace

std::vector<double> resampled(const RowSums& by_unit, std::size_t units, Random random) {
  if (by_unit.width == 2) return resampled_of<2>(by_unit, units, random);  // a ratio
  if (by_unit.width == 4) return resampled_of<4>(by_unit, units, random);  // R squared
  return drawn_sums(std::vector<double>(by_unit.width), by_unit, units, random);
}

std::string interval_method(const EvaluationContext& context, const Units& units) {
  return message("bootstrap percentile, ", context.bootstrap, " resamples of ", units.count, " ", units.name);
}

}  // namespace detail

std::optional<Interval> jackknife(double value, std::span<const double> without, const std::string& units,
                                  Range range, double second_order) {
  const auto n = static_cast<double>(without.size());
  if (without.size() < kFewestUnits) return std::nullopt;
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / n;
  double squares = 0;
  for (const double w : without) squares += (w - mean) * (w - mean);
  if (std::equal(without.begin() + 1, without.end(), without.begin())) return std::nullopt;
  // At most half of it is of second order, if nothing is of a higher one.
  const double variance = (n - 1) / n * squares;
  const double half = kNormal95 * std::sqrt(std::max(variance - second_order, variance / 2));
  return Interval{std::max(range.low, value - half), std::min(range.high, value + half), 0.95,
                  message("delete-one jackknife over ", without.size(), " ", units,
                          second_order > 0 ? ", second order taken off, normal" : ", normal")};
}

namespace {

// Whether the share is of units that have something or have it not, one a row: then its distribution is
// known.
bool counts_units(const RatioRows& rows, const Units& units) {
  const auto is_bit = [](double x) { return x == 0 || x == 1; };
  return rows.share && units.count == rows.numerator.size() && std::ranges::all_of(rows.numerator, is_bit) &&
         std::ranges::all_of(rows.denominator, [](double x) { return x == 1; });
}

// How many units differ from what most of them have.
std::size_t units_that_differ(const RatioRows& rows, const Units& units) {
  std::vector<std::pair<double, double>> sums(units.count);
  for (std::size_t i = 0; i < rows.numerator.size(); ++i) {
    sums[units.of_row[i]].first += rows.numerator[i];
    sums[units.of_row[i]].second += rows.denominator[i];
  }
  std::map<double, std::size_t> of_value;
  std::size_t counted = 0, most = 0;
  for (const auto& [numerator, denominator] : sums) {
    if (!(denominator > 0)) continue;
    ++counted;
    most = std::max(most, ++of_value[numerator / denominator]);
  }
  return counted - most;
}

bool in_unit_interval(const RatioRows& rows, Range range) {
  if (range.low != 0 || range.high != 1) return false;
  for (std::size_t i = 0; i < rows.numerator.size(); ++i)
    if (!(rows.numerator[i] >= 0 && rows.numerator[i] <= rows.denominator[i])) return false;
  return true;
}

constexpr std::size_t kFewestThatDiffer = 5;

// Where a bootstrap of units is not to be trusted.
void set_without_bootstrap(Score& score, const RatioRows& rows, const Units& units) {
  const bool few = units.count < kFewestUnits;
  if (in_unit_interval(rows, score.range)) {
    const auto n = static_cast<double>(units.count);
    score.interval = wilson(*score.value * n, n);
    score.interval->method = message("Wilson over ", units.count, " ", units.name, " (too few ",
                                     few ? "" : "that differ ", "for a bootstrap)");
    return;
  }
  score.no_interval =
      few ? "There are fewer than ten units, too few to resample."
          : "Fewer than five units differ from the others, which a resample would miss too often.";
}

}  // namespace

RatioRows RatioRows::take(std::span<const std::size_t> rows) const {
  RatioRows out{.numerator = {}, .denominator = {}, .share = share};
  for (const std::size_t row : rows) out.add(numerator[row], denominator[row]);
  return out;
}

std::optional<double> RatioRows::value() const {
  const double d = std::accumulate(denominator.begin(), denominator.end(), 0.0);
  if (!(d > 0)) return std::nullopt;
  return std::accumulate(numerator.begin(), numerator.end(), 0.0) / d;
}

void set_interval(Score& score, std::optional<Interval> interval) {
  score.interval = std::move(interval);
  if (!score.interval)
    score.no_interval =
        "There are fewer than ten units to resample, they are all alike, or no resamples were asked for.";
}

void set_jackknife(Score& score, std::span<const double> without, const Units& units, double second_order) {
  score.interval = jackknife(*score.value, without, units.name, score.range, second_order);
  if (!score.interval)
    score.no_interval = "A jackknife needs ten units or more, of which at least one changes the value.";
}

void set_ratio(Score& score, const RatioRows& rows, const Units& units, const EvaluationContext& context) {
  const auto counts = [](double denominator) { return denominator > 0; };
  if (!std::ranges::all_of(rows.denominator, counts)) {
    // A row without a denominator tells nothing: neither n nor an interval may count it.
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < rows.denominator.size(); ++i)
      if (counts(rows.denominator[i])) used.push_back(i);
    return set_ratio(score, rows.take(used), units.take(used), context);
  }
  score.n = rows.numerator.size();
  score.value = rows.value();
  if (!score.value) {
    score.undefined = "There is nothing to take a share or mean of.";
    return;
  }
  const auto n = static_cast<double>(units.count);
  if (counts_units(rows, units)) {
    score.interval = wilson(*score.value * n, n);
    score.interval->method = message("Wilson over ", units.count, " ", units.name);
    return;
  }
  if (units.count < kFewestUnits || units_that_differ(rows, units) < kFewestThatDiffer) {
    set_without_bootstrap(score, rows, units);
    return;
  }
  RowSums sums{2, {}};
  for (std::size_t i = 0; i < rows.numerator.size(); ++i) {
    sums.values.push_back(rows.numerator[i]);
    sums.values.push_back(rows.denominator[i]);
  }
  set_interval(score, bootstrap(sums, units, context, [](std::span<const double> s) {
                 return s[1] > 0 ? std::optional(s[0] / s[1]) : std::nullopt;
               }));
}

}  // namespace synthema
