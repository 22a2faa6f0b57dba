// SinglingOut: can a statement learnt from the synthetic rows point at exactly one real person (Giomi et al.,
// "A unified framework for quantifying privacy risk in synthetic data", PoPETs 2023; anonymeter)? Predicates
// that hold for one synthetic row alone are tried on the training rows and, as the control, on the holdout:
//   univariate    a value that occurs once; "at most the smallest", "at least the largest"; missing where one
//   is multivariate  three columns of a random row: a number above the column's median: at least this value,
//   else
//                 at most; a label: equal; missing: missing
// An attack succeeds where the predicate holds for one row only (rows of one subject only, where the schema
// names one). Success rates are the centres of Wilson's intervals, and the risk is what is left when the
// control's success is taken off: (attack - control) / (1 - control), between 0 and 1.
//
// Where training and holdout differ in size, so does the chance to single out anybody. The control is then
// rescaled by the model of anonymeter, fitted to the expected success in parts of the holdout of ten sizes
// (computed from the number of matches, without drawing parts).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

struct SinglingOutOptions {
  std::size_t attacks = 1000;
  std::size_t columns = 3;           // of a multivariate predicate; fewer where the table has fewer
  std::size_t most_tries = 200'000;  // predicates drawn before giving up on finding enough
  bool floor = false;                // also measure rows with their columns shuffled apart
};

class SYNTHEMA_EXPORT SinglingOut {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_holdout = true;

  explicit SinglingOut(bool multivariate = false, SinglingOutOptions options = {})
      : multivariate_(multivariate), options_(options) {}
  std::string_view name() const {
    return multivariate_ ? "singling_out_multivariate" : "singling_out_univariate";
  }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool multivariate_;
  SinglingOutOptions options_;
};

}  // namespace synthema
