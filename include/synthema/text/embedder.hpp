// Concept Embedder: texts -> one vector each.
//
// Required of E (const; pure: the same text gives the same vector whatever stands beside it):
//   1. e.name() converts to std::string_view: which model, with its version; it enters reports.
//   2. e.embed(std::span<const std::string>) -> std::vector<std::vector<float>>: one vector per text, all of
//      one length, finite.
// Not required: unit length (users normalise where they need it), knowing tables, batching (embed batches as
// it likes). To hand one to evaluators, pass its embed as EvaluationContext::embedder.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synthema {

template <class E>
concept Embedder = requires(const E& e, std::span<const std::string> texts) {
  { e.name() } -> std::convertible_to<std::string_view>;
  { e.embed(texts) } -> std::same_as<std::vector<std::vector<float>>>;
};

}  // namespace synthema
