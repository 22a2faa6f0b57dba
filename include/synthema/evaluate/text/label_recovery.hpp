// LabelRecovery: can the label be found from the text? A TF-IDF retriever (1 + ln tf, smooth idf, cosine)
// over the names, synonyms and definitions of the context's term list is asked with each row's text; the
// score is how well it finds the row's own label. Acceptance checks must not use the same retriever (ours use
// BM25), else recovery would be high by construction. Floor: the exact expectation with the labels shuffled
// among the rows. Ceiling: each label's name alone as the text, which shows what this retriever can find at
// best.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT LabelRecovery {
 public:
  enum class Measure : std::uint8_t { top1, top10, mrr };  // mrr: mean of 1 / rank, 0 if not found

  explicit LabelRecovery(Measure measure = Measure::top1) : measure_(measure) {}
  std::string_view name() const;
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
};

}  // namespace synthema
