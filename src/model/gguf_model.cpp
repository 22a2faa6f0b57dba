// From the keys of a GGUF file to a configuration and a tokenizer.
#include <algorithm>
#include <array>
#include <cmath>

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

const TensorView* tensor_named(const Gguf& file, std::string_view name) {
  const auto hit = std::ranges::find(file.tensors, name, &TensorView::name);
  return hit == file.tensors.end() ? nullptr : &*hit;
}

// Factors by frequency are tensors here: of Llama 3's scaling, or of the two contexts of longrope.
std::vector<double> rope_factors(const Gguf& file, const ModelConfig& c, const char* name) {
  const TensorView* const view = tensor_named(file, name);
  if (!view || view->elements() != c.rope_width / 2) return {};  // a wrong shape is found with the tensors'
  std::vector<float> values(static_cast<std::size_t>(view->elements()));
  dequantize(*view, values);
  return {values.begin(), values.end()};
}

void read_longrope(const Gguf& file, const Keys& keys, const std::string& prefix, ModelConfig& c) {
  RopeScaling& out = c.rope_scaling;
  out.kind = "longrope";
  out.divisors = rope_factors(file, c, "rope_factors_short.weight");
  out.long_divisors = rope_factors(file, c, "rope_factors_long.weight");
  const std::int64_t original =
      keys.integer(prefix + "rope.scaling.original_context_length").value_or(c.context);
  out.factor = static_cast<double>(c.context) / static_cast<double>(std::max<std::int64_t>(original, 1));
  out.attention_factor = keys.real(prefix + "rope.scaling.attn_factor")
                             .value_or(longrope_attention_factor(out.factor, original));
  out.original_context = static_cast<double>(original);
  if (c.context <= original) out.long_divisors.clear();  // no sequence is longer
  if (out.long_divisors.empty()) c.context = std::min(c.context, original);
}

void read_yarn(const Keys& keys, const std::string& prefix, ModelConfig& c) {
  const std::string scaling = prefix + "rope.scaling.";
  RopeScaling& out = c.rope_scaling;
  out.original_context =
      static_cast<double>(keys.integer(scaling + "original_context_length").value_or(c.context));
  out.beta_fast = keys.real(scaling + "yarn_beta_fast").value_or(32);
  out.beta_slow = keys.real(scaling + "yarn_beta_slow").value_or(1);
  if (keys.real(scaling + "yarn_ext_factor").value_or(1) != 1 ||
      keys.real(scaling + "yarn_log_multiplier").value_or(0) != 0)
    keys.fail("This variant of the yarn rope scaling is not supported.");
  out.attention_factor =
      keys.real(scaling + "yarn_attn_factor").value_or(keys.real(scaling + "attn_factor").value_or(1)) *
      yarn_attention_factor(out.factor);
}

void read_rope(const Gguf& file, const Keys& keys, const std::string& prefix, ModelConfig& c) {
  c.rope_base = keys.real(prefix + "rope.freq_base").value_or(c.rope_base);
  if (c.local_rope_base)
    c.local_rope_base = keys.real(prefix + "rope.freq_base_swa").value_or(*c.local_rope_base);
  c.rope_width = keys.integer(prefix + "rope.dimension_count").value_or(c.head_width);
  const auto kind = keys.text(prefix + "rope.scaling.type").value_or("none");
  const auto old_factor = keys.real(prefix + "rope.scale_linear");  // before rope.scaling.* existed
  if (kind != "none" && kind != "linear" && kind != "yarn" && kind != "longrope")
    keys.fail(message("The rope scaling '", kind, "' is not supported; linear, yarn and longrope are."));
  c.rope_scaling.kind = kind == "none" && old_factor && *old_factor != 1 ? "linear" : kind;
  if (c.rope_scaling.kind != "none")
    c.rope_scaling.factor = keys.real(prefix + "rope.scaling.factor").value_or(old_factor.value_or(1));
  if (kind == "yarn") read_yarn(keys, prefix, c);
  if (kind == "longrope" || tensor_named(file, "rope_factors_short.weight"))
    return read_longrope(file, keys, prefix, c);
  c.rope_scaling.divisors = rope_factors(file, c, "rope_freqs.weight");
}

void read_window(const Keys& keys, const std::string& prefix, const Architecture& row, ModelConfig& c) {
  const auto window = keys.integer(prefix + "attention.sliding_window");
  if (!window || *window == 0) return;
  c.sliding_window = window;
  const std::string pattern = prefix + "attention.sliding_window_pattern";
  c.local_layers = local_layers(c.layers, keys.integer(pattern).value_or(row.global_every));
}

// Gemma 3's 27B model alone does not scale the scores by the width of its heads.
void read_gemma_scales(const Keys& keys, const std::string& prefix, ModelConfig& c) {
  constexpr std::int64_t layers_of_27b = 62;
  c.embedding_scale = std::sqrt(static_cast<double>(c.width));
  c.attention_scale = keys.real(prefix + "attention.scale");
  if (!c.attention_scale && c.layers == layers_of_27b)
    c.attention_scale = 1 / std::sqrt(static_cast<double>(c.width) / static_cast<double>(c.heads));
}

ModelConfig read_config(const Gguf& file, const Keys& keys, const std::string& path) {
  const auto name = keys.required(keys.text("general.architecture"), "general.architecture");
  const Architecture& row = architecture_named(name, path);
  ModelConfig c = row.traits;
  const std::string prefix = c.architecture + ".";
  const auto has = [&](std::string_view tensor) { return tensor_named(file, tensor) != nullptr; };
  if (keys.integer(prefix + "expert_count").value_or(0) > 0)
    keys.fail("This is a mixture of experts, which is not supported; dense models are.");
  for (const char* cap : {"attn_logit_softcapping", "final_logit_softcapping"})
    if (keys.real(prefix + cap).value_or(0) != 0) keys.fail(message("'", cap, "' is not supported."));
  const TensorView* const embedding = tensor_named(file, "token_embd.weight");
  if (!embedding) keys.fail("The model has no tensor 'token_embd.weight'.");
  c.name = keys.text("general.name").value_or("");
  c.vocabulary = embedding->shape.front();
  c.context = keys.required_integer(prefix + "context_length");
  c.width = keys.required_integer(prefix + "embedding_length");
  c.layers = keys.required_integer(prefix + "block_count");
  c.heads = keys.required_integer(prefix + "attention.head_count");
  c.kv_heads = keys.integer(prefix + "attention.head_count_kv").value_or(c.heads);
  c.feed_forward = keys.required_integer(prefix + "feed_forward_length");
  c.head_width = keys.integer(prefix + "attention.key_length").value_or(c.heads > 0 ? c.width / c.heads : 0);
  if (keys.integer(prefix + "attention.value_length").value_or(c.head_width) != c.head_width)
    keys.fail("Keys and values of different width are not supported.");
  const std::string epsilon = prefix + (c.norm == NormKind::rms ? "attention.layer_norm_rms_epsilon"
                                                                : "attention.layer_norm_epsilon");
  c.norm_epsilon = keys.required(keys.real(epsilon), epsilon);
  c.rope_pairs = row.gguf_pairs;
  if (!c.learned_positions) read_rope(file, keys, prefix, c);
  read_window(keys, prefix, row, c);
  if (c.architecture == "gemma3") read_gemma_scales(keys, prefix, c);
  c.tied_head = !has("output.weight");
  c.attention_bias |= has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias");
  c.output_bias |= has("blk.0.attn_output.bias");
  c.feed_forward_bias |= has("blk.0.ffn_down.bias");
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
