// tokenizer.json: the pipeline is recognised piece by piece from its JSON. What is not known exactly is
// refused by name, because a wrong guess would give wrong ids without any sign of it.
#include <algorithm>
#include <array>

#include "src/model/json_file.hpp"
#include "src/model/loaded_model.hpp"
#include "synthema/model/hugging_face.hpp"

namespace synthema {

namespace {

using detail::JsonKeys;
using detail::ModelJson;

constexpr const char* kSpace = "\xE2\x96\x81";
constexpr std::int64_t kMostTokens = 1 << 24;

const std::array<std::pair<std::string_view, std::string_view>, 2> kSplits{
    {{"llama3",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     {"qwen2",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}};

std::string type_of(const ModelJson& part) {
  return part.is_object() && part.contains("type") && part["type"].is_string()
             ? part["type"].get<std::string>()
             : "";
}

// A part of the pipeline as a flat list: nothing, one step, or the steps of a Sequence.
std::vector<ModelJson> steps_of(const JsonKeys& keys, const char* part, const char* list) {
  const ModelJson* const value = keys.find(part);
  if (!value) return {};
  if (type_of(*value) != "Sequence") return {*value};
  if (!value->contains(list) || !(*value)[list].is_array())
    keys.fail(message("The ", part, " is a sequence without a list."));
  return (*value)[list].get<std::vector<ModelJson>>();
}

[[noreturn]] void refuse(const JsonKeys& keys, const char* part, const ModelJson& step) {
  keys.fail(message("The ", part, " ", step.dump(-1, ' ', true).substr(0, 400), " is not supported."));
}

// Is `step` exactly of this type with these values (others may be missing)?
bool is_step(const ModelJson& step, const char* type, const ModelJson& values) {
  if (type_of(step) != type) return false;
  for (const auto& [key, value] : values.items())
    if (!step.contains(key) || step[key] != value) return false;
  return true;
}

bool is_byte_level(const ModelJson& step, bool use_regex) {
  if (!is_step(step, "ByteLevel", {{"add_prefix_space", false}})) return false;
  return step.contains("use_regex") ? step["use_regex"] == use_regex : use_regex;
}

std::string byte_level_rule(const JsonKeys& keys, const std::vector<ModelJson>& steps) {
  if (steps.size() == 1 && is_byte_level(steps[0], true)) return "gpt2";
  if (steps.size() == 2 && is_step(steps[0], "Digits", {{"individual_digits", true}}) &&
      is_byte_level(steps[1], true))
    return "smollm";
  if (steps.size() == 2 && is_byte_level(steps[1], false))
    for (const auto& [name, pattern] : kSplits)
      if (is_step(steps[0], "Split",
                  {{"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}}))
        return std::string(name);
  refuse(keys, "pre-tokenizer", steps);
}

// Spaces become U+2581; `Prepend` or `Metaspace` put one in front.
void read_sentencepiece(const JsonKeys& keys, std::vector<ModelJson> normalizer, std::vector<ModelJson> pre,
                        TokenizerData& out) {
  out.kind = "sentencepiece";
  const ModelJson replace = {{"pattern", {{"String", " "}}}, {"content", kSpace}};
  bool replaced = false;
  for (const ModelJson& step : normalizer) {
    if (is_step(step, "Prepend", {{"prepend", kSpace}}) && !replaced && !out.add_space_prefix)
      out.add_space_prefix = true;
    else if (is_step(step, "Replace", replace) && !replaced)
      replaced = true;
    else
      refuse(keys, "normalizer", normalizer);
  }
  // Gemma splits at spaces, of which the normalizer has left none.
  const ModelJson split = {
      {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}};
  if (replaced && (pre.empty() || (pre.size() == 1 && is_step(pre[0], "Split", split)))) return;
  if (!normalizer.empty() || pre.size() != 1 ||
      !is_step(pre[0], "Metaspace", {{"replacement", kSpace}, {"split", false}}))
    refuse(keys, "pre-tokenizer", pre);
  const std::string scheme = JsonKeys(pre[0], keys.path()).text_or("prepend_scheme").value_or("always");
  if (scheme != "always" && scheme != "first" && scheme != "never") refuse(keys, "pre-tokenizer", pre);
  out.add_space_prefix = out.prefix_if_absent = scheme != "never";
  out.prefix_first_only = scheme == "first";
}

void read_pipeline(const JsonKeys& keys, TokenizerData& out) {
  const std::vector<ModelJson> normalizer = steps_of(keys, "normalizer", "normalizers");
  const std::vector<ModelJson> pre = steps_of(keys, "pre_tokenizer", "pretokenizers");
  if (pre.empty() || type_of(pre.back()) != "ByteLevel")
    return read_sentencepiece(keys, normalizer, pre, out);
  out.nfc = normalizer.size() == 1 && type_of(normalizer[0]) == "NFC";
  if (!normalizer.empty() && !out.nfc) refuse(keys, "normalizer", normalizer);
  out.kind = "byte_bpe";
  out.pre_tokenizer = byte_level_rule(keys, pre);
}

std::size_t checked_id(const JsonKeys& keys, const ModelJson& id) {
  if (!id.is_number_integer() || id < 0 || id >= kMostTokens)
    keys.fail("A token has an id that makes no sense.");
  return id.get<std::size_t>();
}

void put_token(const JsonKeys& keys, TokenizerData& out, std::size_t id, const std::string& token,
               std::uint8_t type) {
  if (id >= out.tokens.size())
    keys.fail(message("The token ids have gaps; the id ", id, " is beyond the end."));
  if (out.types[id] != 0 && out.tokens[id] != token) keys.fail(message("Two tokens share the id ", id, "."));
  out.tokens[id] = token;
  out.types[id] = type;
}

bool is_byte_token(const std::string& token) {
  return token.size() == 6 && token.starts_with("<0x") && token[5] == '>';
}

void read_added(const JsonKeys& keys, const ModelJson& added, TokenizerData& out) {
  const JsonKeys token(added, keys.path());
  const std::string content = token.text("content");
  // Phi-3 calls its </s> an ordinary text that swallows white space. It is a control token like any other
  // here: no text becomes it.
  const bool special = token.truth("special", false) || (token.truth("rstrip", false) && content == "</s>");
  for (const char* flag : {"lstrip", "rstrip", "single_word"})
    if (!special && token.truth(flag, false))
      keys.fail(message("An added token asks for '", flag, "', which is not supported."));
  if (!special && out.kind == "sentencepiece" && token.truth("normalized", true))
    keys.fail("An added token that is matched after normalisation is not supported.");
  const ModelJson* const id = token.find("id");
  if (!id) keys.fail("An added token has no id.");
  put_token(keys, out, checked_id(keys, *id), content, special ? 3 : 4);
}

void read_vocabulary(const JsonKeys& keys, const JsonKeys& model, TokenizerData& out) {
  const ModelJson *const vocabulary = model.find("vocab"), *const added = keys.find("added_tokens");
  if (!vocabulary || !vocabulary->is_object()) keys.fail("The vocabulary is missing.");
  if (added && !added->is_array()) keys.fail("'added_tokens' should be a list.");
  std::unordered_set<std::size_t> ids;
  for (const auto& [token, id] : vocabulary->items()) ids.insert(checked_id(keys, id));
  if (added)
    for (const ModelJson& token : *added)
      if (const ModelJson* const id = JsonKeys(token, keys.path()).find("id"))
        ids.insert(checked_id(keys, *id));
  out.tokens.resize(ids.size());
  out.types.assign(ids.size(), 0);
  const bool bytes = model.truth("byte_fallback", false);
  for (const auto& [token, id] : vocabulary->items())
    put_token(keys, out, checked_id(keys, id), token, bytes && is_byte_token(token) ? 6 : 1);
  if (added)
    for (const ModelJson& token : *added) read_added(keys, token, out);
}

void read_merges(const JsonKeys& model, TokenizerData& out) {
  const ModelJson* const merges = model.find("merges");
  if (!merges || !merges->is_array()) model.fail("The merges are missing.");
  for (const ModelJson& merge : *merges) {
    const bool pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!pair && !merge.is_string()) model.fail("A merge is neither a string nor a pair of strings.");
    out.merges.push_back(pair ? merge[0].get<std::string>() + " " + merge[1].get<std::string>()
                              : merge.get<std::string>());
  }
}

// Options of the BPE model that would change the ids.
void check_model(const JsonKeys& model, const TokenizerData& out) {
  if (model.text("type") != "BPE")
    model.fail(message("The tokenizer model '", model.text("type"), "' is not supported; BPE is."));
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model.text_or(key).value_or("").empty()) model.fail(message("'", key, "' is not supported."));
  if (model.real_or("dropout").value_or(0) != 0) model.fail("Dropout in the tokenizer is not supported.");
  if (out.kind == "sentencepiece" && model.truth("ignore_merges", false))
    model.fail("'ignore_merges' is not supported for this kind of tokenizer.");
}

void read_unknown(const JsonKeys& model, TokenizerData& out) {
  out.fuse_unknown = model.truth("fuse_unk", false);
  const auto name = model.text_or("unk_token");
  if (!name) return;
  const auto hit = std::ranges::find(out.tokens, *name);
  if (hit == out.tokens.end()) model.fail("The unknown token is not in the vocabulary.");
  const auto id = hit - out.tokens.begin();
  out.unknown = static_cast<std::int32_t>(id);
  if (out.types[static_cast<std::size_t>(id)] == 1) out.types[static_cast<std::size_t>(id)] = 2;
  out.emit_unknown = true;
}

// Does the post-processor put a control token before a text?
bool begins_with_token(const JsonKeys& keys) {
  for (const ModelJson& step : steps_of(keys, "post_processor", "processors"))
    if (type_of(step) == "TemplateProcessing" && step.contains("single") && step["single"].is_array() &&
        !step["single"].empty() && step["single"].front().is_object() &&
        step["single"].front().contains("SpecialToken"))
      return true;
  return false;
}

}  // namespace

TokenizerData tokenizer_from_json(std::string_view text, const std::string& path) {
  const ModelJson json = detail::parse_model_json(text, path);
  const JsonKeys keys(json, path);
  const ModelJson* const part = keys.find("model");
  if (!part) keys.fail("'model' is missing.");
  const JsonKeys model(*part, path);
  TokenizerData out;
  if (model.text("type") == "BPE") read_pipeline(keys, out);
  check_model(model, out);
  read_vocabulary(keys, model, out);
  read_merges(model, out);
  read_unknown(model, out);
  out.whole_words = model.truth("ignore_merges", false);
  out.add_begin = begins_with_token(keys);
  detail::settle_controls(out);
  return out;
}

}  // namespace synthema
