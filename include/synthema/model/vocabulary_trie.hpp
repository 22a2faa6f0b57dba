// The bytes of all tokens of a vocabulary as a trie; made once per tokenizer and shared. Control tokens are
// not in it.
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
#include "synthema/model/tokenizer.hpp"

namespace synthema {

class SYNTHEMA_EXPORT VocabularyTrie {
 public:
  template <Tokenizer T>
  static std::shared_ptr<const VocabularyTrie> of(const T& tokenizer) {
    std::vector<std::string> bytes;
    for (std::size_t id = 0; id < tokenizer.vocabulary_size(); ++id)
      bytes.emplace_back(tokenizer.token_bytes(static_cast<TokenId>(id)));
    // What ends an answer stands for no text in it, also where the file keeps it as an ordinary token.
    for (const TokenId end : tokenizer.end_ids()) bytes.at(static_cast<std::size_t>(end)).clear();
    return std::make_shared<const VocabularyTrie>(std::move(bytes));
  }
  explicit VocabularyTrie(std::vector<std::string> bytes);  // by id; empty: not in the trie
  std::shared_ptr<const VocabularyTrie> without(std::span<const TokenId> ids) const;

  using Node = std::uint32_t;
  static constexpr Node kNone = 0;  // the root is nobody's child
  static constexpr Node root() { return 0; }
  Node child(Node node, char byte) const;  // kNone if there is none
  // The children of a node are the nodes from first_child(node) up to first_child(node + 1), by byte.
  Node first_child(Node node) const { return entries_[node].first_child; }
  std::uint8_t byte(Node node) const { return entries_[node].byte; }  // that leads to the node
  std::span<const TokenId> tokens(Node node) const;  // spelt exactly by the path to this node
  std::string_view token_bytes(TokenId id) const;    // empty if there is no such id
  std::size_t vocabulary_size() const { return bytes_.size(); }
  std::size_t longest_token() const { return longest_; }  // in bytes
  bool spells(std::uint8_t byte) const;                   // whether a token is this one byte

 private:
  struct Entry {
    std::uint32_t first_child = 0, first_token = 0;  // up to those of the next entry
    std::uint8_t byte = 0;
  };
  std::vector<std::string> bytes_;
  std::size_t longest_ = 0;
  std::vector<TokenId> order_;  // ids in the order of the nodes
  std::vector<Entry> entries_;  // level by level, so that children lie side by side; one more at the end
};

}  // namespace synthema
