// ColumnFidelity: one measure of how alike a real and a synthetic column are, averaged over the columns it
// applies to (those that both tables have; identifier and subject columns, texts and lists are left out).
// Numbers are real, integer and time columns; categories are category and boolean columns. Missing values are
// dropped, except in missing_value_similarity.
//
//   measure                    columns     definition
//   column_shapes              both        numbers 1 - sup |F_R - F_S|; categories 1 - TVD
//   missing_value_similarity   both        1 - |missing share of R - of S|
//   boundary_adherence         numbers     share of S within [min R, max R]
//   range_coverage             numbers     max(0, 1 - uncovered ends / range R)
//   category_coverage          categories  share of R's categories that S has
//   category_adherence         categories  share of S rows whose category R has
//   quantile_mse               numbers     mean over the tenths between R's deciles, the outer ones open, of
//                                          (share of S - share of R)^2 (syntheval's q-MSE takes R's to be
//                                          0.1)
//   wasserstein                numbers     area between the cumulative distributions / range R
//   jensen_shannon             both        sqrt of the divergence in bits, of cells
//   kl_synthetic_to_real       both        sum S ln(S / R) of cells: high where S invents
//   kl_real_to_synthetic       both        sum R ln(R / S) of cells: high where S misses
//   chi_square                 categories  p-value of the test that both are samples of one distribution
//   mean_, median_, deviation_similarity   numbers   max(0, 1 - |difference| / range R)
// The note of a part of column_shapes says what is grossly wrong with a column: no values; at most 5 % of
// them within the real range, and how many times as large the median is, from ten times on; at most 5 % of
// rows with a label of the real rows, where most of these share theirs with another row; one value in all
// rows, where at least 20 % of the real ones are others. Of few rows (fewer than 20 real or 5 synthetic ones;
// 30 for one value) it says nothing. Cells are those of Accuracy (ten quantile bins, ten most frequent
// labels); KL adds 0.5 to each.
//
// Where the convention "sdmetrics" differs: column_shapes rounds numbers to 14 decimals and adds 1e-6 to R
// for categories that only S has; in boundary_adherence a missing value of S fails unless R has missing
// values; chi_square takes the shares of S as counts and those of R as expected.
// "synthcity" has three measures of numbers and labels (as ranks), for columns without missing values:
// kl_real_to_synthetic is its inverse divergence, 1 / (1 + KL), so higher is better; jensen_shannon adds 1 to
// each share and takes nats; chi_square takes the shares of R as counts and those of S as expected. Cells are
// ten equal ones of R's range; the first and the last measure sort the shares of columns of fewer than five
// values in each table, so that ranks are compared and not labels.
// "syntheval" has quantile_mse, against a tenth in each cell, values outside R's range in none;
// column_shapes as the distances themselves, so lower is better; and mean_similarity as |difference| over the
// range of both columns.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class ColumnMeasure : std::uint8_t {
  shape,
  missing,
  boundary_adherence,
  range_coverage,
  category_coverage,
  category_adherence,
  quantile_mse,
  wasserstein,
  jensen_shannon,
  kl_synthetic_to_real,
  kl_real_to_synthetic,
  chi_square,
  mean,
  median,
  deviation
};

class SYNTHEMA_EXPORT ColumnFidelity {
 public:
  static constexpr bool needs_reference = true;
  // All but the first of some measures only; ConfigError for the others.
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::sdmetrics,
                                                Convention::synthcity, Convention::syntheval};

  explicit ColumnFidelity(ColumnMeasure measure = ColumnMeasure::shape,
                          Convention convention = Convention::synthema);
  std::string_view name() const;
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  ColumnMeasure measure_;
  Convention convention_;
};

}  // namespace synthema
