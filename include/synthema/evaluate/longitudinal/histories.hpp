// HistoryFidelity: how alike the histories of synthetic and real subjects are, from the columns with the
// roles subject and time. A visit is all rows of a subject at one time.
//   visits_per_subject     1 - KS distance of the numbers of visits
//   visit_gaps             1 - KS distance of the times between consecutive visits
//   history_spans          1 - KS distance of the times from the first to the last visit
//   codes_per_visit        1 - KS distance of the numbers of codes of a visit (code_probabilities.hpp)
//   row_differences        numbers: 1 - KS distance of each subject's mean difference of consecutive values
//                          (InterRowMSAS of SDMetrics without its logarithm)
//   autocorrelation        numbers: 1 - |a_R - a_S| / 2, a the correlation of consecutive values, each less
//   its
//                          subject's mean (short histories lower it, in both tables alike)
//   between_subject_share  numbers: 1 - |i_R - i_S|, i the share of the variance that lies between subjects:
//                          intraclass correlation ICC(1) (Shrout and Fleiss 1979; groups of unequal size by
//                          their n0), cut at 0
// The last three are means over the columns of numbers but time, of subjects with two values or more. Values
// are consecutive by visit: the value of a visit of several rows is their mean. Variance is that of rows.
// What the real table has and the synthetic one lost (gaps, visits, a column's series) counts 0; where the
// values of synthetic subjects never differ, a_S and i_S are 0. Rows without a subject or a time are left
// out, with a warning. Ceiling: the holdout. Floor: the real table with its columns, subject and time among
// them, shuffled apart. Cost: one sort. Misleads: marginal distributions of histories say nothing of what
// follows what.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class HistoryMeasure : std::uint8_t {
  visits,
  gaps,
  spans,
  codes,
  differences,
  autocorrelation,
  between
};

class SYNTHEMA_EXPORT HistoryFidelity {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_subject = true;

  explicit HistoryFidelity(HistoryMeasure measure = HistoryMeasure::visits) : measure_(measure) {}
  std::string_view name() const;
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  HistoryMeasure measure_;
};

}  // namespace synthema
