// n-grams of words as numbers, exactly: an n-gram's id is its node in a trie of words, so equal ids mean
// equal n-grams (there is no hash that could collide), and ids of different orders never meet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/core/hash_place.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

using NgramId = std::uint32_t;

class NgramTrie {
 public:
  static constexpr NgramId root = 0;  // of no n-gram: where there is none

  // Ids of the n-grams of `words` in order of position: max(0, words - order + 1) of them; order at least 1.
  std::vector<NgramId> intern(std::span<const WordId> words, std::size_t order) {
    std::vector<NgramId> out(words.size(), root);
    for (std::size_t k = 1; k <= order; ++k) lengthen(out, words, k);
    return out;
  }
  // From the ids of the n-grams of `order` - 1 by position to those of `order`; before order 1 they are
  // roots.
  void lengthen(std::vector<NgramId>& ids, std::span<const WordId> words, std::size_t order) {
    ids.resize(words.size() + 1 > order ? words.size() + 1 - order : 0);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = child(ids[i], words[i + order - 1]);
  }
  // The n-gram `node` and a word after it.
  NgramId child(NgramId node, WordId word) {
    if (2 * (count_ + 1) > places_.size()) grow();
    Place& place = places_[place_of(node, word)];
    if (place.id == root) place = {node, word, static_cast<NgramId>(++count_)};
    return place.id;
  }
  // The same if it was interned, else the root.
  NgramId find(NgramId node, WordId word) const {
    return places_.empty() ? root : places_[place_of(node, word)].id;
  }
  // One more than the largest id given so far.
  std::size_t size() const { return count_ + 1; }

 private:
  struct Place {
    NgramId node = root;
    WordId word = 0;
    NgramId id = root;  // root: free
  };

  // Where the pair lies or would lie: open addressing, places are a power of two.
  std::size_t place_of(NgramId node, WordId word) const {
    const std::uint64_t key = (std::uint64_t{node} << 32) | word;
    std::size_t at = hash_place(key, places_.size());
    while (places_[at].id != root && (places_[at].node != node || places_[at].word != word))
      at = (at + 1) & (places_.size() - 1);
    return at;
  }
  void grow() {
    std::vector<Place> before(std::max<std::size_t>(64, 2 * places_.size()));
    before.swap(places_);
    for (const Place& place : before)
      if (place.id != root) places_[place_of(place.node, place.word)] = place;
  }

  std::vector<Place> places_;
  std::size_t count_ = 0;
};

// The n-grams of one order in two texts, and their clipped matches: the sum over n-grams of the smaller
// count.
struct NgramOverlap {
  std::uint64_t in_a = 0, in_b = 0, matches = 0;
};

// By order from 1 to `orders`.
inline std::vector<NgramOverlap> ngram_overlaps(std::span<const WordId> a, std::span<const WordId> b,
                                                std::size_t orders) {
  NgramTrie trie;
  std::vector<NgramId> in_a(a.size(), NgramTrie::root), in_b(b.size(), NgramTrie::root);
  std::vector<std::uint32_t> left;  // by id: how often `a` has it beyond what was matched
  std::vector<NgramOverlap> out(orders);
  for (std::size_t order = 1; order <= orders; ++order) {
    NgramOverlap& of = out[order - 1];
    trie.lengthen(in_a, a, order);
    left.resize(trie.size());
    for (const NgramId id : in_a) ++left[id];
    in_b.resize(b.size() + 1 > order ? b.size() + 1 - order : 0);
    for (std::size_t i = 0; i < in_b.size(); ++i) {
      // What `a` does not have, it has no longer one of either.
      if (order > 1 && in_b[i] == NgramTrie::root) continue;
      in_b[i] = trie.find(in_b[i], b[i + order - 1]);
      if (in_b[i] == NgramTrie::root || left[in_b[i]] == 0) continue;
      --left[in_b[i]];
      ++of.matches;
    }
    of.in_a = in_a.size(), of.in_b = in_b.size();
  }
  return out;
}

}  // namespace synthema
