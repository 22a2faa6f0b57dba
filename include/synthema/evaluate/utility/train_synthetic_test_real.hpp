// TrainSyntheticTestReal (TSTR; Esteban, Hyland and Raetsch 2017): how well a model that was fitted to
// synthetic rows predicts the target of real rows. The value is the AUROC of two classes, the mean AUROC of
// one class against the rest for more, or R squared of a number; the mean over seeds of the learner.
//   Test rows: the holdout; without one, a quarter of the real subjects (the generator may have seen them,
//   which a warning says).
//   Ceiling: the same learner fitted to the real rows that are left (TRTR). Floor: fitted to those rows with
//   every column shuffled apart.
//   Interval: of an AUROC by DeLong over test subjects, of R squared by a bootstrap of them; both hold the
//   fitted models fixed. Parts: each seed, and other measures with "trained on real" beside them.
//   Curves of classes: ROC of models fitted to synthetic and to real rows, vertical means over seeds; of more
//   than two labels the mean over labels, and the most frequent labels against the rest.
//   Of a target with more than context.target_labels labels the rarest are one class together, which a
//   warning says; so it is with every measure that fits models of the target.
// Rows without a target, or with a label that real rows do not have, are left out and counted in a warning.
#pragma once

#include <cstddef>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema {

class SYNTHEMA_EXPORT TrainSyntheticTestReal {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_target = true;

  explicit TrainSyntheticTestReal(Learner learner = boosted_trees(), std::size_t seeds = 3);
  std::string_view name() const { return "train_synthetic_test_real"; }
  Direction direction() const { return Direction::higher; }
  Range range() const;  // R squared has no lower end
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Learner learner_;
  std::size_t seeds_;
};

}  // namespace synthema
