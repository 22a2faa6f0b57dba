// How varied the words are. All of these fall with the amount of text (Heaps' law), so compare only equal
// amounts; where real texts are given, the same number of them stands in the parts. Intervals: delete-one
// jackknife, since a bootstrap repeats rows and so lowers any count of different things.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

// distinct-n (Li et al. 2016): different n-grams / n-grams, over all texts together.
class SYNTHEMA_EXPORT DistinctN {
 public:
  explicit DistinctN(std::size_t order = 1);  // ConfigError unless 1 to 9
  std::string_view name() const { return name_; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::size_t order_;
  std::string name_;
};

// Mean over rows of different words / words of the row; depends on the length of a row, not on how many.
class SYNTHEMA_EXPORT TypeTokenRatio {
 public:
  std::string_view name() const { return "type_token_ratio"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

// Number of different words in all texts.
class SYNTHEMA_EXPORT VocabularySize {
 public:
  std::string_view name() const { return "vocabulary_size"; }
  Direction direction() const { return Direction::none; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
