// KaplanMeier: how far apart the survival curves of both tables are (Kaplan and Meier 1958). The value is
//   1 / T integral over [0, T] of |S_syn(t) - S_real(t)| dt, T the longest real follow-up.
// Parts: "optimism", the same without the absolute value (above 0: synthetic patients live longer);
// "short-sightedness", (T - longest synthetic follow-up) / T, both as in Norcliffe et al., "SurvivalGAN"
// (AISTATS 2023); medians of both. After the last synthetic time its curve stays where it is. The integral is
// exact; synthcity's is a sum over 1,000 points.
// Needs the column of durations (numbers, not negative) and of events (two values; true, the larger number,
// or the label that says so, as "dead": the event). Rows without either are left out and counted. Interval:
// none by resampling, which adds to an absolute distance. Ceiling: the holdout, else two random halves of the
// real subjects, whose distance is brought to the sizes of both tables: it goes with sqrt(1 / n + 1 / m) of
// their rows.
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT KaplanMeier {
 public:
  static constexpr bool needs_reference = true;

  // Empty names: the score is undefined and says so.
  explicit KaplanMeier(std::string duration = {}, std::string event = {})
      : duration_(std::move(duration)), event_(std::move(event)) {}
  std::string_view name() const { return "kaplan_meier_distance"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::string duration_, event_;
};

}  // namespace synthema
