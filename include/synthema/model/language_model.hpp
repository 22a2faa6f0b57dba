// Concept LanguageModel: token ids in, logits out, for many sequences at once.
//
// Required of M (movable, used by one thread at a time):
//   1. m.open() -> Slot: a new empty sequence. m.fork(slot) -> Slot: a new sequence that starts as `slot`
//   stands now and
//      shares its memory where the implementation can. m.close(slot). m.length(slot): tokens held.
//   2. m.forward(std::span<const SlotStep>) -> std::vector<std::span<const float>>: appends each step's
//   tokens to its slot
//      and returns, for each step with wants_logits and in their order, the logits after its last token: of
//      the whole vocabulary, or of `allowed` (same order) where that is not empty. The spans live until the
//      next call. A slot occurs at most once a call. ModelError if a slot would grow beyond context_limit().
//   3. m.vocabulary_size(), m.context_limit().
// Determinism: the logits of a sequence depend on its tokens only, bit for bit; not on its neighbours, its
// slot, how its tokens were split over calls, or the number of threads. Not required: sampling, text, stop
// rules: the engine has those.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/model/tokenizer.hpp"

namespace synthema {

using Slot = std::int32_t;

struct SlotStep {
  Slot slot = 0;
  std::span<const TokenId> tokens;  // at least one
  bool wants_logits = false;
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

}  // namespace synthema
