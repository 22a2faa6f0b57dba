// NearestNote: how like their most similar training text synthetic texts are. For each text the `candidates`
// best training texts by BM25 (text/bm25.hpp) are compared by ROUGE-L (F1 of words() without stemming:
// rouge-score's tokens leave out all but a to z and digits), and the largest counts.
//
//   likeness     mean of that ROUGE-L; ceiling: that of holdout texts
//   near_copies  share of synthetic texts that are nearer to a training text than 95 % of the holdout's are
//   share        share of synthetic texts that are nearer to a training than to a holdout text, ties halved,
//                equally many of each; 0.5 is no leak
//
// Part "BM25" of likeness: the mean score of the best training text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT NearestNote {
 public:
  static constexpr bool needs_reference = true;
  enum class Measure : std::uint8_t { likeness, near_copies, share };

  explicit NearestNote(Measure measure, std::size_t candidates = 10);  // ConfigError unless positive
  std::string_view name() const;
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
  std::size_t candidates_;
};

}  // namespace synthema
