#include "synthema/model/bpe.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include "src/model/merge.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/model/pre_tokenizer.hpp"
#include "synthema/text/nfc.hpp"

namespace synthema {

using detail::kNoToken;
using detail::Merge;
using detail::Symbol;

namespace {

enum TokenKind : std::uint8_t { normal = 1, unknown, control, user_defined, unused, byte };

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, SentencePiece's visible space

// GPT-2 spells each byte by a printable character: itself where it is one, else U+0100 and up in order.
struct ByteSpelling {
  std::array<char32_t, 256> character{};
  std::unordered_map<char32_t, std::uint8_t> byte;
  ByteSpelling() {
    char32_t next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      character[b] = printable ? b : next++;
      byte.emplace(character[b], static_cast<std::uint8_t>(b));
    }
  }
};

const ByteSpelling& spelling() {
  static const ByteSpelling table;
  return table;
}

// The bytes that a token in GPT-2's spelling stands for; a token with any other character stands for itself.
std::string spelled_bytes(std::string_view token) {
  std::string out;
  for (std::size_t at = 0; at < token.size();) {
    const CodePoint point = decode_utf8(token, at);
    const auto hit = point.length > 0 ? spelling().byte.find(point.value) : spelling().byte.end();
    if (hit == spelling().byte.end()) return std::string(token);
    out.push_back(static_cast<char>(hit->second));
    at += point.length;
  }
  return out;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t hit; (hit = text.find(from, at)) != std::string_view::npos; at = hit + from.size())
    out.append(text.substr(at, hit - at)).append(to);
  return out.append(text.substr(at));
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : -1;
}

// "<0x0A>" -> 10; nothing if the token has no such form.
std::optional<std::uint8_t> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const int high = hex_digit(token[3]), low = hex_digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

std::uint64_t pair_key(TokenId left, TokenId right) {
  return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
}

}  // namespace

struct BytePairTokenizer::Impl {
  TokenizerData data;
  bool sentencepiece = false;
  PreTokenizer words = PreTokenizer::named("gpt2");
  std::vector<std::string> bytes;                          // by id
  std::unordered_map<std::string_view, TokenId> by_name;   // in the file's spelling
  std::unordered_map<std::string_view, TokenId> by_bytes;  // byte_bpe, normal tokens: for whole words
  std::unordered_map<std::uint64_t, Merge> merges;         // by pair of ids
  std::array<TokenId, 256> byte_token{};                   // the token of one byte
  std::array<std::vector<TokenId>, 256> user_tokens;       // by first byte, longest first
  std::string missing;

  void index_tokens();
  void index_bytes();
  void index_merges();
  void index_user_tokens();
  std::string bytes_of(std::size_t id) const;
  TokenId named(std::string_view name) const {
    const auto hit = by_name.find(name);
    return hit == by_name.end() ? kNoToken : hit->second;
  }
  // A token that text may become.
  TokenId piece(std::string_view name) const {
    const TokenId id = named(name);
    return id != kNoToken && (kind(id) == normal || kind(id) == user_defined) ? id : kNoToken;
  }
  TokenKind kind(TokenId id) const {
    return static_cast<TokenKind>(data.types[static_cast<std::size_t>(id)]);
  }

  std::vector<TokenId> encode(std::string_view text, bool first) const;
  TokenId user_token_at(std::string_view text, std::size_t at) const;
  void encode_words(std::string_view text, std::vector<TokenId>& out) const;
  void encode_pieces(std::string_view text, bool prefix, std::vector<TokenId>& out) const;
  std::vector<Symbol> piece_symbols(std::string_view text) const;
  void put_unknown(std::string_view text, std::vector<TokenId>& out) const;
  TokenId byte_or_unknown(char c) const {
    const TokenId id = byte_token[static_cast<unsigned char>(c)];
    return id == kNoToken && data.emit_unknown ? *data.unknown : id;
  }
  bool has_bytes(std::string_view text) const {
    return std::ranges::all_of(text,
                               [&](char c) { return byte_token[static_cast<unsigned char>(c)] != kNoToken; });
  }
};

std::string BytePairTokenizer::Impl::bytes_of(std::size_t id) const {
  const std::string& token = data.tokens[id];
  switch (kind(static_cast<TokenId>(id))) {
    case unknown:
    case control:
    case unused:
      return {};
    case byte:
      if (const auto b = byte_of(token)) return std::string(1, static_cast<char>(*b));
      throw ModelError(message("Token ", id, " is marked as a byte, but it is not written like <0x0A>."));
    case user_defined:
      return sentencepiece ? replace_all(token, kSpace, " ") : token;
    case normal:
      break;
  }
  return sentencepiece ? replace_all(token, kSpace, " ") : spelled_bytes(token);
}

void BytePairTokenizer::Impl::index_tokens() {
  by_name.reserve(data.tokens.size());
  bytes.reserve(data.tokens.size());
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (!by_name.emplace(data.tokens[id], static_cast<TokenId>(id)).second)
      throw ModelError(
          message("The tokens ", named(data.tokens[id]), " and ", id, " of the model are the same."));
    bytes.push_back(bytes_of(id));
  }
  if (data.whole_words)
    for (std::size_t id = 0; id < bytes.size(); ++id)
      if (data.types[id] == normal) by_bytes.emplace(bytes[id], static_cast<TokenId>(id));
}

void BytePairTokenizer::Impl::index_bytes() {
  byte_token.fill(kNoToken);
  for (unsigned b = 0; b < 256; ++b) {
    std::string name;
    append_utf8(name, spelling().character[b]);
    if (!sentencepiece) byte_token[b] = piece(name);
  }
  for (std::size_t id = 0; id < bytes.size() && sentencepiece; ++id)
    if (data.types[id] == byte)
      byte_token[static_cast<unsigned char>(bytes[id][0])] = static_cast<TokenId>(id);
  for (unsigned b = 0; b < 256; ++b)
    if (byte_token[b] == kNoToken) missing.push_back(static_cast<char>(b));
}

void BytePairTokenizer::Impl::index_merges() {
  merges.reserve(data.merges.size());
  for (std::size_t rank = 0; rank < data.merges.size(); ++rank) {
    const std::string_view line = data.merges[rank];
    const std::size_t space = line.find(' ', 1);
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
      throw ModelError(
          message("Merge ", rank, " of the tokenizer is not two tokens with a space between them."));
    const std::string_view left = line.substr(0, space), right = line.substr(space + 1);
    const TokenId a = named(left), b = named(right), both = named(std::string(left).append(right));
    if (a == kNoToken || b == kNoToken || both == kNoToken)
      throw ModelError(
          message("Merge ", rank, " of the tokenizer needs a token that the vocabulary does not have."));
    merges.try_emplace(pair_key(a, b), Merge{static_cast<double>(rank), both});
  }
}

void BytePairTokenizer::Impl::index_user_tokens() {
  for (std::size_t id = 0; id < bytes.size(); ++id)
    if (data.types[id] == user_defined && !data.tokens[id].empty())
      user_tokens[static_cast<unsigned char>(data.tokens[id][0])].push_back(static_cast<TokenId>(id));
  const auto length = [&](TokenId id) { return data.tokens[static_cast<std::size_t>(id)].size(); };
  for (auto& bucket : user_tokens) std::ranges::stable_sort(bucket, std::greater<>{}, length);
}

TokenId BytePairTokenizer::Impl::user_token_at(std::string_view text, std::size_t at) const {
  for (const TokenId id : user_tokens[static_cast<unsigned char>(text[at])])
    if (text.substr(at).starts_with(data.tokens[static_cast<std::size_t>(id)])) return id;
  return kNoToken;
}

std::vector<TokenId> BytePairTokenizer::Impl::encode(std::string_view text, bool first) const {
  std::vector<TokenId> out;
  std::size_t begin = 0;  // of the plain stretch that is being collected
  const auto flush = [&](std::size_t end) {
    if (end == begin) return;
    const std::string_view plain = text.substr(begin, end - begin);
    const bool spaced = plain.starts_with(' ') || plain.starts_with(kSpace);
    const bool prefix = data.add_space_prefix && (!data.prefix_first_only || (first && begin == 0)) &&
                        (!data.prefix_if_absent || !spaced);
    if (sentencepiece)
      encode_pieces(plain, prefix, out);
    else
      encode_words(data.nfc ? nfc(plain) : std::string(plain), out);
  };
  for (std::size_t at = 0; at < text.size();) {
    const TokenId id = user_token_at(text, at);
    if (id == kNoToken) {
      ++at;
      continue;
    }
    flush(at);
    out.push_back(id);
    begin = at += data.tokens[static_cast<std::size_t>(id)].size();
  }
  flush(text.size());
  return out;
}

void BytePairTokenizer::Impl::encode_words(std::string_view text, std::vector<TokenId>& out) const {
  std::vector<Symbol> symbols;
  const auto find = [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const auto hit = merges.find(pair_key(left.id, right.id));
    return hit == merges.end() ? std::nullopt : std::optional(hit->second);
  };
  for (const std::string_view word : words.split(text)) {
    if (const auto whole = by_bytes.find(word); whole != by_bytes.end()) {
      out.push_back(whole->second);
      continue;
    }
    symbols.clear();
    for (std::size_t i = 0; i < word.size(); ++i)
      if (const TokenId id = byte_or_unknown(word[i]); id != kNoToken) detail::push_symbol(symbols, i, 1, id);
    detail::merge_symbols(symbols, find);
    for (const Symbol& symbol : symbols)
      if (symbol.size > 0) out.push_back(symbol.id);
  }
}

// One symbol per character. With merges by rank, the bytes of a character without a token are symbols at once
// (as in Hugging Face tokenizers); with scores they stay unknown until nothing can be merged (SentencePiece).
std::vector<Symbol> BytePairTokenizer::Impl::piece_symbols(std::string_view text) const {
  std::vector<Symbol> symbols;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = std::max<std::size_t>(1, decode_utf8(text, at).length);
    const std::string_view one = text.substr(at, size);
    const TokenId id = piece(one);
    if (id == kNoToken && data.scores.empty() && has_bytes(one))
      for (std::size_t i = 0; i < size; ++i)
        detail::push_symbol(symbols, at + i, 1, byte_token[static_cast<unsigned char>(text[at + i])]);
    else
      detail::push_symbol(symbols, at, size, id);
    at += size;
  }
  return symbols;
}

void BytePairTokenizer::Impl::put_unknown(std::string_view text, std::vector<TokenId>& out) const {
  if (has_bytes(text)) {
    for (const char c : text) out.push_back(byte_token[static_cast<unsigned char>(c)]);
    return;
  }
  if (!data.unknown) throw ModelError("The text has a character for which this tokenizer has no token.");
  if (!data.fuse_unknown || out.empty() || out.back() != *data.unknown) out.push_back(*data.unknown);
}

void BytePairTokenizer::Impl::encode_pieces(std::string_view raw, bool prefix,
                                            std::vector<TokenId>& out) const {
  const std::string text = (prefix ? std::string(kSpace) : std::string()) + replace_all(raw, " ", kSpace);
  std::vector<Symbol> symbols = piece_symbols(text);
  const auto by_rank = [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const auto hit = merges.find(pair_key(left.id, right.id));
    return hit == merges.end() ? std::nullopt : std::optional(hit->second);
  };
  const auto by_score = [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
    const TokenId id = piece(std::string_view(text).substr(left.begin, left.size + right.size));
    if (id == kNoToken) return std::nullopt;
    return Merge{-static_cast<double>(data.scores[static_cast<std::size_t>(id)]), id};
  };
  data.scores.empty() ? detail::merge_symbols(symbols, by_rank) : detail::merge_symbols(symbols, by_score);
  for (const Symbol& symbol : symbols) {
    if (symbol.size == 0) continue;
    if (symbol.id != kNoToken)
      out.push_back(symbol.id);
    else
      put_unknown(std::string_view(text).substr(symbol.begin, symbol.size), out);
  }
}

BytePairTokenizer BytePairTokenizer::from(const TokenizerData& data) {
  auto impl = std::make_shared<Impl>();
  impl->data = data;
  impl->sentencepiece = data.kind == "sentencepiece";
  if (!impl->sentencepiece && data.kind != "byte_bpe")
    throw ModelError(
        message("There is no tokenizer kind '", data.kind, "'; there are byte_bpe and sentencepiece."));
  if (data.types.size() != data.tokens.size() ||
      (!data.scores.empty() && data.scores.size() != data.tokens.size()))
    throw ModelError(message("The tokenizer has ", data.tokens.size(), " tokens, ", data.types.size(),
                             " types and ", data.scores.size(), " scores."));
  if (data.emit_unknown && !data.unknown)
    throw ModelError("The tokenizer is to emit an unknown token but has none.");
  if (!impl->sentencepiece) impl->words = PreTokenizer::named(data.pre_tokenizer);
  impl->index_tokens();
  impl->index_bytes();
  impl->index_merges();
  impl->index_user_tokens();
  return BytePairTokenizer(std::move(impl));
}

std::vector<TokenId> BytePairTokenizer::encode(std::string_view text) const {
  return impl_->encode(text, true);
}
std::vector<TokenId> BytePairTokenizer::encode_following(std::string_view text) const {
  return impl_->encode(text, false);
}

std::string BytePairTokenizer::decode(std::span<const TokenId> ids) const {
  std::string out;
  for (const TokenId id : ids) out += token_bytes(id);
  if (impl_->data.add_space_prefix && out.starts_with(' ')) out.erase(0, 1);
  return out;
}

std::string_view BytePairTokenizer::token_bytes(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= impl_->bytes.size())
    throw ModelError(message("There is no token ", id, "; the vocabulary has ", impl_->bytes.size(), "."));
  return impl_->bytes[static_cast<std::size_t>(id)];
}

std::size_t BytePairTokenizer::vocabulary_size() const {
  return impl_->bytes.size();
}

std::vector<TokenId> BytePairTokenizer::end_ids() const {
  std::vector<TokenId> out = impl_->data.more_ends;
  if (impl_->data.end) out.insert(out.begin(), *impl_->data.end);
  return out;
}

std::optional<TokenId> BytePairTokenizer::begin_id() const {
  return impl_->data.add_begin ? impl_->data.begin : std::nullopt;
}

std::optional<TokenId> BytePairTokenizer::special(std::string_view name) const {
  const TokenId id = impl_->named(name);
  if (id == kNoToken || impl_->kind(id) != control) return std::nullopt;
  return id;
}

const std::string& BytePairTokenizer::missing_bytes() const {
  return impl_->missing;
}

}  // namespace synthema
