#include <doctest/doctest.h>

#include "synthema/core/random.hpp"
#include "synthema/model/prefix_tree.hpp"

using namespace synthema;
using synthema::detail::PrefixNode;
using synthema::detail::PrefixTree;

namespace {

using Tokens = std::vector<TokenId>;

}  // namespace

TEST_CASE("prompts come back whole, whatever was inserted and released between") {
  PrefixTree tree;
  Random random(3);
  std::vector<std::pair<Tokens, PrefixNode*>> held;
  for (int round = 0; round < 3000; ++round) {
    if (!held.empty() && random.below(3) == 0) {
      const std::size_t i = random.below(held.size());
      tree.release(held[i].second);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      Tokens tokens(random.below(12));
      for (TokenId& id : tokens) id = static_cast<TokenId>(random.below(3));
      held.emplace_back(tokens, tree.hold(tokens));
    }
    for (std::size_t i = 0; i < held.size(); i += 7) {
      CHECK(PrefixTree::tokens(held[i].second) == held[i].first);
      CHECK(held[i].second->depth == held[i].first.size());
      CHECK(held[i].second->prompts >= 1);
    }
  }
  for (const auto& [tokens, node] : held) tree.release(node);
  CHECK(tree.empty());
}

TEST_CASE("a plan has the levels that two prompts share, and goes on from what is kept") {
  PrefixTree tree;
  const Tokens a{1, 2, 3, 4, 5, 6, 7}, b{1, 2, 3, 4, 5, 8}, c{1, 2, 9, 9};
  PrefixNode* leaf = tree.hold(a);
  CHECK(PrefixTree::plan(leaf, 2).fresh.empty());
  tree.hold(b);
  PrefixNode* last = tree.hold(c);
  leaf = tree.hold(a);
  PrefixTree::Plan plan = PrefixTree::plan(leaf, 2);
  REQUIRE(plan.fresh.size() == 3);  // {1, 2}, {1 .. 5} and all of a, which is held twice
  CHECK(plan.fresh[0]->depth == 2);
  CHECK(plan.fresh[1]->depth == 5);
  CHECK(plan.fresh[2] == leaf);
  CHECK(PrefixTree::plan(leaf, 3).fresh.front()->depth == 5);
  CHECK(PrefixTree::plan(last, 2).fresh.size() == 1);

  tree.keep(plan.fresh[0], nullptr);
  tree.keep(plan.fresh[1], plan.fresh[0]);
  CHECK(plan.fresh[1]->cost() == 3);
  CHECK(PrefixTree::plan(leaf, 2).base == plan.fresh[1]);
  CHECK(PrefixTree::plan(leaf, 2).fresh == std::vector<PrefixNode*>{leaf});
  CHECK(PrefixTree::plan(last, 2).base == plan.fresh[0]);

  CHECK(tree.idle() == plan.fresh[1]);  // the outer one is needed by it
  tree.drop(plan.fresh[1]);
  CHECK(tree.idle() == plan.fresh[0]);
  ++plan.fresh[0]->users;
  CHECK(tree.idle() == nullptr);
}

TEST_CASE("the least recently used goes first; a kept node outlives its prompts") {
  PrefixTree tree;
  PrefixNode* a = tree.hold(Tokens{1, 1});
  PrefixNode* b = tree.hold(Tokens{2, 2});
  tree.keep(a, nullptr);
  tree.keep(b, nullptr);
  tree.touch(a);
  CHECK(tree.idle() == b);
  tree.release(a);
  tree.release(b);
  PrefixNode* again = tree.hold(Tokens{1, 1, 5});
  CHECK(PrefixTree::plan(again, 1).base == a);
  tree.release(again);
  tree.drop(b);
  tree.drop(a);
  CHECK(tree.empty());
}
