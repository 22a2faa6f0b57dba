// Accuracy: 1 - total variation distance of one, two or three columns cut into few cells, averaged over the
// columns, pairs or triples (the definition of mostlyai-qa). Cells come from the real table:
//   numbers     at most ten values: each is a cell; otherwise cells between the quantiles of the first grid
//   of
//               10, 11, 12, ... points that has eleven different ones. Beyond the ends: the outer cells
//   categories  the ten most frequent, then "other"
//   missing     a cell of its own
// Ceiling: what as many fresh real rows as the synthetic ones are expected to score, because of sampling
// noise alone; a lucky score may exceed it. With a holdout: the distance of its rows, times what the real
// rows say of the difference in size. Without one: what two parts of the real rows score (exact, none is
// drawn), brought to that size as parts of a quarter, half and all of them approach each other. Floor (two
// and three columns): what as many rows as the synthetic ones are expected to score, drawn from the real
// columns as if they were independent of each other (Poisson counts). With a subject column both are of
// samples of subjects: all rows of one are in the same part, and stay together in each column.
//
// Where the convention "mostlyai" differs: the reference is the real table and the holdout together, bounds
// are floored to the fewest decimals that keep them apart, categories with fewer than five rows are "other",
// missing takes one of the ten places where it is frequent enough, every accuracy is rounded to five
// decimals, and the ceiling is mostlyai-qa's half-normal approximation, which is too high where cells are few
// rows each.
//
// Cost: rows x (columns + pairs + triples); one increment each. At most `triples` triples and a million
// pairs, drawn by the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

// overall: the mean of the three that exist.
enum class AccuracyOf : std::uint8_t { overall, columns, pairs, triples };

class SYNTHEMA_EXPORT Accuracy {
 public:
  static constexpr bool needs_reference = true;
  static constexpr Convention kConventions[] = {Convention::synthema, Convention::mostlyai};

  explicit Accuracy(AccuracyOf of = AccuracyOf::overall, Convention convention = Convention::synthema,
                    std::size_t triples = 10000);
  std::string_view name() const;
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  AccuracyOf of_;
  Convention convention_;
  std::size_t triples_;
};

}  // namespace synthema
