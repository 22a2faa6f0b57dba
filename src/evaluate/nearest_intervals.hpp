// How far shares vary that hang on which real unit is nearest to a synthetic item (a row, a note). Items with
// one nearest unit are no independent items.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "synthema/core/error.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

// How many independent items `items` are worth, whose share that is nearer to the training side hangs on how
// the real units were split: n such that its variance is c (1 - c) / n, at least 1; infinite where every
// split gives the same share. `weights`: how many items each real unit, of both sides, is nearest to. Derived
// in evaluate/privacy/nearest_rows.hpp.
inline double independent_items(std::span<const double> weights, double items) {
  double squares = 0;
  for (const double weight : weights) squares += weight * weight;
  const auto count = static_cast<double>(weights.size());
  const double variance = (squares / items / items - 1 / count) * count / (count - 1);
  return variance > 0 ? 1 / variance : std::numeric_limits<double>::infinity();
}

// Wilson's interval of such a share; nothing where its width would be 0. `what`: the items; `units`: the real
// ones.
inline std::optional<Interval> split_interval(double share, double independent, const std::string& what,
                                              const std::string& units, double level = 0.95) {
  if (!std::isfinite(independent)) return std::nullopt;
  Interval out = wilson(share * independent, independent, level);
  out.level = 0.95;
  out.method = message("Wilson over the ", std::round(10 * independent) / 10, " independent ", what,
                       " that they are worth, real ", units, " split again and again");
  return out;
}

// Mean over synthetic items, with the interval of drawing other ones. `what`: the items.
inline void set_mean(Score& score, std::span<const double> values, bool share, const Units& units,
                     const std::string& what, const EvaluationContext& context) {
  RatioRows ratio{.numerator = {}, .denominator = {}, .share = share};
  for (const double value : values) ratio.add(value);
  set_ratio(score, ratio, units, context);
  if (score.interval) score.interval->method += ", real " + what + " held fixed";
}

// What of the same share varies more.
inline void widen(Score& score, std::optional<Interval> other) {
  if (!score.value || !other) return;
  if (score.interval && other->high - other->low < score.interval->high - score.interval->low) return;
  score.interval = std::move(other);
  score.no_interval.clear();
}

// The share of items that are near a training item, as wide as it varies by item or by the training units
// that are nearest. The distance that calls an item near is the quantile `near` of those `held` holdout items
// that were drawn: with others a share that varies as a binomial one does would be nearer, of fresh items and
// of the holdout's alike.
inline void set_near_share(Score& score, std::span<const double> is_near, const Units& units,
                           const Units& by_nearest, const std::string& what, double near, std::size_t held,
                           const EvaluationContext& context) {
  set_mean(score, is_near, true, units, what, context);
  Score of_clumps = score;
  set_mean(of_clumps, is_near, true, by_nearest, what, context);
  widen(score, of_clumps.interval);
  if (!score.interval) return;
  const double quantile = kNormal95 * std::sqrt(near * (1 - near) / static_cast<double>(held));
  Interval& interval = *score.interval;
  interval.low = std::max(0.0, *score.value - std::hypot(*score.value - interval.low, quantile));
  interval.high = std::min(1.0, *score.value + std::hypot(interval.high - *score.value, quantile));
  interval.method += ", the holdout's quantile varied";
}

}  // namespace synthema::detail
