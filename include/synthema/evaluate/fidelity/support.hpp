// Support: do synthetic rows lie where real rows lie (precision), and are real rows reached (recall)?
// T real rows, S synthetic rows, d Gower's distance (learn/mixed_distance.hpp) scaled by the real rows and
// the holdout; B_k(a) the closed ball around row a that reaches to its k-th nearest row of another subject,
// so that rows which repeat others are within reach of each other.
//   support_precision  share of S that lie in any B_k(t)      (Kynkaanniemi et al., NeurIPS 2019)
//   support_recall     share of T that lie in any B_k(s)
//   density            mean over S of the number of B_k(t) that hold it / k; may exceed 1. At the very radius
//                      it counts (k - o) / e, where of the other rows of T o are nearer to t and e at the
//                      radius: ties share what is left of the k, and fresh rows score 1 whatever repeats
//                                                              (Naeem et al., ICML 2020)
//   coverage           share of T whose B_k(t) holds a row of S
//   alpha_precision    1 - 2 integral |P(alpha) - alpha|: P the share of S within the alpha quantile of the
//                      distances of T to T's centre            (Alaa et al., ICML 2022)
//   beta_recall        1 - 2 integral |R(beta) - beta|: R the share of T whose nearest synthetic row is no
//                      farther than their nearest other row of T, and lies within the beta quantile of the
//                      distances of S to S's centre. Fresh real rows score near 0.5, not 1, unless rows
//                      repeat each other: in a small discrete domain near 1
//   authenticity       share of S farther from their nearest row t than t is from its own nearest row of T,
//                      ties half; fresh real rows score near 0.5, copies 0 (0.5 where all rows repeat others)
// In the last two several nearest rows at one distance share the row evenly.
// Distances to a centre are Euclidean: numbers / range, categories as indicators / sqrt 2, missing a
// category. All rows take part, and balls are exact. What balls hold depends on the number of rows in each
// table.
//
// Where the convention "synthcity" differs: balls are open, so that where more than k rows repeat each other
// nothing is in them, and ties count against; distances are Euclidean; categories are the ranks of their
// labels; precision, recall, density and coverage measure raw values (the function compute_prdc of `prdc`),
// the other three divide numbers and codes by R's range and need equally many rows; there are 30 alphas; beta
// quantiles are of the nearest rows with repeats; authenticity is averaged over real rows. No missing values.
// At most 20,000 rows a table, since all pairs are measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class SupportMeasure : std::uint8_t {
  precision,
  recall,
  density,
  coverage,
  alpha_precision,
  beta_recall,
  authenticity
};

class SYNTHEMA_EXPORT Support {
 public:
  static constexpr bool needs_reference = true;
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::synthcity};

  // `neighbours`: the k of the balls, at least 1 (ConfigError).
  explicit Support(SupportMeasure measure = SupportMeasure::coverage,
                   Convention convention = Convention::synthema, std::size_t neighbours = 5);
  std::string_view name() const;
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  SupportMeasure measure_;
  Convention convention_;
  std::size_t neighbours_;
};

}  // namespace synthema
