// Correct attribution probability (CAP; Elliot, "Final report on the disclosure risk associated with the
// synthetic data produced by the SYLLS team", 2014; Taub, Elliot et al. 2018): who knows a person's
// quasi-identifiers looks up the synthetic rows that agree with them and takes over their secrets. CAP of a
// training row is the share of those synthetic rows that have its secrets; the protection is 1 - the mean.
//
//   categorical  rows without an agreeing synthetic row are left out
//   zero         they count as CAP 0
//   generalized  the synthetic rows that agree in the most quasi-identifiers are looked up
//   disclosure   min(1, categorical / (1 - 1 / number of combinations of secrets)): 1 is guessing
//
// The numbers are those of SDMetrics' CategoricalCAP, CategoricalZeroCAP, CategoricalGeneralizedCAP and
// DisclosureProtection. The ceiling is what people of the holdout keep: what can be inferred about anybody is
// no leak.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/privacy/disclosure_options.hpp"

namespace synthema {

enum class AttributionRule : std::uint8_t { categorical, zero, generalized, disclosure };

class SYNTHEMA_EXPORT Attribution {
 public:
  static constexpr bool needs_reference = true;

  explicit Attribution(AttributionRule rule = AttributionRule::categorical, DisclosureOptions options = {});
  std::string_view name() const;
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  AttributionRule rule_;
  DisclosureOptions options_;
};

}  // namespace synthema
