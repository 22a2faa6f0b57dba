// Distances of rows as other libraries have them, to the last bit where rows at equal distances decide. All
// pairs are measured, so tables are limited to kMostLibraryRows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"

namespace synthema::detail {

constexpr std::size_t kMostLibraryRows = 20'000;

using RawRows = std::vector<std::vector<double>>;

// Numbers as they are, labels as their rank from 0 among the labels of both tables. Nothing if a value is
// missing.
std::optional<RawRows> raw_rows(const Table& table, const Table& other,
                                const std::vector<std::string>& names);

// Share of real rows that are nearer to a synthetic row than to any other real row, by Euclid's distance of
// raw rows (synthcity's IdentifiabilityScore without its network: its weights by entropy are overwritten by
// 1). Nothing if a value is missing.
std::optional<double> synthcity_identifiability(const Table& real, const Table& synthetic,
                                                const EvaluationContext& context);

// SDMetrics' NewRowSynthesis: share of synthetic rows without a real row that has the same labels, the same
// columns missing, and numbers within a hundredth of the synthetic ones.
double sdmetrics_new_rows(const Table& real, const Table& synthetic, const std::vector<std::string>& columns,
                          const EvaluationContext& context);

// Gower's distances as syntheval has them: numbers scaled to the range of real, synthetic and holdout rows
// together, labels 0 or 1. Columns are those that all tables share.
class SynthevalRows {
 public:
  // Nothing if a value is missing in a shared column, or there is none.
  static std::optional<SynthevalRows> of(const Table& real, const Table& synthetic, const Table* holdout);

  // d(s -> R) / d(r -> R'), medians; 1 where both are 0, 0 where only the second is.
  double dcr(const EvaluationContext& context) const;
  // Mean of the first over the second nearest distance, from real to synthetic rows.
  double nndr(const EvaluationContext& context) const;
  // ([d(r -> S) > d(r -> R')] + [d(s -> R) > d(s -> S')]) / 2, of real or of holdout rows.
  double adversarial_accuracy(bool of_holdout, const EvaluationContext& context) const;
  // Share of real rows with a synthetic row of the same labels within a thirtieth of R's range in each
  // number.
  double hitting_rate(const EvaluationContext& context) const;
  // Share of real rows that are nearer to a synthetic than to another real row, columns weighed by one over
  // their entropy.
  double identifiability(const EvaluationContext& context) const;

 private:
  // Numbers scaled to [0, 1], then labels as codes; by row.
  RawRows real_, synthetic_, holdout_;
  std::size_t numbers_ = 0;

  struct Nearest {
    std::vector<double> first, second;
  };
  Nearest nearest(const RawRows& from, const RawRows& to, const std::vector<double>& weights,
                  const EvaluationContext& context) const;
  std::vector<double> even_weights() const;
};

}  // namespace synthema::detail
