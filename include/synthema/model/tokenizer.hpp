// Concept Tokenizer: text to token ids and back.
//
// Required of T (const calls from several threads):
//   1. t.encode(text) -> std::vector<TokenId>: plain text; text that looks like a special token stays text.
//   2. t.decode(ids) -> std::string: bytes of the ids joined; special tokens give nothing.
//   3. t.token_bytes(id) -> std::string_view: the bytes one id adds (may be half a character); empty for
//   special ids.
//   4. t.vocabulary_size(), t.end_ids(): ids that end a completion.
//   5. t.special(name) -> std::optional<TokenId>: the id of a control token by its exact text, for chat
//   templates.
// Not required: normalisation back to the very same text (SentencePiece adds spaces); decode(encode(x)) == x
// holds for byte-level tokenizers only.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synthema {

using TokenId = std::int32_t;

template <class T>
concept Tokenizer = requires(const T& t, std::string_view text, std::span<const TokenId> ids, TokenId id) {
  { t.encode(text) } -> std::same_as<std::vector<TokenId>>;
  { t.decode(ids) } -> std::convertible_to<std::string>;
  { t.token_bytes(id) } -> std::convertible_to<std::string_view>;
  { t.vocabulary_size() } -> std::convertible_to<std::size_t>;
  { t.end_ids() } -> std::convertible_to<std::vector<TokenId>>;
  { t.special(text) } -> std::convertible_to<std::optional<TokenId>>;
};

}  // namespace synthema
