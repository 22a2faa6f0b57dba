// NearestRows: what the distance to the nearest training row gives away. Distances are those of
// learn/mixed_distance.hpp, scaled by training and holdout rows together, over the columns of numbers and
// categories that all tables have. Write d(a -> B) for the distance of a row to its nearest row of B.
//
//   measure                 needs    definition                                            no leak
//   dcr                              median of d(s -> T)                                   that of h
//   dcr_share               holdout  share of s with d(s -> T) < d(s -> H), ties halved    1/2
//   near_copies             holdout  share of s nearer to T than the nearest 5 % of h      that of h
//   nndr                             mean of first / second nearest distance to T          that of h
//   identifiability                  share of t with d(t -> S) < d(t -> T without t)       m / (m + n - 1)
//   nnaa                             mean of [d(t -> S) > d(t -> T')] and
//                                    [d(s -> T) > d(s -> S')]                              1/2
//   nnaa_privacy_loss       holdout  nnaa(H, S) - nnaa(T, S)                               0
//   membership_by_distance  holdout  AUROC of t against h by -d(. -> S)                    1/2
//
// dcr_share compares equally many training and holdout rows: where one table is larger, it is cut into parts
// of the size of the other (both into smaller ones where that leaves out fewer rows). The part with the
// nearest row wins a synthetic row, parts at the same distance share it, and the score is w_T / (w_T + w_H),
// what a training part wins on average and what a holdout part does. Parts of fresh rows win alike, 1/2; rows
// of which training rows alone are nearest give 1 whatever the sizes. Tables of one size have a part each:
// the share of rows nearer to training, ties halved. The smaller the holdout, the fewer rows it wins and the
// more the score depends on which rows it holds. nnaa draws equally many rows of each table by the seed and
// their contents, whatever order they come in, and its score says how many. Without a holdout, the fresh rows
// of dcr and nndr are the training rows themselves, each against all others. With m synthetic and n training
// rows of one distribution a synthetic row is nearest to a training row with probability m / (m + n - 1).
// Where the schema names a subject, rows of the same subject are nobody's neighbours within a table, and
// parts hold whole subjects.
//
// What it does not see: a copied value of one column (rare_value_reuse), or a distance that a few irrelevant
// columns dominate.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
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

  // `floor`: also measure rows with their columns shuffled apart, which takes as long again.
  explicit NearestRows(NearestRowMeasure measure = NearestRowMeasure::dcr_share, bool floor = false)
      : measure_(measure), floor_(floor) {}
  std::string_view name() const;
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  NearestRowMeasure measure_;
  bool floor_;
};

}  // namespace synthema
