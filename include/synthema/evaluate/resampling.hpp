// How sure a score is. The unit that is resampled is the subject where the schema names one, else the row:
// rows of one patient are not independent. Draws are Philox streams of the context's seed, one per resample,
// so neither the number of threads nor the other evaluators change an interval.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/parallel.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/score.hpp"

namespace synthema {

// Which unit each row belongs to; units are numbered 0 .. count - 1.
struct Units {
  std::string name = "rows";
  std::vector<std::size_t> of_row;
  std::size_t count = 0;

  static Units rows(std::size_t n);
  // One unit per different value of a column; a missing value is a unit of its own.
  static Units of_column(const Table& table, std::string_view column, std::string name);
  // Subjects where the schema has a subject column, else rows.
  static Units of(const Table& table);
  Units take(std::span<const std::size_t> rows) const;  // of these rows, units renumbered
};

// Sums that a statistic is computed from: `width` numbers a row, row by row.
struct RowSums {
  std::size_t width = 0;
  std::vector<double> values;

  std::size_t rows() const { return width == 0 ? 0 : values.size() / width; }
};

// Quantile of sorted, not empty values by linear interpolation (Hyndman and Fan 1996, type 7).
double quantile(std::span<const double> sorted, double q);

// Wilson's score interval of a share (1927); `n` positive, ConfigError unless 0 < level < 1.
Interval wilson(double successes, double n, double level = 0.95);

namespace detail {

RowSums sum_by_unit(const RowSums& sums, const Units& units);
std::string interval_method(const EvaluationContext& context, const Units& units);

// One resample: the sums over as many units as there are, drawn with replacement.
std::vector<double> resampled(const RowSums& by_unit, std::size_t units, Random random);

}  // namespace detail

// Fewer units than this say too little about their spread for a bootstrap, a jackknife or a normal interval.
inline constexpr std::size_t kFewestUnits = 10;

// Percentile bootstrap of statistic(sums) -> std::optional<double>. Resamples in which the statistic is
// undefined are left out. Nothing if there are fewer than ten units, no resamples are asked for, more than a
// tenth of them are undefined, or the interval would have no width: that is no certainty.
template <class Statistic>
std::optional<Interval> bootstrap(const RowSums& sums, const Units& units, const EvaluationContext& context,
                                  const Statistic& statistic) {
  if (units.count < kFewestUnits || context.bootstrap == 0) return std::nullopt;
  const RowSums by_unit = detail::sum_by_unit(sums, units);
  const Random base =
      Random(context.seed).stream(0x626F6F74);  // keeps this apart from other users of the seed
  std::vector<std::optional<double>> drawn(context.bootstrap);
  parallel_for(
      drawn.size(),
      [&](std::size_t b) {
        context.cancel.check();
        drawn[b] =
            statistic(std::span<const double>(detail::resampled(by_unit, units.count, base.stream(b))));
      },
      context.threads, 16);
  std::vector<double> values;
  for (const auto& value : drawn)
    if (value) values.push_back(*value);
  if (values.size() * 10 < drawn.size() * 9) return std::nullopt;
  std::sort(values.begin(), values.end());
  if (!(quantile(values, 0.025) < quantile(values, 0.975))) return std::nullopt;
  return Interval{quantile(values, 0.025), quantile(values, 0.975), 0.95,
                  detail::interval_method(context, units)};
}

// Delete-one-unit jackknife with a normal interval, for statistics that a bootstrap would bias because a
// resample repeats units (counts of different things). `without[u]` is the statistic without unit u.
// Nothing if there are fewer than ten units, or if leaving out one never changes the value: the width would
// be zero, which is no certainty. `second_order` is a variance that is taken off: the jackknife counts what
// hangs on pairs of units twice (Efron and Stein, Annals of Statistics 1981, section 5).
std::optional<Interval> jackknife(double value, std::span<const double> without, const std::string& units,
                                  Range range, double second_order = 0);

// --- what most evaluators need

// Sets value, n and interval of sum(numerator) / sum(denominator) over the rows with a denominator. `share`:
// the numerators are 0 or their denominator. Where every unit is one row with the denominator 1, a share has
// Wilson's interval. All else is bootstrapped, unless there are fewer than ten units, or fewer than five of
// them differ from the others: a resample then misses those too often, and of none it sees no width. Wilson's
// interval over units takes its place where rows lie in [0, 1] as the score does (its variance is the largest
// that these have); elsewhere there is none, and the score says why.
struct RatioRows {
  std::vector<double> numerator, denominator;
  bool share = false;

  void add(double n, double d = 1) {
    numerator.push_back(n);
    denominator.push_back(d);
  }
  RatioRows take(std::span<const std::size_t> rows) const;
  std::optional<double> value() const;
};
void set_ratio(Score& score, const RatioRows& rows, const Units& units, const EvaluationContext& context);
void set_interval(Score& score, std::optional<Interval> interval);  // with the reason where there is none
void set_jackknife(Score& score, std::span<const double> without, const Units& units,
                   double second_order = 0);  // likewise

}  // namespace synthema
