// How much real data synthetic rows replace, and what they add to it. Test rows, target and measure (AUROC,
// or R squared) are those of TrainSyntheticTestReal; the learner is fitted anew to each training set, one
// seed.
//   rows_worth         The largest of 1/16, 1/8, 1/4, 1/2 and all of the real training subjects on which the
//                      learner does no better than on all synthetic rows, and the part of the way to the next
//                      (linear in the logarithm of their number). 1: synthetic rows do as well as all real
//                      ones; 0: worse than each of them. Parts: both curves
//   augmentation_gain  Measure with real and all synthetic rows less that with real rows alone. Parts: with
//   1/4,
//                      1/2 and all synthetic rows; the gain of a sixteenth of the real rows, where synthetic
//                      ones may help more
// No interval: one split and one seed stand behind each point, so read differences below 0.01 as noise.
// Cost: 8 to 13 fits. Misleads: what helps one learner may not help another.
#pragma once

#include <limits>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema {

class SYNTHEMA_EXPORT RowsWorth {
 public:
  static constexpr bool needs_reference = true, needs_target = true;

  explicit RowsWorth(Learner learner = boosted_trees()) : learner_(std::move(learner)) {}
  std::string_view name() const { return "rows_worth"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Learner learner_;
};

class SYNTHEMA_EXPORT AugmentationGain {
 public:
  static constexpr bool needs_reference = true, needs_target = true;

  explicit AugmentationGain(Learner learner = boosted_trees()) : learner_(std::move(learner)) {}
  std::string_view name() const { return "augmentation_gain"; }
  Direction direction() const { return Direction::higher; }
  Range range() const {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Learner learner_;
};

}  // namespace synthema
