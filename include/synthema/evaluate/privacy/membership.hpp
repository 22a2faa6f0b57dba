// Two attacks that guess who was in the training data, given a holdout and more than a distance.
//
// MembershipByDensity: a row is a member where the synthetic rows are denser around it than real rows in
// general are (van Breugel et al., "Membership inference attacks against synthetic data through overfitting
// detection", AISTATS 2023: DOMIAS). A random half of the holdout stands for real rows in general, the other
// half for non-members. Densities are those of the k-th nearest row: p_S / p_ref is a power of d_ref,k /
// d_S,k (Loftsgaarden and Quesenberry, Annals of Mathematical Statistics 1965), so the order of rows, and
// with it the AUROC, needs no bandwidth and no number of dimensions. Distances are Gower's
// (mixed_distance.hpp).
//
// MembershipByModel: a row is a member where a model that was trained on synthetic rows predicts its target
// better than a shadow model, trained on one half of the holdout, does (loss calibrated by difficulty: Watson
// et al., "On the importance of difficulty calibration in membership inference attacks", ICLR 2022). The
// other half are the non-members. It asks what publishing a model that was trained on the synthetic rows
// gives away.
//
// Where subjects have several rows, both tell subjects apart, each by the mean over the rows (of the
// logarithm of the density ratio); the AUROC of single rows is a part of the score.
#pragma once

#include <cstddef>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema {

class SYNTHEMA_EXPORT MembershipByDensity {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_holdout = true;

  explicit MembershipByDensity(std::size_t neighbours = 1);  // ConfigError unless positive
  std::string_view name() const { return "membership_by_density"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::size_t neighbours_;
};

class SYNTHEMA_EXPORT MembershipByModel {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_holdout = true;
  static constexpr bool needs_target = true;

  explicit MembershipByModel(Learner learner = boosted_trees()) : learner_(std::move(learner)) {}
  std::string_view name() const { return "membership_by_model"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Learner learner_;
};

}  // namespace synthema
