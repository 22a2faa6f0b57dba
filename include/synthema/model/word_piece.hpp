// WordPiece as BERT uses it (Devlin et al. 2019): a text is cleaned, split into words and punctuation, and
// each word is cut into the longest pieces of the vocabulary from left to right; a word that cannot be cut is
// [UNK] as a whole. Ids are those of Hugging Face tokenizers. Text never becomes a special token, whatever it
// contains (the reference with encode_special_tokens = True). It only encodes: an encoder never writes, so
// this is not a model of the concept Tokenizer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/tokenizer.hpp"

namespace synthema {

class SYNTHEMA_EXPORT WordPieceTokenizer {
 public:
  // The text of a tokenizer.json; `path` is what errors call it. ModelError: anything but BertNormalizer,
  // BertPreTokenizer and WordPiece, or a vocabulary without the special tokens.
  static WordPieceTokenizer from_json(std::string_view json, const std::string& path);

  // Without the tokens before and after. Bytes that are not valid UTF-8 count as U+FFFD.
  std::vector<TokenId> encode(std::string_view text) const;
  TokenId begin_id() const;  // [CLS], what the model expects before a text
  TokenId end_id() const;    // [SEP], and after it
  std::size_t vocabulary_size() const;
  bool lowercases() const;

 private:
  struct Impl;
  explicit WordPieceTokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace synthema
