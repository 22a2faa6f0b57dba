// Can such rows exist?
//   schema_plausibility  share of synthetic rows that break nothing the schema states: ranges, allowed
//   labels,
//                        required values, lengths, and rules between fields (data/field_rule.hpp: an order of
//                        two dates, diagnoses that depend on the sex, nothing after death). The schema is
//                        that of the real table, without one the synthetic table's. Parts: each statement
//                        alone
//   implied_rules        the same of rules that nobody wrote down but every real row keeps, mean over rules
//   of
//                        the share of synthetic rows that keep each:
//                          a <= b        two columns of numbers whose ranges overlap, 100 real rows or more
//                          a decides b   each label of a goes with one value of b only; a has 3 labels or
//                                        more with 5 real rows each on average, b at least two values
//                        A rule may hold in few rows by chance: the holdout, as ceiling, shows how many do.
//                        At most `kMostPairs` pairs of columns are tried, in their order; the
//                        rules that are kept worst are shown.
// Rows that lack a value which a statement is about keep it. Cost: rows x (statements + pairs of columns).
// Misleads: rows that never occur may still be allowed; a schema without ranges allows everything.
#pragma once

#include <cstddef>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT SchemaPlausibility {
 public:
  std::string_view name() const { return "schema_plausibility"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

class SYNTHEMA_EXPORT ImpliedRules {
 public:
  static constexpr bool needs_reference = true;
  static constexpr std::size_t kMostPairs = 1'000'000, kShownRules = 100;

  std::string_view name() const { return "implied_rules"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
