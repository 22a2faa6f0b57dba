// What a generation run says about itself, one row per finished draft:
//   AcceptanceRate   columns accepted (boolean), check (text: which check rejected it; optional), row_id
//                    (that attempts share; optional)
//   FreeTokenShare   columns free_tokens, masked_tokens, forced_tokens (integers)
//   FactAgreement    columns fact_<name> (boolean; null where the fact was not asked for)
// Without its columns each of them is undefined, with the reason.
#pragma once

#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

// Share of drafts that passed all checks. Parts: by label, and the share of drafts each check rejected.
// Attempts at one row repeat until one passes, so they are resampled together, by row id.
class SYNTHEMA_EXPORT AcceptanceRate {
 public:
  std::string_view name() const { return "acceptance_rate"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

// Share of generated tokens that were drawn from the whole vocabulary: not forced, not under a mask.
class SYNTHEMA_EXPORT FreeTokenShare {
 public:
  std::string_view name() const { return "free_token_share"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

// Share of conditioned facts that the texts state. Parts: by fact.
class SYNTHEMA_EXPORT FactAgreement {
 public:
  std::string_view name() const { return "fact_agreement"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
