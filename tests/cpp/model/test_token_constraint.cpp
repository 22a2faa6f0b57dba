#include <doctest/doctest.h>

#include "synthema/model/answer_form.hpp"
#include "synthema/model/any_token_constraint.hpp"
#include "synthema/model/conformance.hpp"
#include "synthema/model/token_constraint.hpp"
#include "synthema/model/vocabulary_trie.hpp"

using namespace synthema;

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

namespace {

// Ids in descending order down to 0, one after the other.
struct Countdown {
  TokenId next = 3;
  void fill_mask(TokenMask& mask) const {
    mask.clear();
    if (next >= 0) mask.allow(next);
  }
  bool accept(TokenId id) {
    if (id != next) return false;
    --next;
    return true;
  }
  void rollback(std::size_t n) { next += static_cast<TokenId>(n); }
  bool is_complete() const { return next < 0; }
  void reset() { next = 3; }
};

}  // namespace

TEST_CASE("an erased constraint is a value, and lists the ids of one that does not") {
  AnyTokenConstraint constraint(Countdown(), 10);
  CHECK(constraint.allowed().size() == 1);
  CHECK(constraint.allowed()[0] == 3);
  CHECK(constraint.forced().empty());
  CHECK(constraint.failure().empty());
  AnyTokenConstraint copy = constraint;
  CHECK_FALSE(copy.accept(2));
  CHECK(copy.accept(3));
  CHECK(copy.accept(2));
  CHECK(constraint.allowed()[0] == 3);
  constraint = copy;
  CHECK(constraint.allowed()[0] == 1);
  constraint.rollback(1);
  CHECK(constraint.allowed()[0] == 2);
  copy.reset();
  CHECK(copy.allowed()[0] == 3);
  for (const TokenId id : {3, 2, 1, 0}) CHECK(copy.accept(id));
  CHECK(copy.is_complete());
  CHECK(copy.allowed().empty());
  TokenMask mask(10);
  copy.fill_mask(mask);
  CHECK(mask.count() == 0);
}

// --- conformance: what keeps the promises, and what breaks one each

namespace {

struct ForgetsRollback : Countdown {
  void rollback(std::size_t) {}
};
struct ForgetsReset : Countdown {
  void reset() {}
};
struct TakesAnything : Countdown {
  bool accept(TokenId) {
    --next;
    return true;
  }
};
struct RefusesItsOwn : Countdown {
  bool accept(TokenId) { return false; }
};
struct MovesWhenRefused : Countdown {
  bool accept(TokenId id) {
    const bool fits = id == next;
    --next;
    return fits;
  }
};
struct NeverComplete : Countdown {
  bool is_complete() const { return false; }
};
struct SharesItsState {
  std::shared_ptr<TokenId> next = std::make_shared<TokenId>(3);
  void fill_mask(TokenMask& mask) const {
    mask.clear();
    if (*next >= 0) mask.allow(*next);
  }
  bool accept(TokenId id) {
    if (id != *next) return false;
    --*next;
    return true;
  }
  void rollback(std::size_t n) { *next += static_cast<TokenId>(n); }
  bool is_complete() const { return *next < 0; }
  void reset() { *next = 3; }
};
struct ChangesItsMind : Countdown {
  mutable bool odd = false;
  void fill_mask(TokenMask& mask) const {
    mask.clear();
    if (next >= 0 && (odd = !odd)) mask.allow(next);
  }
};

template <class C>
bool breaks(const char* sentence) {
  for (const std::string& one : nonconformities(C(), 10))
    if (one.find(sentence) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("conformance accepts what keeps its promises") {
  CHECK(nonconformities(Countdown(), 10).empty());
  CHECK(nonconformities(AnyTokenConstraint(Countdown(), 10), 10).empty());
  std::vector<std::string> tokens{"", "a", "b", "ab", "{", "}", "\""};
  const auto trie = std::make_shared<const VocabularyTrie>(tokens);
  for (const char* pattern : {"(a|b)*ab", "a{2,5}b?", "\\{(a|ab)+\\}"})
    CHECK(nonconformities(FormConstraint(AnswerForm::pattern(pattern, {trie})), tokens.size()).empty());
}

TEST_CASE("conformance names the promise that is broken") {
  CHECK(breaks<ForgetsRollback>("rollback does not undo"));
  CHECK(breaks<ForgetsReset>("reset() does not lead back"));
  CHECK(breaks<TakesAnything>("takes a token that the mask does not allow"));
  CHECK(breaks<RefusesItsOwn>("refuses a token that the mask allows"));
  CHECK(breaks<MovesWhenRefused>("refused token changes"));
  CHECK(breaks<NeverComplete>("not complete"));
  CHECK(breaks<SharesItsState>("copy accepts changes the original"));
  CHECK(breaks<ChangesItsMind>("Two masks of one place differ"));
}
