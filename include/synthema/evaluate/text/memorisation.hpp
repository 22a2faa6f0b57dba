// Memorisation: what a text copies from what was shown in the prompt, the exemplars (the text column of
// context.exemplars, or all its text columns if it has none of that name) and the definitions of the labels
// that occur (context.terms; all definitions if the table has no labels).
//   exemplar_overlap_5    share of a text's word 5-grams that occur in a source, over all texts
//   longest_copied_run    mean over texts of the longest run of words that a source has too; part: maximum
//   long_copy_share       share of texts with such a run of at least 8 words
// Ceiling, if there is a holdout with texts: the same of the holdout, which nobody copied from the prompts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT Memorisation {
 public:
  enum class Measure : std::uint8_t { overlap, longest_run, long_copies };

  explicit Memorisation(Measure measure = Measure::overlap) : measure_(measure) {}
  std::string_view name() const;
  Direction direction() const { return Direction::lower; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
};

}  // namespace synthema
