// ColumnPairs: how alike the dependence of two columns is, averaged over all pairs that both tables have.
//   two numbers: 1 - |rho_R - rho_S| / 2, Pearson or Spearman, over the rows that have both; undefined where
//                a column of R is constant; where one of S is, rho_S is 0
//   otherwise:   1 - TVD of the joint cells, missing values a cell of their own; a number is cut into 10 bins
//                of equal width between R's extremes, the outer ones open (R's bins for both tables; the
//                report of SDMetrics bins S on its own edges, its ContingencySimilarity does not)
// Identifier and subject columns, texts and lists are left out. No pair is left out for being weak; where
// there are more than a million (1,414 columns), the score is undefined.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class Correlation : std::uint8_t { pearson, spearman };

class SYNTHEMA_EXPORT ColumnPairs {
 public:
  static constexpr bool needs_reference = true;

  explicit ColumnPairs(Correlation correlation = Correlation::pearson) : correlation_(correlation) {}
  std::string_view name() const { return "column_pairs"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Correlation correlation_;
};

}  // namespace synthema
