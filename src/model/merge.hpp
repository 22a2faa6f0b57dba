// The merge loop that all kinds of byte pair encoding share: repeatedly join the best pair of neighbours. A
// heap makes it O(n log n) for any length of word.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "synthema/model/tokenizer.hpp"

namespace synthema::detail {

constexpr TokenId kNoToken = -1;

// A stretch of the text; a linked list by index, -1 at both ends. Size 0: merged into the one before.
struct Symbol {
  std::size_t begin = 0, size = 0;  // bytes
  TokenId id = kNoToken;
  std::int32_t previous = -1, next = -1;
};

struct Merge {
  double priority = 0;  // smaller is better; the leftmost of equals goes first
  TokenId id = kNoToken;
};

// Appends a symbol to the list.
inline void push_symbol(std::vector<Symbol>& symbols, std::size_t begin, std::size_t size, TokenId id) {
  const auto index = static_cast<std::int32_t>(symbols.size());
  if (index > 0) symbols.back().next = index;
  symbols.push_back({begin, size, id, index - 1, -1});
}

// find(left, right) -> std::optional<Merge>.
template <class Find>
void merge_symbols(std::vector<Symbol>& symbols, const Find& find) {
  struct Candidate {
    Merge merge;
    std::int32_t left;
    std::size_t left_size, right_size;  // as they were; a candidate whose parts have changed is stale
    bool operator<(const Candidate& other) const {
      return merge.priority != other.merge.priority ? merge.priority > other.merge.priority
                                                    : left > other.left;
    }
  };
  std::priority_queue<Candidate> queue;
  const auto at = [&](std::int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  const auto consider = [&](std::int32_t left) {
    if (left < 0 || at(left).next < 0) return;
    const Symbol &a = at(left), &b = at(a.next);
    if (const auto merge = find(a, b)) queue.push({*merge, left, a.size, b.size});
  };
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) consider(static_cast<std::int32_t>(i));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = at(best.left);
    if (left.size != best.left_size || left.next < 0 || at(left.next).size != best.right_size) continue;
    Symbol& right = at(left.next);
    left.size += right.size;
    left.id = best.merge.id;
    right.size = 0;
    left.next = right.next;
    if (left.next >= 0) at(left.next).previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
}

}  // namespace synthema::detail
