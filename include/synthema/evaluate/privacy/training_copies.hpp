// TrainingCopies: runs of words that synthetic texts share with a training text. A run of `words` words or
// more is a long copy, and so is a shorter text that is a training text word for word.
//
//   longest   words of the longest run that any synthetic text shares with a training text
//   texts     share of synthetic texts with a long copy
//   words     share of synthetic words that stand in a long copy
//
// Clinical texts repeat each other by nature (templates, headings). The ceiling is therefore what the
// holdout's texts share with the training texts; without a holdout, one half of the training texts with the
// other. Words are compared by 64-bit hashes of runs, in one pass for each length that is tried: time grows
// with the number of words and the logarithm of the longest run, memory with 8 bytes a training word. Two
// different runs have one hash with a probability below 1e-6 for ten million words a side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT TrainingCopies {
 public:
  static constexpr bool needs_reference = true;
  enum class Measure : std::uint8_t { longest, texts, words };

  explicit TrainingCopies(Measure measure, std::size_t words = 12);  // ConfigError unless positive
  std::string_view name() const;
  Direction direction() const { return Direction::lower; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
  std::size_t words_;
};

}  // namespace synthema
