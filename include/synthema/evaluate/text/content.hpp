// What the texts are about, against real texts, labels and terms.
//   word_kl_synthetic_to_real   sum S ln(S / R) of word frequencies, in nats: high where S invents words
//   word_kl_real_to_synthetic   sum R ln(R / S): high where S misses words. 0.5 is added to the count of
//   every
//                               word that either has; both fall as texts grow, so compare with the ceiling
//   label_distribution          1 - total variation distance of the labels (or of the elements of a list of
//                               entities) of both tables
//   concept_coverage            share of the terms of the term list that a text says by name or synonym;
//   where
//                               real texts are given, of those that real texts say
//   tag_form                    share of texts with tags <a> ... </a> whose tags are closed in the order in
//                               which they were opened; <a/> closes itself. Brackets with anything else in
//                               them
//                               ("< 5") are no tags. Parts: by tag, how often it is opened
// Ceilings are the holdout's. Parts name no word, label or missed term that fewer than five people of the
// real rows have. Terms are found as whole words (words()), at the cost of one pass over the texts.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT WordDivergence {
 public:
  static constexpr bool needs_reference = true;

  explicit WordDivergence(bool of_real = false) : of_real_(of_real) {}
  std::string_view name() const {
    return of_real_ ? "word_kl_real_to_synthetic" : "word_kl_synthetic_to_real";
  }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, std::numeric_limits<double>::infinity()}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  bool of_real_;
};

class SYNTHEMA_EXPORT LabelDistribution {
 public:
  static constexpr bool needs_reference = true;

  std::string_view name() const { return "label_distribution"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

class SYNTHEMA_EXPORT ConceptCoverage {
 public:
  std::string_view name() const { return "concept_coverage"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

class SYNTHEMA_EXPORT TagForm {
 public:
  std::string_view name() const { return "tag_form"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
