// Texts that must not occur in an answer without a form, as masks: before each draw, the tokens that would
// complete one of them, whatever tokens they are split into and wherever they begin. Forms have bans of their
// own (answer_form.hpp), which see whether the answer can still be finished.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/sampler.hpp"
#include "synthema/model/tokenizer.hpp"

namespace synthema {

// Tokens by their bytes; made once per tokenizer and shared. Control tokens, which have none, are not in it.
class SYNTHEMA_EXPORT TokenIndex {
 public:
  template <Tokenizer T>
  static std::shared_ptr<const TokenIndex> of(const T& tokenizer) {
    std::vector<std::string> bytes;
    for (std::size_t id = 0; id < tokenizer.vocabulary_size(); ++id)
      bytes.emplace_back(tokenizer.token_bytes(static_cast<TokenId>(id)));
    return std::make_shared<const TokenIndex>(std::move(bytes));
  }
  explicit TokenIndex(std::vector<std::string> bytes);  // by id

  std::span<const TokenId> beginning_with(std::string_view text) const;
  std::vector<TokenId> containing(std::string_view text) const;
  std::vector<TokenId> spelling(std::string_view text) const;  // exactly

 private:
  std::vector<std::string> bytes_;
  std::vector<TokenId> order_;  // by bytes
};

class SYNTHEMA_EXPORT BannedTexts {
 public:
  // ConfigError if one of them is empty.
  BannedTexts(std::shared_ptr<const TokenIndex> index, std::vector<std::string> texts);

  // Adds a bias of -infinity for every token that completes a banned text when it follows `text`. An id may
  // occur more than once.
  void forbid(std::string_view text, std::vector<LogitBias>& biases) const;
  // Places in the list, from 1, of those that are complete when `bytes` follow `text`.
  std::set<std::size_t> completed_by(std::string_view text, std::string_view bytes) const;

 private:
  std::shared_ptr<const TokenIndex> index_;
  std::vector<std::string> texts_;
  std::vector<TokenId> always_;  // hold a whole banned text
};

// "banned texts 2, 5 and 3 more": by their places, because what is banned may be private. Empty: none.
SYNTHEMA_EXPORT std::string named_by_place(const std::set<std::size_t>& banned);

}  // namespace synthema
