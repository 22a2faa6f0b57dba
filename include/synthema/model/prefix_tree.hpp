// A radix tree over the token ids of prompts: what prompts begin with in common is stored once and, where a
// model's memory is spent on it, computed once. Nodes are runs of tokens; a node that at least two prompts go
// through can get a slot with the keys and values of everything from the root to its end, and sequences begin
// as forks of it. Several levels share: instructions and exemplars, then a label's definition, then the
// record. What a model computes as a long sequence shares with its like only.
//
// All operations are linear in the length of the prompt. (SGLang's RadixAttention, Zheng et al. 2024, sec. 3,
// keeps such a tree over all sequences; here it holds prompts only.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "synthema/model/language_model.hpp"

namespace synthema::detail {

// Memory comes in blocks of 32 tokens: whole blocks may take this much more than the tokens themselves, and
// with the block that a fork copies twice as much.
inline constexpr std::size_t kBlockSlack = 32, kForkSlack = 2 * kBlockSlack;

struct PrefixNode {
  PrefixNode* parent = nullptr;
  std::vector<TokenId> run;
  std::size_t depth = 0;  // tokens from the root to its end
  std::map<TokenId, std::unique_ptr<PrefixNode>> children;
  std::size_t prompts = 0;  // held prompts that go through or end here
  bool is_long = false;     // of sequences beyond the model's short context

  // Only of nodes that are computed, or about to be:
  std::optional<Slot> slot;
  PrefixNode* base = nullptr;  // the computed node it grew from
  std::size_t computed = 0;    // tokens in the slot
  std::size_t users = 0;       // sequences that began here and nodes that grew from here
  std::uint64_t last_use = 0;
  bool kept = false;  // has a slot or will get one

  bool ready() const { return slot && computed == depth; }
  // Tokens of memory that it takes beside its base's.
  std::size_t cost() const { return depth - (base ? base->depth : 0); }
};

class PrefixTree {
 public:
  PrefixTree() : roots_{std::make_unique<PrefixNode>(), std::make_unique<PrefixNode>()} {
    roots_[1]->is_long = true;
  }

  // Holds a prompt: the node at whose end it ends. Until release() the node and its ancestors stay.
  PrefixNode* hold(std::span<const TokenId> tokens, bool is_long = false) {
    PrefixNode* node = roots_[is_long].get();
    for (;;) {
      ++node->prompts;
      if (tokens.empty()) return node;
      const auto child = node->children.find(tokens.front());
      if (child == node->children.end()) return add(*node, tokens);
      const auto common =
          static_cast<std::size_t>(std::ranges::mismatch(child->second->run, tokens).in2 - tokens.begin());
      if (common < child->second->run.size()) split(child->second, common);
      node = child->second.get();
      tokens = tokens.subspan(common);
    }
  }
  void release(PrefixNode* node) {
    while (node) {
      PrefixNode* parent = node->parent;
      --node->prompts;
      prune(node);
      node = parent;
    }
  }

  bool empty() const { return roots_[0]->children.empty() && roots_[1]->children.empty(); }

  static std::vector<TokenId> tokens(const PrefixNode* node) {
    std::vector<TokenId> out(node->depth);
    for (; node->parent; node = node->parent)
      std::ranges::copy(node->run, out.begin() + static_cast<std::ptrdiff_t>(node->parent->depth));
    return out;
  }
  // --- nodes with memory

  // What a prompt can begin with: the deepest kept node on its way, and below it the nodes that are worth
  // keeping, outermost first: at least two held prompts go through, and `least` tokens come on top of the one
  // before.
  struct Plan {
    PrefixNode* base = nullptr;
    std::vector<PrefixNode*> fresh;
  };
  static Plan plan(PrefixNode* leaf, std::size_t least) {
    std::vector<PrefixNode*> path;
    for (PrefixNode* node = leaf; node->parent; node = node->parent) path.push_back(node);
    Plan out;
    std::size_t depth = 0;
    for (auto it = path.rbegin(); it != path.rend(); ++it) {
      PrefixNode* node = *it;
      if (node->kept) {
        out = {node, {}};
        depth = node->depth;
      } else if (node->prompts >= 2 && node->depth >= depth + least) {
        out.fresh.push_back(node);
        depth = node->depth;
      }
    }
    return out;
  }
  void keep(PrefixNode* node, PrefixNode* base) {
    node->kept = true;
    node->base = base;
    node->computed = base ? base->depth : 0;
    if (base) ++base->users;
    kept_.push_back(node);
    touch(node);
  }
  void touch(PrefixNode* node) { node->last_use = ++clock_; }

  // The kept node not used for longest that nobody needs; null if there is none.
  PrefixNode* idle() const {
    PrefixNode* oldest = nullptr;
    for (PrefixNode* node : kept_)
      if (node->users == 0 && (!oldest || node->last_use < oldest->last_use)) oldest = node;
    return oldest;
  }
  // Takes the memory from an idle node; its slot must be closed by the caller.
  void drop(PrefixNode* node) {
    if (node->base) --node->base->users;
    node->kept = false;
    node->base = nullptr;
    node->slot.reset();
    node->computed = 0;
    std::erase(kept_, node);
    while (node) {
      PrefixNode* parent = node->parent;
      if (!prune(node)) break;
      node = parent;
    }
  }

 private:
  PrefixNode* add(PrefixNode& parent, std::span<const TokenId> tokens) {
    auto node = std::make_unique<PrefixNode>();
    node->parent = &parent;
    node->run.assign(tokens.begin(), tokens.end());
    node->depth = parent.depth + tokens.size();
    node->prompts = 1;
    node->is_long = parent.is_long;
    return (parent.children[tokens.front()] = std::move(node)).get();
  }
  // The first `length` tokens of `lower` become a node of their own above it.
  static void split(std::unique_ptr<PrefixNode>& lower, std::size_t length) {
    auto upper = std::make_unique<PrefixNode>();
    const auto border = lower->run.begin() + static_cast<std::ptrdiff_t>(length);
    upper->parent = lower->parent;
    upper->run.assign(lower->run.begin(), border);
    upper->depth = lower->parent->depth + length;
    upper->prompts = lower->prompts;
    upper->is_long = lower->is_long;
    lower->run.erase(lower->run.begin(), border);
    lower->parent = upper.get();
    upper->children[lower->run.front()] = std::move(lower);
    lower = std::move(upper);
  }
  // Removes a node that holds nothing; true if it did.
  static bool prune(PrefixNode* node) {
    if (node->prompts > 0 || node->kept || !node->children.empty() || !node->parent) return false;
    const TokenId first = node->run.front();
    node->parent->children.erase(first);
    return true;
  }

  std::unique_ptr<PrefixNode> roots_[2];  // of short and long sequences
  std::vector<PrefixNode*> kept_;         // in the order in which they were kept
  std::uint64_t clock_ = 0;
};

}  // namespace synthema::detail
