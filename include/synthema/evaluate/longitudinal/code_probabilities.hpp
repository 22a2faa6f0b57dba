// CodeProbabilities: do the codes of synthetic visits occur, and occur together, as often as real ones? As in
// the evaluation of HALO (Theodorou, Xiao and Sun, Nature Communications 2023).
//   code_r2            probability of each code in a visit
//   code_pair_r2       of each unordered pair of codes in one visit
//   next_code_pair_r2  of each pair of a code and a code of the next visit, over visits that have one before
// The value is the coefficient of determination of the synthetic probabilities as predictions of the real
// ones, 1 - sum (r - s)^2 / sum (r - mean r)^2 (scikit-learn's r2_score, not a squared correlation), over all
// keys that either table has. A visit is all rows of a subject at one time; codes stand in the columns with a
// code system, else in lists, else in the column with the role label.
// Parts: the same per patient, and the squared correlation, which hides a wrong scale.
//
// Cost: sum over visits of the squared number of codes. Misleads: a few frequent codes decide it; thousands
// of rare ones hardly count (look at long_tail).
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class CodesOf : std::uint8_t { visit, pair, next };

class SYNTHEMA_EXPORT CodeProbabilities {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_subject = true;

  explicit CodeProbabilities(CodesOf of = CodesOf::visit) : of_(of) {}
  std::string_view name() const {
    constexpr std::string_view names[] = {"code_r2", "code_pair_r2", "next_code_pair_r2"};
    return names[static_cast<int>(of_)];
  }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {-std::numeric_limits<double>::infinity(), 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  CodesOf of_;
};

}  // namespace synthema
