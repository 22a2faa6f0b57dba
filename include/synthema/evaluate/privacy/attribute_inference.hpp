// AttributeInference: somebody knows all columns of a person but one and reads the last one off the nearest
// synthetic row (Giomi et al., PoPETs 2023, section 4.3; anonymeter). Every secret column is tried in turn;
// the control is the same attack on holdout people, so that what can be inferred about anybody (that is what
// data are for) does not count, and the risk is what is left over it (residual_risk.hpp). A part per column
// has its own risk, and what reading off the nearest holdout row (somebody else's, for the training people)
// achieves: the baseline of an attacker who knows other people.
//
// A guess is right where a category is equal, a number within `tolerance` of the truth's size. One row each
// of `attacks` people is attacked; where there are several secrets the successes of a row are averaged, and
// the intervals allow for that. People whose secret is missing are not attacked for it.
//
// Convention "anonymeter": a number is right where |guess - truth| / guess <= tolerance, so that a negative
// guess is always right, and missing equals missing; distances are scaled by the attacked and the synthetic
// rows together.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

struct AttributeInferenceOptions {
  std::size_t attacks = 2000;        // people, at most; as many of training as of holdout
  std::vector<std::string> secrets;  // empty: columns with the role sensitive, else every column in turn
  std::vector<std::string> known;    // empty: all columns but the secret
  double tolerance = 0.05;           // of numbers, relative
  Convention convention = Convention::synthema;
  bool floor = false;  // also measure rows with their columns shuffled apart
};

class SYNTHEMA_EXPORT AttributeInference {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_holdout = true;
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::anonymeter};

  explicit AttributeInference(AttributeInferenceOptions options = {});
  std::string_view name() const { return "attribute_inference"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  AttributeInferenceOptions options_;
};

}  // namespace synthema
