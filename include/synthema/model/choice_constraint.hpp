// ChoiceConstraint: the answer is exactly one of some strings. Allowed are the tokens whose bytes continue at
// least one choice that can still be finished; a choice may be spelt by any of its tokenisations. Where one
// choice is the beginning of another, the constraint is complete although more can follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/token_constraint.hpp"
#include "synthema/model/tokenizer.hpp"

namespace synthema {

// The bytes of all tokens as a trie; made once per tokenizer and shared. Control tokens are not in it.
class SYNTHEMA_EXPORT VocabularyTrie {
 public:
  template <Tokenizer T>
  static std::shared_ptr<const VocabularyTrie> of(const T& tokenizer) {
    std::vector<std::string> bytes;
    for (std::size_t id = 0; id < tokenizer.vocabulary_size(); ++id)
      bytes.emplace_back(tokenizer.token_bytes(static_cast<TokenId>(id)));
    return std::make_shared<const VocabularyTrie>(std::move(bytes));
  }
  explicit VocabularyTrie(std::vector<std::string> bytes);  // by id; empty: not in the trie

  using Node = std::uint32_t;
  static constexpr Node kNone = 0;  // the root is nobody's child
  Node root() const { return 0; }
  Node child(Node node, char byte) const;            // kNone if there is none
  std::span<const TokenId> tokens(Node node) const;  // spelt exactly by the path to this node
  std::string_view token_bytes(TokenId id) const;    // empty if there is no such id
  std::size_t vocabulary_size() const { return bytes_.size(); }

 private:
  struct Entry {
    std::uint32_t first_child = 0, first_token = 0;  // up to those of the next entry
    std::uint8_t byte = 0;
  };
  std::vector<std::string> bytes_;
  std::vector<TokenId> order_;  // ids in the order of the nodes
  std::vector<Entry> entries_;  // level by level, so that children lie side by side; one more at the end
};

class SYNTHEMA_EXPORT ChoiceConstraint {
 public:
  // ConfigError: no choices, an empty choice, or one that the tokens cannot spell. Repeated choices count
  // once.
  ChoiceConstraint(std::shared_ptr<const VocabularyTrie> trie, std::vector<std::string> choices);

  void fill_mask(TokenMask& mask) const;  // ConfigError if the mask is smaller than the vocabulary
  bool accept(TokenId id);
  void rollback(std::size_t n);  // ConfigError if fewer were accepted
  bool is_complete() const;
  void reset();

  const std::string& text() const { return text_; }  // what has been accepted

 private:
  struct Choices {
    std::vector<std::string> sorted;
    // by choice and offset (0 to its size): can the choice be finished from there?
    std::vector<std::vector<bool>> finishable;
  };
  struct Range {
    std::size_t begin = 0, end = 0;  // of the sorted choices
  };
  Range starting_with(std::string_view text) const;
  bool can_finish(Range range, std::size_t offset) const;
  void walk(Range range, std::size_t offset, VocabularyTrie::Node node, TokenMask& mask) const;

  std::shared_ptr<const VocabularyTrie> trie_;
  std::shared_ptr<const Choices> choices_;
  std::string text_;
  std::vector<std::size_t> sizes_;  // of the text before each accepted token
};

static_assert(TokenConstraint<ChoiceConstraint>);

}  // namespace synthema
