// Concept LanguageModel: token ids in, logits out, for many sequences at once.
//
// Required of M (movable, used by one thread at a time):
//   1. m.open() -> Slot: a new empty sequence. m.fork(slot) -> Slot: a new sequence that starts as `slot`
//   stands now and
//      shares its memory where the implementation can. m.close(slot). m.length(slot): tokens held.
//   2. m.forward(std::span<const SlotStep>) -> std::vector<std::span<const float>>: appends each step's
//   tokens to its slot
//      and returns, step by step, the logits after each of its last `wants_logits` tokens: of the whole
//      vocabulary, or of `allowed` (same order) where that is not empty. The spans live until the next call.
//      A slot occurs at most once a call. ModelError if a slot would grow beyond context_limit().
//   3. m.vocabulary_size(), m.context_limit().
// Determinism: the logits of a sequence depend on its tokens only, bit for bit; not on its neighbours, its
// slot, how its tokens were split over calls, or the number of threads. Not required: sampling, text, stop
// rules: the engine has those.
// Optional: a model that computes sequences of more than m.short_context() tokens otherwise, from their first
// token on (longrope), has m.open_long() -> Slot for those; a slot from open() grows to short_context() only.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "synthema/model/tokenizer.hpp"

namespace synthema {

using Slot = std::int32_t;

struct SlotStep {
  Slot slot = 0;
  std::span<const TokenId> tokens;   // at least one
  std::size_t wants_logits = 0;      // after how many of the last tokens; 1 (or true): after the last
  std::span<const TokenId> allowed;  // empty: the whole vocabulary
};

template <class M>
concept LanguageModel =
    std::movable<M> && requires(M& m, const M& c, Slot slot, std::span<const SlotStep> steps) {
      { m.open() } -> std::same_as<Slot>;
      { m.fork(slot) } -> std::same_as<Slot>;
      m.close(slot);
      { c.length(slot) } -> std::convertible_to<std::size_t>;
      { m.forward(steps) } -> std::same_as<std::vector<std::span<const float>>>;
      { c.vocabulary_size() } -> std::convertible_to<std::size_t>;
      { c.context_limit() } -> std::convertible_to<std::size_t>;
    };

template <LanguageModel M>
std::size_t short_context(const M& model) {
  if constexpr (requires { model.short_context(); })
    return model.short_context();
  else
    return model.context_limit();
}
// A new sequence, of more tokens than that or not.
template <LanguageModel M>
Slot open_slot(M& model, bool is_long) {
  if constexpr (requires { model.open_long(); })
    if (is_long) return model.open_long();
  return model.open();
}

// What is done with each distribution as soon as it is there, so that never all of them are kept: `which`
// counts them in the order of forward()'s result. Called from several threads at once, `worker` (below
// m.workers()) telling them apart; the span lives until it returns. It must not throw.
using LogitsUse = std::function<void(std::size_t which, std::size_t worker, std::span<const float> logits)>;

// Refinement: a language model that hands its logits out as it goes.
template <class M>
concept StreamingLanguageModel =
    LanguageModel<M> && requires(M& m, const M& c, std::span<const SlotStep> steps, const LogitsUse& use) {
      { m.forward(steps, use) } -> std::same_as<void>;
      { c.workers() } -> std::convertible_to<std::size_t>;
    };

// The refinement's forward() for any language model.
template <LanguageModel M>
void forward_each(M& model, std::span<const SlotStep> steps, const LogitsUse& use) {
  if constexpr (StreamingLanguageModel<M>) {
    model.forward(steps, use);
  } else {
    const auto all = model.forward(steps);
    for (std::size_t which = 0; which < all.size(); ++which) use(which, 0, all[which]);
  }
}
template <LanguageModel M>
std::size_t worker_count(const M& model) {
  if constexpr (StreamingLanguageModel<M>)
    return model.workers();
  else
    return 1;
}

}  // namespace synthema
