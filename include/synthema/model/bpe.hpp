// Byte pair encoding as decoders use it, in two kinds:
//   byte_bpe       GPT-2's: text is split into words, words into bytes, and pairs are merged by rank. decode
//                  gives back every byte of the text, valid UTF-8 or not, except bytes in missing_bytes(); a
//                  model that wants normalised text (Qwen) gets it and gives that back.
//   sentencepiece  spaces become U+2581, the whole text is one word of characters, and pairs are merged by
//                  score (GGUF) or by rank (tokenizer.json); what has no token falls back to byte tokens.
// Ids are those of the reference (Hugging Face tokenizers, SentencePiece). Text never becomes a control
// token, whatever it contains; user-defined tokens are ordinary text and are matched first, the longest at
// each place.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"
#include "synthema/model/tokenizer.hpp"

namespace synthema {

class SYNTHEMA_EXPORT BytePairTokenizer {
 public:
  // ModelError: an unknown kind or pre-tokenizer, merges of tokens that do not exist, duplicate tokens.
  static BytePairTokenizer from(const TokenizerData& data);

  // A text of its own, without begin or end ids.
  std::vector<TokenId> encode(std::string_view text) const;
  // Text that follows a control token of the same prompt; differs from encode only for models that put a
  // space before the first word of a prompt and nowhere else.
  std::vector<TokenId> encode_following(std::string_view text) const;
  std::string decode(std::span<const TokenId> ids) const;

  std::string_view token_bytes(TokenId id) const;  // ModelError if there is no such id
  std::size_t vocabulary_size() const;
  std::vector<TokenId> end_ids() const;
  std::optional<TokenId> begin_id() const;  // what the model expects before every prompt, if anything
  std::optional<TokenId> special(std::string_view name) const;
  // Bytes that no token can spell. As in the reference they are dropped (or become the unknown token, where
  // the file asks for that).
  const std::string& missing_bytes() const;

 private:
  struct Impl;
  explicit BytePairTokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

static_assert(Tokenizer<BytePairTokenizer>);

}  // namespace synthema
