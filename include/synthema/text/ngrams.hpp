// n-grams of words as numbers, exactly: an n-gram's id is its node in a trie of words, so equal ids mean
// equal n-grams (there is no hash that could collide), and ids of different orders never meet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "synthema/text/vocabulary.hpp"

namespace synthema {

using NgramId = std::uint32_t;
using NgramCounts = std::unordered_map<NgramId, std::uint32_t>;

class NgramTrie {
 public:
  // Ids of the n-grams of `words` in order of position: max(0, words - order + 1) of them; order at least 1.
  std::vector<NgramId> intern(std::span<const WordId> words, std::size_t order) {
    std::vector<NgramId> out;
    for (std::size_t begin = 0; begin + order <= words.size(); ++begin) {
      NgramId node = 0;
      for (std::size_t i = 0; i < order; ++i) node = child(node, words[begin + i]);
      out.push_back(node);
    }
    return out;
  }
  NgramCounts count(std::span<const WordId> words, std::size_t order) {
    NgramCounts out;
    for (const NgramId id : intern(words, order)) ++out[id];
    return out;
  }
  // One more than the largest id given so far.
  std::size_t size() const { return children_.size() + 1; }

 private:
  NgramId child(NgramId node, WordId word) {
    const std::uint64_t key = (std::uint64_t{node} << 32) | word;
    return children_.try_emplace(key, static_cast<NgramId>(children_.size() + 1)).first->second;
  }
  std::unordered_map<std::uint64_t, NgramId> children_;
};

// Sum over n-grams of the smaller of the two counts (clipped matches).
inline std::uint64_t overlap(const NgramCounts& a, const NgramCounts& b) {
  std::uint64_t sum = 0;
  for (const auto& [id, count] : a)
    if (const auto found = b.find(id); found != b.end()) sum += std::min(count, found->second);
  return sum;
}

inline std::uint64_t total(const NgramCounts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [id, count] : counts) sum += count;
  return sum;
}

}  // namespace synthema
