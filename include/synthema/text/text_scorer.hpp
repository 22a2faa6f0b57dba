// Concept TextScorer: texts -> log-probabilities of their tokens under a language model.
//
// Required of S (const; pure):
//   1. s.name() converts to std::string_view: which model, with its version and whether a begin-of-text token
//      is put in front; both decide perplexity and enter reports.
//   2. s.score(std::span<const std::string>) -> std::vector<std::vector<double>>: natural logarithms, one per
//      token that was predicted, at most 0.
// Not required: generating, sharing a tokenizer with anything else. To hand one to evaluators, pass its score
// as EvaluationContext::text_scorer.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synthema {

template <class S>
concept TextScorer = requires(const S& s, std::span<const std::string> texts) {
  { s.name() } -> std::convertible_to<std::string_view>;
  { s.score(texts) } -> std::same_as<std::vector<std::vector<double>>>;
};

}  // namespace synthema
