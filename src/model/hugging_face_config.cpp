#include <algorithm>
#include <cmath>
#include <span>

#include "src/model/architecture.hpp"
#include "src/model/json_file.hpp"
#include "synthema/model/hugging_face.hpp"

namespace synthema {

namespace {

using detail::JsonKeys;
using detail::ModelJson;

std::vector<double> reals(const JsonKeys& keys, const char* key) {
  const ModelJson* const value = keys.find(key);
  if (!value || !value->is_array()) keys.fail(message("'", key, "' should be a list of numbers."));
  std::vector<double> out;
  for (const ModelJson& x : *value) {
    if (!x.is_number()) keys.fail(message("'", key, "' should be a list of numbers."));
    out.push_back(x.get<double>());
  }
  return out;
}

void read_llama3(const JsonKeys& rope, RopeScaling& out) {
  out.factor = rope.real("factor");
  out.low_frequency_factor = rope.real("low_freq_factor");
  out.high_frequency_factor = rope.real("high_freq_factor");
  out.original_context = rope.real("original_max_position_embeddings");
  if (!(out.low_frequency_factor > 0 && out.high_frequency_factor > out.low_frequency_factor &&
        out.original_context >= 1))
    rope.fail("The llama3 rope scaling has factors that contradict each other.");
}

void read_yarn(const JsonKeys& rope, const ModelConfig& c, RopeScaling& out) {
  for (const char* key : {"mscale", "mscale_all_dim"})
    if (rope.real_or(key).value_or(0) != 0) rope.fail(message("'", key, "' of yarn is not supported."));
  if (!rope.truth("truncate", true)) rope.fail("'truncate' of yarn is not supported.");
  out.original_context =
      rope.real_or("original_max_position_embeddings").value_or(static_cast<double>(c.context));
  out.factor = rope.real("factor");
  out.beta_fast = rope.real_or("beta_fast").value_or(32);
  out.beta_slow = rope.real_or("beta_slow").value_or(1);
  out.attention_factor = rope.real_or("attention_factor").value_or(detail::yarn_attention_factor(out.factor));
}

// What stands outside the scaling comes first, as in transformers; Phi-3's default is 4096.
void read_longrope(const JsonKeys& rope, const JsonKeys& keys, ModelConfig& c) {
  RopeScaling& out = c.rope_scaling;
  out.kind = "longrope";
  constexpr const char* original = "original_max_position_embeddings";
  const std::int64_t context = keys.integer_or(original).value_or(rope.integer_or(original).value_or(4096));
  out.factor = rope.real_or("factor").value_or(static_cast<double>(c.context) /
                                               static_cast<double>(std::max<std::int64_t>(context, 1)));
  out.divisors = reals(rope, "short_factor");
  out.long_divisors = reals(rope, "long_factor");
  out.attention_factor =
      rope.real_or("attention_factor").value_or(detail::longrope_attention_factor(out.factor, context));
  out.original_context = static_cast<double>(context);
  if (c.context <= context) out.long_divisors.clear();  // no sequence is longer
}

void read_scaling(const JsonKeys& rope, const JsonKeys& keys, ModelConfig& c) {
  RopeScaling& out = c.rope_scaling;
  out.kind = rope.text_or("rope_type").value_or(rope.text_or("type").value_or("default"));
  if (out.kind == "default") out.kind = "none";
  if (c.architecture == "phi3" && (out.kind == "su" || out.kind == "yarn"))
    out.kind = "longrope";  // old names
  if (out.kind == "linear") out.factor = rope.real("factor");
  if (out.kind == "llama3") read_llama3(rope, out);
  if (out.kind == "yarn") read_yarn(rope, c, out);
  if (out.kind == "longrope") read_longrope(rope, keys, c);
  for (const char* known : {"none", "linear", "llama3", "yarn", "longrope"})
    if (out.kind == known) return;
  rope.fail(
      message("The rope scaling '", out.kind, "' is not supported; linear, llama3, yarn and longrope are."));
}

// transformers 4: rope_theta and rope_scaling; transformers 5: both in rope_parameters, where Gemma 3 has one
// set for the layers that see all and one for local layers.
void read_rope(const JsonKeys& keys, ModelConfig& c) {
  c.rope_base = keys.real_or("rope_theta").value_or(c.rope_base);
  double share = keys.real_or("partial_rotary_factor").value_or(1);
  const auto read = [&](const ModelJson& value) {
    const JsonKeys rope(value, keys.path());
    c.rope_base = rope.real_or("rope_theta").value_or(c.rope_base);
    share = rope.real_or("partial_rotary_factor").value_or(share);
    read_scaling(rope, keys, c);
  };
  if (c.local_rope_base)
    c.local_rope_base = keys.real_or("rope_local_base_freq").value_or(*c.local_rope_base);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const ModelJson* const value = keys.find(key);
    if (!value) continue;
    const JsonKeys rope(*value, keys.path());
    const ModelJson* const global = rope.find("full_attention");
    read(global ? *global : *value);
    if (const ModelJson* const local = rope.find("sliding_attention"); local && c.local_rope_base) {
      const JsonKeys own(*local, keys.path());
      if (own.text_or("rope_type").value_or("default") != "default")
        own.fail("A rope scaling of the local layers is not supported.");
      c.local_rope_base = own.real_or("rope_theta").value_or(*c.local_rope_base);
    }
    break;
  }
  if (!(share > 0 && share <= 1)) keys.fail("'partial_rotary_factor' is not between 0 and 1.");
  c.rope_width = static_cast<std::int64_t>(static_cast<double>(c.head_width) * share);
}

// Which layers see only a window: `layer_types` by layer, or what the family's files say without it.
void read_window(const JsonKeys& keys, const detail::Architecture& row, ModelConfig& c) {
  const bool optional = c.architecture == "qwen2" || c.architecture == "qwen3";
  if (optional && !keys.truth("use_sliding_window", false)) return;
  c.sliding_window = keys.integer_or("sliding_window");
  if (!c.sliding_window) return;
  if (const ModelJson* const types = keys.find("layer_types")) {
    if (!types->is_array()) keys.fail("'layer_types' should be a list.");
    for (const ModelJson& type : *types) {
      if (type != "sliding_attention" && type != "full_attention")
        keys.fail(message("The layer type ", type.dump(-1, ' ', true).substr(0, 100), " is not supported."));
      c.local_layers.push_back(type == "sliding_attention");
    }
  } else if (optional) {
    const std::int64_t first = keys.integer("max_window_layers");
    for (std::int64_t i = 0; i < c.layers; ++i) c.local_layers.push_back(i >= first);
  } else {
    c.local_layers =
        detail::local_layers(c.layers, keys.integer_or("sliding_window_pattern").value_or(row.global_every));
  }
}

void read_shape(const JsonKeys& keys, ModelConfig& c) {
  c.context = keys.integer("max_position_embeddings");
  c.width = keys.integer("hidden_size");
  c.layers = keys.integer("num_hidden_layers");
  c.heads = keys.integer("num_attention_heads");
  c.kv_heads = keys.integer_or("num_key_value_heads").value_or(c.heads);
  c.head_width = keys.integer_or("head_dim").value_or(c.heads > 0 ? c.width / c.heads : 0);
  c.feed_forward = keys.integer("intermediate_size");
  c.norm_epsilon = keys.real("rms_norm_eps");
}

void read_gpt2_shape(const JsonKeys& keys, ModelConfig& c) {
  c.context = keys.integer("n_positions");
  c.width = keys.integer("n_embd");
  c.layers = keys.integer("n_layer");
  c.heads = c.kv_heads = keys.integer("n_head");
  c.head_width = c.heads > 0 ? c.width / c.heads : 0;
  c.feed_forward = keys.integer_or("n_inner").value_or(4 * c.width);
  c.norm_epsilon = keys.real("layer_norm_epsilon");
  if (!keys.truth("scale_attn_weights", true)) c.attention_scale = 1;
}

// One activation under two or three names: the approximation of the GELU by a hyperbolic tangent.
void read_activation(const JsonKeys& keys, ModelConfig& c) {
  for (const char* key : {"hidden_act", "hidden_activation", "activation_function"}) {
    const auto name = keys.text_or(key);
    if (!name) continue;
    const bool tanh = *name == "gelu_pytorch_tanh" || *name == "gelu_new" || *name == "gelu_fast";
    if (!tanh && *name != "silu" && *name != "swish")
      keys.fail(message("The activation '", *name, "' is not supported; silu and gelu_pytorch_tanh are."));
    c.activation = tanh ? "gelu_tanh" : "silu";
  }
}

void read_gemma_scales(const JsonKeys& keys, ModelConfig& c) {
  c.embedding_scale = std::sqrt(static_cast<double>(c.width));
  c.attention_scale = 1 / std::sqrt(keys.real_or("query_pre_attn_scalar").value_or(256));
}

// What would change the numbers and is not built: a value other than the harmless one is refused.
void refuse_variants(const JsonKeys& keys) {
  for (const char* key :
       {"scale_attn_by_inverse_layer_idx", "add_cross_attention", "use_bidirectional_attention"})
    if (keys.truth(key, false)) keys.fail(message("'", key, "' is not supported."));
  for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping"})
    if (keys.real_or(key)) keys.fail(message("'", key, "' is not supported."));
}

std::string architecture_class(const JsonKeys& keys) {
  const ModelJson* const names = keys.find("architectures");
  if (!names || !names->is_array() || names->size() != 1 || !names->front().is_string())
    keys.fail("'architectures' should name one class.");
  return names->front().get<std::string>();
}

}  // namespace

ModelConfig model_config_from_json(std::string_view text, const std::string& path) {
  const ModelJson json = detail::parse_model_json(text, path);
  const JsonKeys keys(json, path);
  const detail::Architecture& row = detail::architecture_of_class(architecture_class(keys), path);
  refuse_variants(keys);
  ModelConfig c = row.traits;
  c.name = keys.text_or("_name_or_path").value_or("");
  c.vocabulary = keys.integer("vocab_size");
  c.learned_positions ? read_gpt2_shape(keys, c) : read_shape(keys, c);
  if (!c.learned_positions) read_rope(keys, c);
  read_window(keys, row, c);
  read_activation(keys, c);
  c.tied_head = keys.truth("tie_word_embeddings", c.tied_head);
  if (!c.attention_bias) c.attention_bias = c.output_bias = keys.truth("attention_bias", false);
  c.feed_forward_bias = keys.truth("mlp_bias", c.feed_forward_bias);
  if (c.architecture == "gemma3") read_gemma_scales(keys, c);
  detail::check_config(c, path);
  return c;
}

namespace {

using Names = std::span<const std::pair<std::string_view, std::string_view>>;

constexpr std::pair<std::string_view, std::string_view> kLlamaOuter[] = {{"embed_tokens", "token_embd"},
                                                                         {"norm", "output_norm"}};
constexpr std::pair<std::string_view, std::string_view> kLlamaInner[] = {
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.gate_up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"}};
// Where norms stand behind attention and feed-forward too, the same name means another norm.
constexpr std::pair<std::string_view, std::string_view> kPostNorms[] = {
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"}};
constexpr std::pair<std::string_view, std::string_view> kGpt2Outer[] = {
    {"wte", "token_embd"}, {"wpe", "position_embd"}, {"ln_f", "output_norm"}};
constexpr std::pair<std::string_view, std::string_view> kGpt2Inner[] = {
    {"ln_1", "attn_norm"}, {"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"},
    {"ln_2", "ffn_norm"},  {"mlp.c_fc", "ffn_up"},      {"mlp.c_proj", "ffn_down"}};

std::string_view renamed(Names names, std::string_view name) {
  for (const auto& [theirs, ours] : names)
    if (name == theirs) return ours;
  return {};
}

bool take_prefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

// `name` without its ".weight" or ".bias".
std::string module_name(const ModelConfig& config, std::string_view name) {
  const bool gpt2 = config.architecture == "gpt2";
  if (name == "lm_head") return "output";
  // Checkpoints that were saved without their head have no outer name.
  if (!take_prefix(name, gpt2 ? "transformer." : "model.") && !gpt2) return {};
  if (const auto outer = renamed(gpt2 ? Names(kGpt2Outer) : Names(kLlamaOuter), name); !outer.empty())
    return std::string(outer);
  if (!take_prefix(name, gpt2 ? "h." : "layers.")) return {};
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos ||
      name.substr(0, dot).find_first_not_of("0123456789") != std::string_view::npos)
    return {};
  const std::string_view inner = name.substr(dot + 1);
  std::string_view ours = config.post_norms ? renamed(kPostNorms, inner) : std::string_view();
  if (ours.empty()) ours = renamed(gpt2 ? Names(kGpt2Inner) : Names(kLlamaInner), inner);
  return ours.empty() ? std::string() : message("blk.", name.substr(0, dot), ".", ours);
}

}  // namespace

std::string canonical_tensor_name(const ModelConfig& config, std::string_view name) {
  for (const std::string_view suffix : {".weight", ".bias"})
    if (name.ends_with(suffix)) {
      const std::string out = module_name(config, name.substr(0, name.size() - suffix.size()));
      return out.empty() ? out : out + std::string(suffix);
    }
  return {};
}

}  // namespace synthema
