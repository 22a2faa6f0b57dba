// ExactCopies: share of synthetic rows that equal a real row in every column both tables have (identifier and
// subject columns left out; missing equals missing). Ceiling: the same share of the holdout's rows, which
// copied nobody: where real rows repeat each other by nature, so may synthetic ones. Without a holdout, the
// share of real rows that equal a row of somebody else.
// Where the convention "sdmetrics" differs (NewRowSynthesis): the share of synthetic rows that equal none, so
// higher is better; numbers are equal within a hundredth of the synthetic one, so that near 0 hardly any are.
//
// RareValueReuse: share of synthetic rows with a value that only one training row has (only one subject,
// where the schema names one), by column and in any column: the leak that distances over all columns do not
// show, for a generator that hands on single values of a nearly unique column. Ceiling: the holdout's share,
// since some such values come up again by nature. Without a holdout: the share of real rows with a value that
// one other row (or subject) alone has.
//
// The floor of both: training rows with their columns shuffled apart, which hand on every rare value.
#pragma once

#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT ExactCopies {
 public:
  static constexpr bool needs_reference = true;

  static constexpr Convention kConventions[] = {Convention::synthema, Convention::sdmetrics};

  explicit ExactCopies(bool floor = true, Convention convention = Convention::synthema)
      : floor_(floor), convention_(require_convention(convention, kConventions, "exact_copies")) {}
  std::string_view name() const { return "exact_copies"; }
  Direction direction() const {
    return convention_ == Convention::sdmetrics ? Direction::higher : Direction::lower;
  }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool floor_;
  Convention convention_;
};

class SYNTHEMA_EXPORT RareValueReuse {
 public:
  static constexpr bool needs_reference = true;

  explicit RareValueReuse(bool floor = true) : floor_(floor) {}
  std::string_view name() const { return "rare_value_reuse"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool floor_;
};

}  // namespace synthema
