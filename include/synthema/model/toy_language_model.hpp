// Models without weights, for tests of engines and strategies: logits are a pure function of the tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/language_model.hpp"

namespace synthema {

// Pseudo-random logits in [0, 8) drawn from the last `order` tokens. Counts what it was asked to do.
class ToyLanguageModel {
 public:
  ToyLanguageModel(std::size_t vocabulary, std::size_t context, std::uint64_t seed = 0, std::size_t order = 3)
      : vocabulary_(vocabulary), context_(context), order_(order), random_(seed) {}

  Slot open() {
    sequences_.emplace_back(std::vector<TokenId>{});
    return static_cast<Slot>(sequences_.size() - 1);
  }
  Slot fork(Slot slot) {
    sequences_.push_back(at(slot));
    return static_cast<Slot>(sequences_.size() - 1);
  }
  void close(Slot slot) {
    at(slot);
    sequences_[static_cast<std::size_t>(slot)].reset();
  }
  std::size_t length(Slot slot) const { return at(slot).size(); }

  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    logits_.clear();
    for (const SlotStep& step : steps) append(step);
    widest_ = std::max(widest_, steps.size());
    return {logits_.begin(), logits_.end()};
  }
  std::size_t vocabulary_size() const { return vocabulary_; }
  std::size_t context_limit() const { return context_; }

  std::size_t tokens_computed() const { return computed_; }
  std::size_t widest_batch() const { return widest_; }
  std::size_t open_slots() const {
    std::size_t n = 0;
    for (const auto& sequence : sequences_) n += sequence.has_value();
    return n;
  }

 private:
  const std::vector<TokenId>& at(Slot slot) const {
    if (slot < 0 || static_cast<std::size_t>(slot) >= sequences_.size() ||
        !sequences_[static_cast<std::size_t>(slot)])
      throw ModelError(message("Slot ", slot, " is not open; slots come from open() or fork()."));
    return *sequences_[static_cast<std::size_t>(slot)];
  }
  void append(const SlotStep& step) {
    at(step.slot);
    std::vector<TokenId>& tokens = *sequences_[static_cast<std::size_t>(step.slot)];
    if (tokens.size() + step.tokens.size() > context_)
      throw ModelError(message("A sequence would grow beyond the context of ", context_, " tokens."));
    const std::size_t silent = step.tokens.size() - std::min(step.wants_logits, step.tokens.size());
    for (std::size_t i = 0; i < step.tokens.size(); ++i) {
      tokens.push_back(step.tokens[i]);
      if (i >= silent) predict(tokens, step.allowed);
    }
    computed_ += step.tokens.size();
  }
  void predict(const std::vector<TokenId>& tokens, std::span<const TokenId> allowed) {
    Random stream = random_;
    for (std::size_t i = tokens.size() - std::min(order_, tokens.size()); i < tokens.size(); ++i)
      stream = stream.stream(static_cast<std::uint64_t>(tokens[i]));
    std::vector<float>& out = logits_.emplace_back();
    const auto logit = [&](std::size_t id) { return static_cast<float>(8 * stream.uniform_at(0, id)); };
    if (allowed.empty())
      for (std::size_t id = 0; id < vocabulary_; ++id) out.push_back(logit(id));
    for (const TokenId id : allowed) out.push_back(logit(static_cast<std::size_t>(id)));
  }

  std::size_t vocabulary_, context_, order_;
  Random random_;
  std::vector<std::optional<std::vector<TokenId>>> sequences_;
  std::vector<std::vector<float>> logits_;
  std::size_t computed_ = 0, widest_ = 0;
};

static_assert(LanguageModel<ToyLanguageModel>);

}  // namespace synthema
