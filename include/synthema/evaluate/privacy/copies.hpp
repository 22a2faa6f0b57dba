// ExactCopies: share of synthetic rows that equal a real row in every column both tables have (identifier and
// subject columns left out; missing equals missing). Ceiling: the same share of the holdout's rows, which
// copied nobody: where real rows repeat each other by nature, so may synthetic ones.
#pragma once

#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT ExactCopies {
 public:
  static constexpr bool needs_reference = true;

  std::string_view name() const { return "exact_copies"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
