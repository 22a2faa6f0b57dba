// From the keys of a GGUF file to a configuration and a tokenizer.
#include <algorithm>
#include <array>
#include <limits>

#include "src/model/architecture.hpp"
#include "src/model/loaded_model.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

// Typed look-ups with the file's name in every error.
class Keys {
 public:
  Keys(const Gguf& file, const std::string& path) : file_(file), path_(path) {}

  [[noreturn]] void fail(const std::string& what) const { throw ModelError(Location{.file = path_}, what); }
  bool has(const std::string& key) const { return file_.find(key) != nullptr; }

  // The value of a key that may be missing; a value of the wrong type is an error.
  template <class Read>
  auto optional(const std::string& key, const char* kind, Read read) const -> decltype(read(GgufValue{})) {
    const GgufValue* const value = file_.find(key);
    if (value == nullptr) return std::nullopt;
    auto out = read(*value);
    if (!out) fail(message("The key '", key, "' should be ", kind, "."));
    return out;
  }
  auto integer(const std::string& key) const {
    return optional(key, "an integer", [](const GgufValue& v) { return v.integer(); });
  }
  auto real(const std::string& key) const {
    return optional(key, "a number", [](const GgufValue& v) { return v.real(); });
  }
  auto truth(const std::string& key) const {
    return optional(key, "true or false", [](const GgufValue& v) { return v.boolean(); });
  }
  auto text(const std::string& key) const {
    return optional(key, "a string", [](const GgufValue& v) { return v.text(); });
  }
  auto texts(const std::string& key) const {
    return optional(key, "an array of strings", [](const GgufValue& v) { return v.texts(); });
  }
  auto integers(const std::string& key) const {
    return optional(key, "an array of integers", [](const GgufValue& v) { return v.integers(); });
  }
  auto floats(const std::string& key) const {
    return optional(key, "an array of 32-bit floats", [](const GgufValue& v) { return v.floats(); });
  }
  template <class T>
  T required(std::optional<T> value, const std::string& key) const {
    if (!value) fail(message("The key '", key, "' is missing."));
    return std::move(*value);
  }
  std::int64_t required_integer(const std::string& key) const { return required(integer(key), key); }

 private:
  const Gguf& file_;
  const std::string& path_;
};

void read_rope(const Keys& keys, const std::string& prefix, ModelConfig& c) {
  c.rope_base = keys.real(prefix + "rope.freq_base").value_or(10000);
  c.rope_width = keys.integer(prefix + "rope.dimension_count").value_or(c.head_width);
  const auto kind = keys.text(prefix + "rope.scaling.type").value_or("none");
  const auto old_factor = keys.real(prefix + "rope.scale_linear");  // before rope.scaling.* existed
  if (kind != "none" && kind != "linear")
    keys.fail(message("The rope scaling '", kind, "' is not supported; 'none' and 'linear' are."));
  if (kind == "linear" || (old_factor && *old_factor != 1)) {
    c.rope_scaling.kind = "linear";
    c.rope_scaling.factor = keys.real(prefix + "rope.scaling.factor").value_or(old_factor.value_or(1));
  }
}

std::int64_t rows_of_embedding(const Gguf& file, const Keys& keys) {
  const auto hit = std::ranges::find(file.tensors, "token_embd.weight", &TensorView::name);
  if (hit == file.tensors.end()) keys.fail("The model has no tensor 'token_embd.weight'.");
  return hit->shape.front();
}

ModelConfig read_config(const Gguf& file, const Keys& keys, const std::string& path) {
  const auto name = keys.required(keys.text("general.architecture"), "general.architecture");
  const Architecture& row = architecture_named(name, path);
  const std::string prefix = std::string(row.name) + ".";
  const auto has = [&](std::string_view tensor) {
    return std::ranges::find(file.tensors, tensor, &TensorView::name) != file.tensors.end();
  };
  if (keys.integer(prefix + "expert_count").value_or(0) > 0)
    keys.fail("This is a mixture of experts, which is not supported; dense models are.");
  ModelConfig c;
  c.architecture = row.name;
  c.name = keys.text("general.name").value_or("");
  c.vocabulary = rows_of_embedding(file, keys);
  c.context = keys.required_integer(prefix + "context_length");
  c.width = keys.required_integer(prefix + "embedding_length");
  c.layers = keys.required_integer(prefix + "block_count");
  c.heads = keys.required_integer(prefix + "attention.head_count");
  c.kv_heads = keys.integer(prefix + "attention.head_count_kv").value_or(c.heads);
  c.feed_forward = keys.required_integer(prefix + "feed_forward_length");
  c.head_width = keys.integer(prefix + "attention.key_length").value_or(c.heads > 0 ? c.width / c.heads : 0);
  if (keys.integer(prefix + "attention.value_length").value_or(c.head_width) != c.head_width)
    keys.fail("Keys and values of different width are not supported.");
  const std::string epsilon = prefix + "attention.layer_norm_rms_epsilon";
  c.norm_epsilon = keys.required(keys.real(epsilon), epsilon);
  c.sliding_window = keys.integer(prefix + "attention.sliding_window");
  c.rope_pairs = row.gguf_pairs;
  read_rope(keys, prefix, c);
  c.tied_head = !has("output.weight");
  c.attention_bias = has("blk.0.attn_q.bias");
  c.activation = row.activation;
  return c;
}

// tokenizer.ggml.pre is llama.cpp's name of the split rule.
std::string pre_tokenizer_named(std::string_view pre, const Keys& keys) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> known{
      {{"gpt-2", "gpt2"},
       {"gpt2", "gpt2"},
       {"smollm", "smollm"},
       {"llama-bpe", "llama3"},
       {"llama3", "llama3"},
       {"llama-v3", "llama3"},
       {"qwen2", "qwen2"},
       {"deepseek-r1-qwen", "qwen2"}}};
  for (const auto& [theirs, ours] : known)
    if (pre == theirs) return std::string(ours);
  keys.fail(
      message("The pre-tokenizer '", pre, "' is not supported; gpt-2, smollm, llama-bpe and qwen2 are."));
}

std::optional<std::int32_t> token_id(const Keys& keys, const std::string& key, std::size_t vocabulary) {
  const auto id = keys.integer(key);
  if (!id) return std::nullopt;
  if (*id < 0 || static_cast<std::uint64_t>(*id) >= vocabulary)
    keys.fail(
        message("The key '", key, "' names the token ", *id, ", but there are ", vocabulary, " tokens."));
  return static_cast<std::int32_t>(*id);
}

std::vector<std::uint8_t> read_types(const Keys& keys, std::size_t vocabulary) {
  const auto stated = keys.integers("tokenizer.ggml.token_type");
  if (!stated) return std::vector<std::uint8_t>(vocabulary, 1);
  if (stated->size() != vocabulary)
    keys.fail(message("There are ", stated->size(), " token types for ", vocabulary, " tokens."));
  std::vector<std::uint8_t> out;
  for (const std::int64_t type : *stated) {
    if (type < 1 || type > 6) keys.fail(message("There is no token type ", type, "."));
    out.push_back(static_cast<std::uint8_t>(type));
  }
  return out;
}

void read_ids(const Keys& keys, TokenizerData& out) {
  const auto id = [&](const char* key) {
    return token_id(keys, std::string("tokenizer.ggml.") + key, out.tokens.size());
  };
  out.begin = id("bos_token_id");
  out.end = id("eos_token_id");
  out.unknown = id("unknown_token_id");
  out.padding = id("padding_token_id");
  for (const char* key : {"eot_token_id", "eom_token_id"})
    if (const auto more = id(key)) out.more_ends.push_back(*more);
}

void read_byte_bpe(const Keys& keys, TokenizerData& out) {
  out.kind = "byte_bpe";
  const auto pre = keys.required(keys.text("tokenizer.ggml.pre"), "tokenizer.ggml.pre");
  out.pre_tokenizer = pre_tokenizer_named(pre, keys);
  const auto merges = keys.required(keys.texts("tokenizer.ggml.merges"), "tokenizer.ggml.merges");
  out.merges.assign(merges.begin(), merges.end());
  out.whole_words = out.pre_tokenizer == "llama3";  // as llama.cpp does for this rule
  out.add_begin = keys.truth("tokenizer.ggml.add_bos_token").value_or(out.pre_tokenizer == "llama3");
}

void read_sentencepiece(const Keys& keys, TokenizerData& out) {
  out.kind = "sentencepiece";
  out.scores = keys.required(keys.floats("tokenizer.ggml.scores"), "tokenizer.ggml.scores");
  if (out.scores.size() != out.tokens.size())
    keys.fail(message("There are ", out.scores.size(), " token scores for ", out.tokens.size(), " tokens."));
  out.add_begin = keys.truth("tokenizer.ggml.add_bos_token").value_or(true);
  out.add_space_prefix = keys.truth("tokenizer.ggml.add_space_prefix").value_or(true);
}

TokenizerData read_tokenizer(const Keys& keys) {
  TokenizerData out;
  const auto model = keys.required(keys.text("tokenizer.ggml.model"), "tokenizer.ggml.model");
  const auto tokens = keys.required(keys.texts("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
  out.tokens.assign(tokens.begin(), tokens.end());
  out.types = read_types(keys, out.tokens.size());
  read_ids(keys, out);
  if (model == "gpt2")
    read_byte_bpe(keys, out);
  else if (model == "llama")
    read_sentencepiece(keys, out);
  else
    keys.fail(message("The tokenizer '", model, "' is not supported; 'gpt2' and 'llama' are."));
  out.chat_template = keys.text("tokenizer.chat_template").value_or("");
  settle_controls(out);
  return out;
}

}  // namespace

LoadedModel load_gguf(std::span<const std::byte> bytes, const std::string& path) {
  Gguf file = Gguf::parse(bytes, path);
  const Keys keys(file, path);
  LoadedModel out;
  out.format = message("GGUF v", file.version);
  out.config = read_config(file, keys, path);
  check_config(out.config, path);
  check_tensors(out.config, file.tensors, path);
  out.tokenizer = read_tokenizer(keys);
  if (out.tokenizer.tokens.size() > static_cast<std::size_t>(out.config.vocabulary))
    keys.fail(message("There are ", out.tokenizer.tokens.size(), " tokens, but the embedding has only ",
                      out.config.vocabulary, " rows."));
  for (const auto& [key, value] : file.metadata) out.metadata.emplace_back(key, value.summary());
  out.tensors = std::move(file.tensors);
  return out;
}

}  // namespace synthema::detail
