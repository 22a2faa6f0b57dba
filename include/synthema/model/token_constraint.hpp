// Concept TokenConstraint: which ids may come next. The protocol is xgrammar's: fill mask, accept, roll back,
// complete, reset.
//
// Required of C (a copyable value: one per sequence):
//   1. c.fill_mask(mask): sets exactly the ids that may come next. Ends (end-of-text) are allowed by the
//   engine, not here.
//   2. c.accept(id) -> bool: moves on; false (and no change) if the id was not allowed.
//   3. c.rollback(n): undoes the last n accepted ids.
//   4. c.is_complete() -> bool: the text so far is a whole answer.
//   5. c.reset(): back to the beginning.
// Where nothing more can follow, fill_mask leaves the mask empty and is_complete is true. Equal calls give
// equal answers: no randomness, no clock. model/conformance.hpp tries all this.
//
// Not required, used where it is there: c.allowed() -> the mask as ascending ids; c.forced() -> ids that
// follow in any case and are fed without drawing; c.failure() -> a sentence that says why nothing is allowed;
// c.fits(n) -> false where the answer surely cannot be finished within n more tokens.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "synthema/model/tokenizer.hpp"

namespace synthema {

// A set of token ids as bits.
class TokenMask {
 public:
  explicit TokenMask(std::size_t vocabulary_size = 0)
      : words_((vocabulary_size + 63) / 64), size_(vocabulary_size) {}
  void clear() { words_.assign(words_.size(), 0); }
  void allow(TokenId id) { words_[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64); }
  bool allows(TokenId id) const { return (words_[static_cast<std::size_t>(id) / 64] >> (id % 64)) & 1; }
  std::size_t size() const { return size_; }
  std::size_t count() const {
    std::size_t n = 0;
    for (const std::uint64_t w : words_) n += static_cast<std::size_t>(std::popcount(w));
    return n;
  }
  // The allowed ids in ascending order.
  std::vector<TokenId> ids() const {
    std::vector<TokenId> out;
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1)
        out.push_back(static_cast<TokenId>(w * 64 + static_cast<std::size_t>(std::countr_zero(bits))));
    return out;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

template <class C>
concept TokenConstraint =
    std::copyable<C> && requires(C& c, const C& k, TokenMask& mask, TokenId id, std::size_t n) {
      k.fill_mask(mask);
      { c.accept(id) } -> std::same_as<bool>;
      c.rollback(n);
      { k.is_complete() } -> std::same_as<bool>;
      c.reset();
    };

}  // namespace synthema
