// Linkability: somebody has two data sets with different columns about the same people and uses the synthetic
// rows as a bridge (Giomi et al., PoPETs 2023, section 4.2; anonymeter). A training row is linked where its
// nearest synthetic rows by the first columns and those by the second columns have a row in common. The
// control is the same attack on holdout rows; the risk is what is left over it (residual_risk.hpp).
//
// One row each of `attacks` people is attacked, drawn by the seed and the contents of the tables, so attacks
// are independent. Distances are Gower's, scaled by training and holdout rows; convention "anonymeter" scales
// them by the attacked and the synthetic rows together. Among synthetic rows that are equally near, chance
// decides, apart for the two column sets: a tie that always went the same way would link by itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

struct LinkabilityOptions {
  std::size_t attacks = 2000;  // at most; as many on training as on holdout rows
  std::size_t neighbours = 1;
  // Columns of the two data sets; both empty: every second column each, in the order of the schema.
  std::vector<std::string> first, second;
  Convention convention = Convention::synthema;
  bool floor = false;  // also measure rows with their columns shuffled apart
};

class SYNTHEMA_EXPORT Linkability {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_holdout = true;
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::anonymeter};

  // ConfigError where one of the two column sets is empty, they overlap, or there are no neighbours.
  explicit Linkability(LinkabilityOptions options = {});
  std::string_view name() const { return "linkability"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  LinkabilityOptions options_;
};

}  // namespace synthema
