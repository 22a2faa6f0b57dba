// Prompts that begin alike (a few-shot prefix) share its keys and values: it is computed once, kept in a slot
// of its own, and every sequence starts as a fork of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "synthema/model/language_model.hpp"

namespace synthema::detail {

struct SharedPrefix {
  std::vector<TokenId> tokens;
  Slot slot = 0;
  std::uint64_t last_use = 0;
};

using Prefix = std::shared_ptr<SharedPrefix>;  // held by the cache and by each sequence that began with it

inline std::size_t common_length(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

class PrefixCache {
 public:
  // The longest kept prefix of `prompt` that leaves at least its last token; null if there is none.
  Prefix find(std::span<const TokenId> prompt) {
    Prefix best;
    for (const Prefix& entry : entries_) {
      const std::size_t length = entry->tokens.size();
      if (length < prompt.size() && common_length(entry->tokens, prompt) == length &&
          (!best || length > best->tokens.size()))
        best = entry;
    }
    if (best) best->last_use = ++clock_;
    return best;
  }
  void add(Prefix entry) {
    entry->last_use = ++clock_;
    entries_.push_back(std::move(entry));
  }
  // Takes out the entry not used for longest that no sequence needs and that is not `kept`; null if there is
  // none.
  Prefix evict(const Prefix& kept = nullptr) {
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it)
      if (it->use_count() == 1 && *it != kept &&
          (oldest == entries_.end() || (*it)->last_use < (*oldest)->last_use))
        oldest = it;
    if (oldest == entries_.end()) return nullptr;
    Prefix out = std::move(*oldest);
    entries_.erase(oldest);
    return out;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::vector<Prefix> entries_;
  std::uint64_t clock_ = 0;
};

// How long a prefix is worth sharing, given how many tokens the prompt has in common with each of the others:
// the length that saves most beyond `have`, or `have` if none is longer by `least`.
inline std::size_t worthwhile_prefix(std::vector<std::size_t> common, std::size_t have, std::size_t least) {
  std::ranges::sort(common, std::greater<>());
  std::size_t best = have, saved = 0;
  for (std::size_t i = 0; i < common.size() && common[i] >= have + least; ++i)
    if ((common[i] - have) * (i + 1) > saved) {
      saved = (common[i] - have) * (i + 1);
      best = common[i];
    }
  return best;
}

}  // namespace synthema::detail
