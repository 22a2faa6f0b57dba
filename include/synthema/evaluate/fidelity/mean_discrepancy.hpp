// Maximum mean discrepancy, squared (Gretton et al., "A kernel two-sample test", JMLR 2012): how far apart
// the mean embeddings of both tables are under the kernel exp(-d^2 / (2 m)), m the median of the squared
// distances of different rows of both tables (the median heuristic).
//   mean_discrepancy          the unbiased estimate (their eq. 3); 0 on average where both tables have one
//                             distribution, so it may be negative
//   mean_discrepancy_biased   their eq. 5; never negative, and positive even then
// d is Euclidean: numbers over R's standard deviation, labels as indicators (two different ones are sqrt 2
// apart), a missing number at the mean with an indicator of its own. Of a number that is constant in R counts
// whether it is that one, as a label.
// The part "permutation p-value" is the share of 199 random divisions of the rows of both tables (at most
// 1,000 of each) that have a value as large.
//
// Cost: rows^2 x columns, so at most `rows` rows of each table (5,000) are drawn by the seed; the score says
// how many. Misleads: with many columns all distances are alike and the kernel sees little; small effects in
// single columns vanish.
//
// Where the convention "syntheval" differs: labels are their ranks as numbers, no missing values are known,
// the kernel is exp(-d^2 / (4 m)), and m is of the distances above 0. "synthcity" has the biased value only,
// of the raw numbers and ranks of labels under the kernel exp(-d^2): rows that are more than a few units
// apart in any column are alike in nothing. No missing values are known there either.
#pragma once

#include <cstddef>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT MeanDiscrepancy {
 public:
  static constexpr bool needs_reference = true;
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::syntheval,
                                                Convention::synthcity};

  // `rows`: most of each table; 0: all.
  explicit MeanDiscrepancy(bool biased = false, Convention convention = Convention::synthema,
                           std::size_t rows = 5000);
  std::string_view name() const { return biased_ ? "mean_discrepancy_biased" : "mean_discrepancy"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {biased_ ? 0.0 : -2.0, 2}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool biased_;
  Convention convention_;
  std::size_t rows_;
};

}  // namespace synthema
