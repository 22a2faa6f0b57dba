// What happens to the rare and to the few.
//   long_tail          Labels of a column in the order of their real frequency, cut into ten parts of a tenth
//   of
//                      all values each (a label lies where its middle does); of lists, their elements. Of
//                      each part the share of its real probability that synthetic rows have: sum min(p_R,
//                      p_S) / sum p_R. The value is that of the rarest part, mean over columns of categories,
//                      texts of codes (lists) that have labels there. Parts: all ten, and the share of labels
//                      seen
//   subgroup_fidelity  column_shapes within each subgroup, mean over subgroups. Subgroups are the labels,
//   with
//                      30 real rows or more, of the columns with the role sensitive; without one, of all
//                      category columns with at most 20 labels. Parts: by subgroup; the warning names the
//                      worst
// Small parts have much sampling noise: compare with the ceiling, a holdout of the same size, and not with 1.
// Cost: one pass; column_shapes of every subgroup.
#pragma once

#include <cstddef>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT LongTail {
 public:
  static constexpr bool needs_reference = true;

  std::string_view name() const { return "long_tail"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

class SYNTHEMA_EXPORT SubgroupFidelity {
 public:
  static constexpr bool needs_reference = true;
  static constexpr std::size_t kRows = 30, kLabels = 20;

  std::string_view name() const { return "subgroup_fidelity"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
