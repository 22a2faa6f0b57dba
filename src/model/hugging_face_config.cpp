#include "src/model/architecture.hpp"
#include "src/model/json_file.hpp"
#include "synthema/model/hugging_face.hpp"

namespace synthema {

namespace {

using detail::JsonKeys;
using detail::ModelJson;

void read_scaling(const JsonKeys& rope, ModelConfig& c) {
  RopeScaling& out = c.rope_scaling;
  out.kind = rope.text_or("rope_type").value_or(rope.text_or("type").value_or("default"));
  if (out.kind == "default") out.kind = "none";
  if (out.kind == "none") return;
  if (out.kind != "linear" && out.kind != "llama3")
    rope.fail(message("The rope scaling '", out.kind, "' is not supported; linear and llama3 are."));
  out.factor = rope.real("factor");
  if (out.kind == "linear") return;
  out.low_frequency_factor = rope.real("low_freq_factor");
  out.high_frequency_factor = rope.real("high_freq_factor");
  out.original_context = rope.real("original_max_position_embeddings");
  if (!(out.low_frequency_factor > 0 && out.high_frequency_factor > out.low_frequency_factor &&
        out.original_context >= 1))
    rope.fail("The llama3 rope scaling has factors that contradict each other.");
}

// transformers 4: rope_theta and rope_scaling; transformers 5: both in rope_parameters.
void read_rope(const JsonKeys& keys, ModelConfig& c) {
  c.rope_base = keys.real_or("rope_theta").value_or(10000);
  for (const char* key : {"rope_parameters", "rope_scaling"})
    if (const ModelJson* const value = keys.find(key)) {
      const JsonKeys rope(*value, keys.path());
      c.rope_base = rope.real_or("rope_theta").value_or(c.rope_base);
      read_scaling(rope, c);
      break;
    }
  const double share = keys.real_or("partial_rotary_factor").value_or(1);
  if (share != 1) keys.fail("A partial rotary embedding is not supported.");
  c.rope_width = c.head_width;
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
  ModelConfig c;
  c.architecture = row.name;
  c.name = keys.text_or("_name_or_path").value_or("");
  c.vocabulary = keys.integer("vocab_size");
  c.context = keys.integer("max_position_embeddings");
  c.width = keys.integer("hidden_size");
  c.layers = keys.integer("num_hidden_layers");
  c.heads = keys.integer("num_attention_heads");
  c.kv_heads = keys.integer_or("num_key_value_heads").value_or(c.heads);
  c.head_width = keys.integer_or("head_dim").value_or(c.heads > 0 ? c.width / c.heads : 0);
  c.feed_forward = keys.integer("intermediate_size");
  c.norm_epsilon = keys.real("rms_norm_eps");
  c.rope_pairs = RopePairs::halves;
  read_rope(keys, c);
  c.tied_head = keys.truth("tie_word_embeddings", false);
  c.sliding_window = keys.integer_or("sliding_window");
  c.activation = keys.text_or("hidden_act").value_or("silu");
  if (c.activation != row.activation)
    keys.fail(message("The activation '", c.activation, "' is not supported; ", row.activation, " is."));
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (keys.truth(key, false)) keys.fail(message("'", key, "' is not supported for this architecture."));
  detail::check_config(c, path);
  return c;
}

std::string canonical_tensor_name(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> outer[] = {
      {"model.embed_tokens.weight", "token_embd.weight"},
      {"model.norm.weight", "output_norm.weight"},
      {"lm_head.weight", "output.weight"}};
  constexpr std::pair<std::string_view, std::string_view> inner[] = {
      {"input_layernorm.weight", "attn_norm.weight"},
      {"self_attn.q_proj.weight", "attn_q.weight"},
      {"self_attn.k_proj.weight", "attn_k.weight"},
      {"self_attn.v_proj.weight", "attn_v.weight"},
      {"self_attn.o_proj.weight", "attn_output.weight"},
      {"post_attention_layernorm.weight", "ffn_norm.weight"},
      {"mlp.gate_proj.weight", "ffn_gate.weight"},
      {"mlp.up_proj.weight", "ffn_up.weight"},
      {"mlp.down_proj.weight", "ffn_down.weight"}};
  for (const auto& [theirs, ours] : outer)
    if (name == theirs) return std::string(ours);
  constexpr std::string_view layers = "model.layers.";
  if (!name.starts_with(layers)) return {};
  name.remove_prefix(layers.size());
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos ||
      name.substr(0, dot).find_first_not_of("0123456789") != std::string_view::npos)
    return {};
  for (const auto& [theirs, ours] : inner)
    if (name.substr(dot + 1) == theirs) return message("blk.", name.substr(0, dot), ".", ours);
  return {};
}

}  // namespace synthema
