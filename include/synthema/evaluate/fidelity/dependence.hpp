// Dependence: how alike the strength of dependence of two columns is in both tables, measured as fits their
// kinds.
//   spearman_similarity             two numbers: 1 - |rho_R - rho_S| / 2 of ranks
//   cramers_v_similarity            two categories: 1 - |V_R - V_S| (Cramer 1946)
//   correlation_ratio_similarity    a category and a number: 1 - |eta_R - eta_S| (Fisher)
//   mutual_information_similarity   any two: 1 - |NMI_R - NMI_S|, NMI = mutual information / mean of the
//                                   entropies, of the cells of Accuracy
//   correlation_matrix_difference   Frobenius norm of R's matrix of Pearson, V and eta minus S's; the part
//                                   "root mean square of a pair" is the same number free of the number of
//                                   columns
//   mutual_information_difference   the same of the matrices of NMI
// The first four are means over pairs. Rows that lack either value do not take part (NMI: missing is a cell).
// A pair in which R has a constant column has no value; the norms count it as 0 and say so. Where S has one
// and R has not, the strength in S is 0.
// Identifier and subject columns, texts and lists are left out.
//
// Where the convention "syntheval" differs (the two norms): V and eta are squared, chi-square has Yates'
// correction in tables of 2 x 2, and NMI is of the values themselves, each a label of its own, 1 where both
// columns are constant; a pair that is constant in either table counts as 0.
//
// Cost: pairs of columns x rows. Misleads: strength says nothing of direction or form, except Pearson and
// Spearman, so a dependence turned round can look the same; V and NMI of many rare labels are biased upwards.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class DependenceMeasure : std::uint8_t {
  spearman,
  cramers_v,
  correlation_ratio,
  mutual_information,
  matrix_difference,
  information_difference
};

class SYNTHEMA_EXPORT Dependence {
 public:
  static constexpr bool needs_reference = true;
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::syntheval};

  explicit Dependence(DependenceMeasure measure = DependenceMeasure::mutual_information,
                      Convention convention = Convention::synthema);
  std::string_view name() const;
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  DependenceMeasure measure_;
  Convention convention_;
};

}  // namespace synthema
