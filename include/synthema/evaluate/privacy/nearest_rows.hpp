// NearestRows: what the distance to the nearest training row gives away. Distances are those of
// learn/mixed_distance.hpp: the mean over the columns of numbers and categories that all tables have of
// min(1, |a - b| / range), or 0 and 1 for categories. The range is that of training and holdout rows
// together, never of synthetic ones. Write d(a -> B) for the distance of a row to its nearest row of B.
//
//   measure                 needs    definition                                            no leak
//   dcr                              median of d(s -> T)                                   that of h
//   dcr_share               holdout  how much oftener d(s -> T) < d(s -> H) than by chance  1/2
//   near_copies             holdout  share of s nearer to T than the nearest 5 % of h      that of h
//   nndr                             mean of first / second nearest distance to T          that of h
//   identifiability                  share of t with d(t -> S) < d(t -> T without t)       m / (m + n - 1)
//   nnaa                             mean of [d(t -> S) > d(t -> T')] and
//                                    [d(s -> T) > d(s -> S')]                              1/2
//                                    (Yale et al. 2020)
//   nnaa_privacy_loss       holdout  nnaa(H, S) - nnaa(T, S)                               0
//   membership_by_distance  holdout  AUROC of t against h by -d(. -> S)                    1/2
//
// membership_by_distance: where subjects have several rows it is subjects who are told apart, each by the
// mean over the rows, since it is they who were in the training data or not; single rows are a part of the
// score.
//
// dcr_share: w is the share of synthetic rows to which a training row is nearer than all holdout rows; where
// rows of both are at the nearest distance, training wins its share of them. Rows of the same distribution as
// both give w = c on average, the share of training among all real rows (of subjects, where there are some),
// since each real row is as likely as any other to be nearest. Where a share l of the synthetic rows copies
// training rows and the rest is fresh, w = l + (1 - l) c on average; so the score is (1 + l) / 2 with l = (w
// - c) / (1 - c): 1/2 for fresh rows, 1 for copies, and the same for the same leak whatever the sizes. Tables
// of one size: w. It is cut at 0 and 1, so that with few rows won by the holdout the mean of fresh rows would
// not be 1/2: it is undefined with fewer than 10 holdout units, or where by chance the holdout would win
// fewer than 5 synthetic units. Copies are seen only where they tell training from holdout rows. In a small
// discrete domain every row has equal ones in both, so a copy of the training rows is a fresh sample but for
// the counts of each row, and the score says so: it lies above 1/2 by about as much as those counts differ.
// exact_copies beside its ceiling says the same; what such rows can give away about a person is a secret
// column (attribute_inference, the cap measures), not that he was a member.
//
// Its interval: let a_r be the part of the synthetic rows whose nearest real unit is r, ties shared, and x_r
// be 1 where r is a training unit. Then w is the sum of a_r x_r. Where nothing leaks, any n of the N real
// units could have been the training units, whatever the synthetic rows are, so given these w has the mean c
// and the variance c (1 - c) (sum a_r^2 - 1 / N) N / (N - 1): a sum over a sample without replacement. It
// holds the drawing of the synthetic rows too, since that moves no mean: fresh rows have E sum a_r^2 = 1 / m
// + sum p_r^2, about, p_r the chance that r is nearest. So m synthetic rows are worth k = c (1 - c) /
// variance independent ones, few where many share a nearest real row, and the interval is Wilson's of k, or
// where that is wider the bootstrap of synthetic units. With leaks w (1 - w) / k is right within a little
// (docs/calibration.md), and large where few training rows leak: a clump of rows that never saw them looks
// the same.
//
// near_copies: synthetic rows with one nearest training unit are near it together or not at all, so its
// interval resamples them together, where that is wider. It also has the variance 0.05 * 0.95 / h of the 5 %
// quantile of h holdout units, as fresh rows feel it.
//
// nnaa and identifiability share ties in the same way: where rows of both tables are nearest, the row counts
// by their shares. nnaa draws equally many rows of each table by the seed and their contents, whatever order
// they come in, and its score says how many. Without a holdout, the fresh rows of dcr and nndr are the
// training rows themselves, each against all others. With m synthetic and n training rows of one distribution
// a synthetic row is nearest to a training row with probability m / (m + n - 1). Where the schema names a
// subject, rows of the same subject are nobody's neighbours within a table, and whole subjects are drawn.
//
// Where the convention "syntheval" differs (dcr, near_copies, nndr, nnaa, nnaa_privacy_loss,
// identifiability): numbers are scaled to the range of real, synthetic and holdout rows together, so a
// synthetic outlier shrinks all other distances; no missing values are known; dcr is divided by the median of
// d(t -> T'), so 1 is what real rows have (1 where both are 0, 0 where only that of the real rows is); nndr
// goes from real to synthetic rows; nnaa takes all rows, and is undefined where one table has twice as many
// as the other, which are then drawn without a seed there; identifiability weighs each column by one over the
// entropy of its scaled values rounded to whole numbers. near_copies is its hitting rate: the share of
// training rows with a synthetic row of the same labels and each number within a thirtieth of the real range.
// "synthcity" has identifiability, by Euclid's
// distance of the raw columns. "sdmetrics" has dcr_share, as 2 (1 - share of s with d(s -> T) < d(s -> H)),
// at most 1, where ties count for no leak and distances to T are scaled by T's ranges alone and those to H by
// H's; higher is better.
//
// What it does not see: a copied value of one column (rare_value_reuse), or a distance that a few irrelevant
// columns dominate.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class NearestRowMeasure : std::uint8_t {
  dcr,
  dcr_share,
  near_copies,
  nndr,
  identifiability,
  nnaa,
  nnaa_privacy_loss,
  membership
};

class SYNTHEMA_EXPORT NearestRows {
 public:
  static constexpr bool needs_reference = true;

  // All but the first of some measures only; ConfigError for the others.
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::syntheval,
                                                Convention::synthcity, Convention::sdmetrics};

  // `floor`: also measure rows with their columns shuffled apart, which takes as long again.
  explicit NearestRows(NearestRowMeasure measure = NearestRowMeasure::dcr_share, bool floor = false,
                       Convention convention = Convention::synthema);
  std::string_view name() const;
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  NearestRowMeasure measure_;
  bool floor_;
  Convention convention_;
};

}  // namespace synthema
