#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/choice_constraint.hpp"

using namespace synthema;

namespace {

std::shared_ptr<const VocabularyTrie> trie_of(std::vector<std::string> tokens) {
  return std::make_shared<const VocabularyTrie>(std::move(tokens));
}

std::vector<TokenId> allowed(const ChoiceConstraint& constraint, std::size_t vocabulary) {
  TokenMask mask(vocabulary);
  mask.allow(0);  // must be cleared
  constraint.fill_mask(mask);
  return mask.ids();
}

bool spells(const std::vector<std::string>& tokens, std::string_view rest) {
  return rest.empty() || std::ranges::any_of(tokens, [&](const std::string& token) {
           return !token.empty() && rest.starts_with(token) && spells(tokens, rest.substr(token.size()));
         });
}

// The definition, by brute force.
std::vector<TokenId> expected(const std::vector<std::string>& tokens, const std::vector<std::string>& choices,
                              const std::string& text) {
  std::vector<TokenId> out;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string next = text + tokens[id];
    const bool fits = !tokens[id].empty() && std::ranges::any_of(choices, [&](const std::string& choice) {
      return choice.starts_with(next) && spells(tokens, std::string_view(choice).substr(next.size()));
    });
    if (fits) out.push_back(static_cast<TokenId>(id));
  }
  return out;
}

}  // namespace

TEST_CASE("any tokenisation of a choice is allowed, and nothing else") {
  const std::vector<std::string> tokens{"", "y", "e", "s", "ye", "yes", "n", "o", "no", "yesno", "es"};
  ChoiceConstraint constraint(trie_of(tokens), {"yes", "no"});
  CHECK(allowed(constraint, tokens.size()) == std::vector<TokenId>{1, 4, 5, 6, 8});
  CHECK_FALSE(constraint.accept(9));
  CHECK_FALSE(constraint.accept(0));
  CHECK_FALSE(constraint.accept(-1));
  CHECK_FALSE(constraint.accept(99));
  REQUIRE(constraint.accept(1));
  CHECK(allowed(constraint, tokens.size()) == std::vector<TokenId>{2, 10});
  CHECK_FALSE(constraint.is_complete());
  REQUIRE(constraint.accept(10));
  CHECK(constraint.is_complete());
  CHECK(allowed(constraint, tokens.size()).empty());
  constraint.rollback(2);
  CHECK(allowed(constraint, tokens.size()).size() == 5);
  CHECK(constraint.accept(8));
  CHECK(constraint.is_complete());
  constraint.reset();
  CHECK(constraint.text().empty());
  CHECK_THROWS_AS(constraint.rollback(1), ConfigError);
}

TEST_CASE("a choice that begins another is complete while more can follow") {
  const std::vector<std::string> tokens{"a", "b", "ab"};
  ChoiceConstraint constraint(trie_of(tokens), {"ab", "a", "ab"});
  REQUIRE(constraint.accept(0));
  CHECK(constraint.is_complete());
  CHECK(allowed(constraint, 3) == std::vector<TokenId>{1});
}

TEST_CASE("a token that leads nowhere is not allowed") {
  const std::vector<std::string> tokens{"a", "ab", "bc"};  // after "ab" nothing spells "c"
  const ChoiceConstraint constraint(trie_of(tokens), {"abc"});
  CHECK(allowed(constraint, 3) == std::vector<TokenId>{0});
  ChoiceConstraint copy = constraint;
  CHECK_FALSE(copy.accept(1));
}

TEST_CASE("what cannot be a choice is refused") {
  const auto trie = trie_of({"a", "b"});
  CHECK_THROWS_AS(ChoiceConstraint(trie, {}), ConfigError);
  CHECK_THROWS_AS(ChoiceConstraint(trie, {"a", ""}), ConfigError);
  CHECK_THROWS_AS(ChoiceConstraint(trie, {"ac"}), ConfigError);
  TokenMask small(1);
  CHECK_THROWS_AS(ChoiceConstraint(trie, {"a"}).fill_mask(small), ConfigError);
}

TEST_CASE("random vocabularies and choices follow the definition") {
  Random random(11);
  const auto word = [&](std::uint64_t longest) {
    std::string out;
    for (std::uint64_t n = 1 + random.below(longest); n > 0; --n)
      out += static_cast<char>('\xFE' + random.below(3));
    return out;
  };
  int walked = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> tokens{""}, choices;
    for (int i = 0; i < 8; ++i) tokens.push_back(word(4));
    for (int i = 0; i < 6; ++i)
      if (std::string choice = word(8); spells(tokens, choice)) choices.push_back(choice);
    if (choices.empty()) continue;
    ChoiceConstraint constraint(trie_of(tokens), choices);
    for (;;) {
      const std::vector<TokenId> ids = allowed(constraint, tokens.size());
      REQUIRE(ids == expected(tokens, choices, constraint.text()));
      for (TokenId id = 0; id < static_cast<TokenId>(tokens.size()); ++id) {
        ChoiceConstraint copy = constraint;
        CHECK(copy.accept(id) == std::ranges::binary_search(ids, id));
      }
      CHECK(constraint.is_complete() == (std::ranges::find(choices, constraint.text()) != choices.end()));
      if (ids.empty()) break;
      REQUIRE(constraint.accept(ids[random.below(ids.size())]));
      ++walked;
    }
    CHECK(constraint.is_complete());
  }
  CHECK(walked > 300);
}

namespace {

// The least type accepted, and types that lack one thing each.
struct LeastConstraint {
  void fill_mask(TokenMask&) const {}
  bool accept(TokenId) { return false; }
  void rollback(std::size_t) {}
  bool is_complete() const { return true; }
  void reset() {}
};
static_assert(TokenConstraint<LeastConstraint>);

struct NoRollback {
  void fill_mask(TokenMask&) const {}
  bool accept(TokenId) { return false; }
  bool is_complete() const { return true; }
  void reset() {}
};
static_assert(!TokenConstraint<NoRollback>);

struct AcceptTellsNothing : LeastConstraint {
  void accept(TokenId) {}
};
static_assert(!TokenConstraint<AcceptTellsNothing>);

struct CannotBeCopied : LeastConstraint {
  CannotBeCopied(const CannotBeCopied&) = delete;
};
static_assert(!TokenConstraint<CannotBeCopied>);

struct FillsOnlyMutable : LeastConstraint {
  void fill_mask(TokenMask&) {}
};
static_assert(!TokenConstraint<FillsOnlyMutable>);

struct LeastTokenizer {
  std::vector<TokenId> encode(std::string_view) const { return {}; }
  std::string decode(std::span<const TokenId>) const { return {}; }
  std::string token_bytes(TokenId) const { return "a"; }
  std::size_t vocabulary_size() const { return 1; }
  std::vector<TokenId> end_ids() const { return {}; }
  std::optional<TokenId> special(std::string_view) const { return std::nullopt; }
};
static_assert(Tokenizer<LeastTokenizer>);

struct NoBytes {
  std::vector<TokenId> encode(std::string_view) const { return {}; }
  std::string decode(std::span<const TokenId>) const { return {}; }
  std::size_t vocabulary_size() const { return 1; }
  std::vector<TokenId> end_ids() const { return {}; }
  std::optional<TokenId> special(std::string_view) const { return std::nullopt; }
};
static_assert(!Tokenizer<NoBytes>);

}  // namespace

TEST_CASE("the least tokenizer has a trie") {
  CHECK(VocabularyTrie::of(LeastTokenizer())->vocabulary_size() == 1);
}
