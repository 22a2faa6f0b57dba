// Train on synthetic, test on real, of the time until an event: a proportional hazards model
// (learn/cox_model.hpp) of the columns that both tables have, without the target.
//   survival_concordance  Harrell's index on test rows; 0.5 knows nothing. Interval: of a U-statistic, by
//   subject survival_brier        integrated Brier score with inverse probability of censoring weights (Graf
//   et al.,
//                         Statistics in Medicine 1999), mean over 100 evenly spaced times up to the 90 %
//                         quantile of the test rows' times; 0.25 is a coin. Interval: bootstrap by subject of
//                         the mean over times, censoring weights held fixed
// Test rows are the holdout's, else a quarter of the real subjects. Ceiling: the same model fitted to real
// rows; floor of the Brier score: the Kaplan-Meier curve of the real training rows for everybody. Needs the
// columns of durations and events (kaplan_meier.hpp). Cost: two fits; test rows^2 (concordance). Misleads: a
// model of proportional hazards misses effects that change over time.
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT SurvivalUsefulness {
 public:
  static constexpr bool needs_reference = true;

  explicit SurvivalUsefulness(bool brier = false, std::string duration = {}, std::string event = {})
      : brier_(brier), duration_(std::move(duration)), event_(std::move(event)) {}
  std::string_view name() const { return brier_ ? "survival_brier" : "survival_concordance"; }
  Direction direction() const { return brier_ ? Direction::lower : Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool brier_;
  std::string duration_, event_;
};

}  // namespace synthema
