#include "synthema/model/word_piece.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "src/model/bert_text.hpp"
#include "src/model/json_file.hpp"
#include "synthema/core/utf8.hpp"

namespace synthema {

namespace {

using detail::JsonKeys;
using detail::ModelJson;

constexpr std::int64_t kMostTokens = 1 << 24;

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Pieces = std::unordered_map<std::string, TokenId, Hash, std::equal_to<>>;

}  // namespace

struct WordPieceTokenizer::Impl {
  detail::BertTextOptions text;
  Pieces vocabulary;
  std::string prefix;  // of pieces that continue a word
  std::size_t longest_word = 100;
  TokenId unknown = 0, begin = 0, end = 0;

  void add_word(const std::u32string& word, std::vector<TokenId>& out) const;
};

// Longest match first. Pieces end between code points: `ends` has the byte offset after each.
void WordPieceTokenizer::Impl::add_word(const std::u32string& word, std::vector<TokenId>& out) const {
  if (word.size() > longest_word) {
    out.push_back(unknown);
    return;
  }
  std::string bytes;
  std::vector<std::size_t> ends;
  for (const char32_t c : word) {
    append_utf8(bytes, c);
    ends.push_back(bytes.size());
  }
  const std::size_t before = out.size();
  std::string piece;
  for (std::size_t at = 0, begin = 0; at < word.size();) {
    std::size_t end = word.size();
    for (; end > at; --end) {
      piece.assign(begin > 0 ? prefix : std::string());
      piece.append(bytes, begin, ends[end - 1] - begin);
      if (const auto hit = vocabulary.find(piece); hit != vocabulary.end()) {
        out.push_back(hit->second);
        break;
      }
    }
    if (end == at) {  // no piece fits: the whole word is unknown
      out.resize(before);
      out.push_back(unknown);
      return;
    }
    at = end;
    begin = ends[end - 1];
  }
}

namespace {

// The object under `key`, which must say that it is of this type.
const ModelJson& part_of(const JsonKeys& keys, const char* key, const char* type) {
  const ModelJson* const part = keys.find(key);
  if (!part || !part->is_object() || part->value("type", "") != type)
    keys.fail(message("The ", key, " is not supported; for an encoder it should be a ", type, "."));
  return *part;
}

detail::BertTextOptions read_normalizer(const JsonKeys& keys) {
  const ModelJson& part = part_of(keys, "normalizer", "BertNormalizer");
  const JsonKeys normalizer(part, keys.path());
  detail::BertTextOptions out;
  out.clean = normalizer.truth("clean_text", true);
  out.split_chinese = normalizer.truth("handle_chinese_chars", true);
  out.lowercase = normalizer.truth("lowercase", true);
  out.strip_accents = normalizer.truth("strip_accents", out.lowercase);
  return out;
}

Pieces read_vocabulary(const JsonKeys& keys, const JsonKeys& model) {
  const ModelJson* const vocabulary = model.find("vocab");
  if (!vocabulary || !vocabulary->is_object()) keys.fail("The vocabulary is missing.");
  Pieces out;
  const auto add = [&](const std::string& token, const ModelJson& id) {
    if (!id.is_number_integer() || id < 0 || id >= kMostTokens)
      keys.fail("A token has an id that makes no sense.");
    const auto [entry, fresh] = out.try_emplace(token, id.get<TokenId>());
    if (!fresh && entry->second != id.get<TokenId>()) keys.fail("A token has two ids.");
  };
  for (const auto& [token, id] : vocabulary->items()) add(token, id);
  const ModelJson* const added = keys.find("added_tokens");
  if (!added) return out;
  if (!added->is_array()) keys.fail("'added_tokens' should be a list.");
  for (const ModelJson& token : *added) {
    const JsonKeys one(token, keys.path());
    if (!one.truth("special", false))
      keys.fail("An added token that is not special is not supported for this kind of tokenizer.");
    add(one.text("content"), token.value("id", ModelJson()));
  }
  return out;
}

// The tokens around a text: {before, after}.
std::pair<std::string, std::string> frame_of(const JsonKeys& keys) {
  const auto refuse = [&] { keys.fail("The post-processor is not supported; it should be BERT's."); };
  const ModelJson* const post = keys.find("post_processor");
  if (!post || !post->is_object()) refuse();
  const std::string type = post->value("type", "");
  const auto pair_name = [&](const char* key) {
    const ModelJson* const pair = JsonKeys(*post, keys.path()).find(key);
    if (!pair || !pair->is_array() || pair->empty() || !pair->front().is_string()) refuse();
    return pair->front().get<std::string>();
  };
  if (type == "BertProcessing") return {pair_name("cls"), pair_name("sep")};
  if (type != "TemplateProcessing" || !post->contains("single") || !(*post)["single"].is_array()) refuse();
  const ModelJson& single = (*post)["single"];
  const auto special = [&](std::size_t i) {
    if (!single[i].is_object() || !single[i].contains("SpecialToken")) refuse();
    return JsonKeys(single[i]["SpecialToken"], keys.path()).text("id");
  };
  if (single.size() != 3 || !single[1].is_object() || !single[1].contains("Sequence")) refuse();
  return {special(0), special(2)};
}

}  // namespace

WordPieceTokenizer WordPieceTokenizer::from_json(std::string_view json, const std::string& path) {
  const ModelJson parsed = detail::parse_model_json(json, path);
  const JsonKeys keys(parsed, path);
  const ModelJson& part = part_of(keys, "model", "WordPiece");
  part_of(keys, "pre_tokenizer", "BertPreTokenizer");
  const JsonKeys model(part, path);
  auto impl = std::make_shared<Impl>();
  impl->text = read_normalizer(keys);
  impl->vocabulary = read_vocabulary(keys, model);
  impl->prefix = model.text_or("continuing_subword_prefix").value_or("##");
  const std::int64_t longest = model.integer_or("max_input_chars_per_word").value_or(100);
  if (longest < 1) keys.fail("'max_input_chars_per_word' should be positive.");
  impl->longest_word = static_cast<std::size_t>(longest);
  const auto id_of = [&](const std::string& token) {
    const auto hit = impl->vocabulary.find(token);
    if (hit == impl->vocabulary.end()) keys.fail(message("The vocabulary lacks the token '", token, "'."));
    return hit->second;
  };
  const auto [before, after] = frame_of(keys);
  impl->unknown = id_of(model.text_or("unk_token").value_or("[UNK]"));
  impl->begin = id_of(before);
  impl->end = id_of(after);
  return WordPieceTokenizer(std::move(impl));
}

std::vector<TokenId> WordPieceTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> out;
  for (const std::u32string& word : detail::bert_words(text, impl_->text)) impl_->add_word(word, out);
  return out;
}

TokenId WordPieceTokenizer::begin_id() const {
  return impl_->begin;
}
TokenId WordPieceTokenizer::end_id() const {
  return impl_->end;
}
std::size_t WordPieceTokenizer::vocabulary_size() const {
  return impl_->vocabulary.size();
}
bool WordPieceTokenizer::lowercases() const {
  return impl_->text.lowercase;
}

}  // namespace synthema
