// Does a model that was trained on synthetic rows treat groups of real people differently? Test rows and
// target (two classes) are those of TrainSyntheticTestReal; the class is predicted whose probability is the
// larger, the positive one is the last label.
//   demographic_parity_gap  largest less smallest share of people predicted positive, over groups
//   equalised_odds_gap      the larger of that of the true positive rate and that of the false positive rate
//                           (Hardt, Price and Srebro, NIPS 2016)
// Groups are the labels, with 30 test rows or more, of the named column, else of those with the role
// sensitive (each column alone; the value is the largest gap). Ceiling: the same learner trained on real
// rows, which need not be fair either. Parts: the rates by group. No interval: a maximum over groups is
// biased upwards when it is resampled. Cost: two fits. Misleads: small groups have large gaps by chance.
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema {

class SYNTHEMA_EXPORT GroupGaps {
 public:
  static constexpr bool needs_reference = true, needs_target = true;
  static constexpr std::size_t kRows = 30;

  // `odds`: equalised odds, else demographic parity. `column` empty: the role sensitive.
  explicit GroupGaps(bool odds = false, Learner learner = boosted_trees(), std::string column = {})
      : odds_(odds), learner_(std::move(learner)), column_(std::move(column)) {}
  std::string_view name() const { return odds_ ? "equalised_odds_gap" : "demographic_parity_gap"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool odds_;
  Learner learner_;
  std::string column_;
};

}  // namespace synthema
