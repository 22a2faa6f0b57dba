// Concept Evaluator: looks at real (or no) and synthetic tables and gives a Score.
//
// Required of E (const calls from several threads; pure):
//   1. e.name() converts to std::string_view: stable; the key in reports.
//   2. e.direction() -> Direction and e.range() -> Range.
//   3. e.evaluate(const Table* real, const Table& synthetic, const EvaluationContext&) -> Score. Inputs are
//   never changed.
//      What cannot be computed is a Score with `undefined` set, not an exception and never a bare NaN;
//      EvaluationError is for misuse (a column that does not exist).
// Refinements are opt-in flags that callers and reports read: `static constexpr bool needs_reference = true;`
// (real must not be null), needs_holdout, needs_target, needs_subject, needs_embedder. Not required: knowing
// where the tables came from. An evaluator never sees a generator or a model: embeddings and
// log-probabilities come in through the context.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/progress.hpp"
#include "synthema/data/table.hpp"
#include "synthema/evaluate/score.hpp"
#include "synthema/evaluate/shared_work.hpp"

namespace synthema {

// What evaluators may look at besides the two tables. Everything is optional.
struct EvaluationContext {
  std::shared_ptr<const Table> holdout = {};    // real rows that no generator saw
  std::shared_ptr<const Table> exemplars = {};  // what was shown in prompts
  std::shared_ptr<const Table> terms = {};      // term list: id, name, synonyms (list), definition
  std::string text_column = "text";             // the free text to judge
  std::string label_column = {};  // what the text should express; empty: from the schema's label role
  std::string target_column = {};
  // Of a target with more labels the rarest of the real rows are one class, so that there are as many; 0: all
  // labels are classes. Models of trees take as many trees a round as there are classes.
  std::size_t target_labels = 50;
  std::uint64_t seed = 0;        // of bootstrap and permutation draws
  std::size_t bootstrap = 1000;  // resamples for intervals
  std::size_t threads = 0;       // 0: all cores; never changes a value
  std::function<std::vector<std::vector<float>>(std::span<const std::string>)> embedder =
      {};                          // texts -> vectors
  std::string embedder_name = {};  // which encoder that is; enters scores
  std::function<std::vector<std::vector<double>>(std::span<const std::string>)> text_scorer =
      {};  // texts -> token log-probs
  CancelToken cancel = {};
  std::shared_ptr<SharedWork> shared = {};  // what evaluators of one run make once; may be null
};

template <class E>
concept Evaluator = std::movable<E> && requires(const E& e, const Table* real, const Table& synthetic,
                                                const EvaluationContext& context) {
  { e.name() } -> std::convertible_to<std::string_view>;
  { e.direction() } -> std::same_as<Direction>;
  { e.range() } -> std::same_as<Range>;
  { e.evaluate(real, synthetic, context) } -> std::same_as<Score>;
};

template <class E>
concept NeedsReference = Evaluator<E> && requires { requires E::needs_reference; };
template <class E>
concept NeedsHoldout = Evaluator<E> && requires { requires E::needs_holdout; };
template <class E>
concept NeedsTarget = Evaluator<E> && requires { requires E::needs_target; };
template <class E>
concept NeedsSubject = Evaluator<E> && requires { requires E::needs_subject; };
template <class E>
concept NeedsEmbedder = Evaluator<E> && requires { requires E::needs_embedder; };

}  // namespace synthema
