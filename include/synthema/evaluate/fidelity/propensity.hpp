// Propensity: how far the chance of being synthetic, given a row, is from the share of synthetic rows c
// (Woo et al., Journal of Privacy and Confidentiality 2009).
//   propensity_mse     pMSE = mean (p - c)^2 over both tables, p of a logistic regression without a penalty
//   on
//                      the main effects of all shared columns, fitted to the same rows
//   propensity_ratio   pMSE / its expectation (k - 1) (1 - c)^2 c / N where both tables come from one
//                      distribution, k coefficients of which one the intercept (Snoke et al., JRSS A 2018,
//                      theorem 1); 1 is as good as real
// Main effects see means and shares, not dependence: independent marginals look perfect, so read it beside
// classifier_two_sample.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT Propensity {
 public:
  enum class Measure : std::uint8_t { mse, ratio };
  static constexpr bool needs_reference = true;

  explicit Propensity(Measure measure = Measure::ratio) : measure_(measure) {}
  std::string_view name() const { return measure_ == Measure::mse ? "propensity_mse" : "propensity_ratio"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, measure_ == Measure::mse ? 1 : std::numeric_limits<double>::infinity()}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
};

}  // namespace synthema
