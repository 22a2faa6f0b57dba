// Whether texts can be spelt with the tokens of a vocabulary, and in how few of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <unordered_map>

#include "src/model/expressions.hpp"
#include "synthema/model/vocabulary_trie.hpp"

namespace synthema::detail {

class Spelling {
 public:
  static constexpr std::uint32_t kNever = Expressions::kUnbounded;  // no spelling, or none is known

  // Both must outlive it.
  Spelling(Expressions& pool, const VocabularyTrie& trie) : pool_(pool), trie_(trie) {}

  // Whether some text of the expression can be spelt. ConfigError: that cannot be found out.
  bool completable(Expression state);
  // Tokens of the shortest text (of several, the first in the order of bytes), split into as few as can be;
  // kNever: they do not spell it, or it is longer than 64 KiB.
  std::uint32_t fewest(Expression state);
  // The same, or where it is not known the bound below that the longest token of an answer gives.
  std::uint64_t need(Expression state);
  // The texts of this expression are parts of answers; all must be known before the first need().
  void add_part(Expression part) { bytes_ |= pool_.alphabet(part); }

 private:
  void targets(VocabularyTrie::Node node, Expression state, std::set<Expression>& out);
  bool search(Expression state);
  std::size_t longest_token();

  Expressions& pool_;
  const VocabularyTrie& trie_;
  Expressions::Bytes bytes_;       // that answers are made of
  std::size_t longest_token_ = 0;  // once it was asked for
  std::unordered_map<Expression, std::uint32_t> fewest_;
  std::unordered_map<Expression, bool> spelt_;  // results of search
};

}  // namespace synthema::detail
