// Texts that say the same again. Texts are compared as words(): case, punctuation and space do not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

// 1 - different texts / texts.
class SYNTHEMA_EXPORT ExactDuplicates {
 public:
  std::string_view name() const { return "exact_duplicates"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

// Share of texts with at least one other text at a Jaccard similarity of their sets of word 3-grams of at
// least `threshold` (a text shorter than three words is one shingle). All pairs, exactly: candidates by
// prefix filtering (Bayardo, Ma and Srikant 2007), no sampling and no MinHash error. Texts without words are
// left out.
class SYNTHEMA_EXPORT NearDuplicates {
 public:
  explicit NearDuplicates(double threshold = 0.7);  // ConfigError unless in (0, 1]
  std::string_view name() const { return "near_duplicates"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  double threshold_;
};

}  // namespace synthema
