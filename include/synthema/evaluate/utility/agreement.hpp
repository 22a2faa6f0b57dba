// Would somebody who sees synthetic rows only come to the same conclusions?
//   model_ranking_agreement  Kendall's tau-b of the measures (AUROC, or R squared; train_synthetic_test_real)
//   of
//                            several learners trained on synthetic rows and on real ones. Without learners of
//                            the caller's: trees of depth 1, 3 and 31 leaves, and linear models with
//                            penalties 1, 100 and 10,000. Parts: each learner, trained on either
//   importance_agreement     Spearman's correlation of the gain of each column in boosted trees fitted to
//                            synthetic rows and to real ones. Ceiling: half of the real training rows against
//                            the test rows. Parts: both shares of the gain of every column
//   coefficient_overlap      Mean overlap of the 95 % intervals of the coefficients of a linear or logistic
//                            regression of the target on all columns (Karr et al., The American Statistician
//                            2006): for each, (o / |R| + o / |S|) / 2, o the length that both share, 0 where
//                            they are apart. Columns are standardised by the real rows, the most frequent
//                            label of each category is the reference, standard errors are of independent
//                            rows; what one table cannot tell apart is left out. Parts: coefficients of both,
//                            but of labels that fewer than five real people have. Targets of more than two
//                            classes have none
// No intervals: few learners or columns stand behind each, and the same rows behind both sides. Ceilings are
// what the holdout in the place of synthetic rows scores, where one is given.
// Misleads: an agreement of 1 between useless models; tau of learners that hardly differ is noise.
#pragma once

#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema {

class SYNTHEMA_EXPORT ModelRanking {
 public:
  static constexpr bool needs_reference = true, needs_target = true;

  // Empty: the six of ours. ConfigError for a single one.
  explicit ModelRanking(std::vector<Learner> learners = {});
  std::string_view name() const { return "model_ranking_agreement"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {-1, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::vector<Learner> learners_;
};

class SYNTHEMA_EXPORT ImportanceAgreement {
 public:
  static constexpr bool needs_reference = true, needs_target = true;

  std::string_view name() const { return "importance_agreement"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {-1, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

class SYNTHEMA_EXPORT CoefficientOverlap {
 public:
  static constexpr bool needs_reference = true, needs_target = true;

  std::string_view name() const { return "coefficient_overlap"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
