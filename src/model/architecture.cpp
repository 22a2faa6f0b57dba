#include "src/model/architecture.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

ModelConfig family(const char* name, void (*set)(ModelConfig&) = [](ModelConfig&) {}) {
  ModelConfig traits;
  traits.architecture = name;
  set(traits);
  return traits;
}

void gemma3(ModelConfig& c) {
  c.head_norm = c.post_norms = c.tied_head = true;
  c.rope_base = 1e6;
  c.local_rope_base = 1e4;
  c.activation = "gelu_tanh";
}

void gpt2(ModelConfig& c) {
  c.norm = NormKind::layer;
  c.learned_positions = c.tied_head = true;
  c.attention_bias = c.output_bias = c.feed_forward_bias = true;
  c.gated = false;
  c.activation = "gelu_tanh";
}

const std::vector<Architecture>& table() {
  static const std::vector<Architecture> rows = {
      {family("llama"), {"LlamaForCausalLM", "MistralForCausalLM"}, RopePairs::adjacent},
      {family("qwen2", [](ModelConfig& c) { c.attention_bias = true; }), {"Qwen2ForCausalLM"}},
      {family("qwen3", [](ModelConfig& c) { c.head_norm = true; }), {"Qwen3ForCausalLM"}},
      {family("gemma3", gemma3), {"Gemma3ForCausalLM"}, RopePairs::halves, 6},
      {family("gpt2", gpt2), {"GPT2LMHeadModel"}},
      {family("phi3"), {"Phi3ForCausalLM"}},
  };
  return rows;
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw ModelError(Location{.file = path}, what);
}

std::string supported(bool classes) {
  std::string out;
  const auto add = [&](std::string_view name) { (out += out.empty() ? "" : ", ") += name; };
  for (const Architecture& row : table()) {
    if (!classes) add(row.traits.architecture);
    for (const std::string_view name : row.classes)
      if (classes) add(name);
  }
  return out;
}

// The tensors still to be ticked off, by name.
class Checklist {
 public:
  Checklist(std::span<const TensorView> tensors, const std::string& path) : path_(path) {
    for (const TensorView& view : tensors) left_.emplace(view.name, &view);
  }
  void need(const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto hit = left_.find(name);
    if (hit == left_.end()) fail(path_, message("The model has no tensor '", name, "'."));
    if (hit->second->shape != shape)
      fail(path_, message("The tensor '", name, "' has the shape ", text(hit->second->shape),
                          ", but the configuration asks for ", text(shape), "."));
    left_.erase(hit);
  }
  void may(const std::string& name, const std::vector<std::int64_t>& shape) {
    if (has(name)) need(name, shape);
  }
  bool has(const std::string& name) const { return left_.contains(name); }
  void done(std::string_view architecture) const {
    if (left_.empty()) return;
    fail(path_, message("The model has ", left_.size(), " tensors that the architecture '", architecture,
                        "' does not use, among them '", first(), "'."));
  }

 private:
  static std::string text(const std::vector<std::int64_t>& shape) {
    std::string out = "[";
    for (const std::int64_t n : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
    return out + "]";
  }
  std::string_view first() const {
    return std::ranges::min_element(left_, {}, [](const auto& entry) { return entry.first; })->first;
  }
  const std::string& path_;
  std::unordered_map<std::string_view, const TensorView*> left_;
};

void need_norm(Checklist& list, const ModelConfig& c, const std::string& name) {
  list.need(name + ".weight", {c.width});
  if (c.norm == NormKind::layer) list.need(name + ".bias", {c.width});
}

// A matrix, or several that a file may keep as one.
struct Part {
  std::string name;
  std::int64_t rows;
};
void need_matrix(Checklist& list, const std::string& fused, const std::vector<Part>& parts,
                 std::int64_t columns, bool bias) {
  const auto need = [&](const std::string& name, std::int64_t rows) {
    list.need(name + ".weight", {rows, columns});
    if (bias) list.need(name + ".bias", {rows});
  };
  std::int64_t total = 0;
  for (const Part& part : parts) total += part.rows;
  const bool apart = parts.size() > 1 && list.has(parts.front().name + ".weight");
  if (!apart && list.has(fused + ".weight")) return need(fused, total);
  for (const Part& part : parts) need(part.name, part.rows);
}

void check_block(Checklist& list, const ModelConfig& c, std::int64_t index) {
  const std::string block = "blk." + std::to_string(index) + ".";
  const std::int64_t queries = c.heads * c.head_width, keys = c.kv_heads * c.head_width;
  need_norm(list, c, block + "attn_norm");
  need_matrix(list, block + "attn_qkv",
              {{block + "attn_q", queries}, {block + "attn_k", keys}, {block + "attn_v", keys}}, c.width,
              c.attention_bias);
  if (c.head_norm) {
    list.need(block + "attn_q_norm.weight", {c.head_width});
    list.need(block + "attn_k_norm.weight", {c.head_width});
  }
  need_matrix(list, block + "attn_output", {{block + "attn_output", c.width}}, queries, c.output_bias);
  need_norm(list, c, block + "ffn_norm");
  std::vector<Part> up;
  if (c.gated) up.push_back({block + "ffn_gate", c.feed_forward});
  up.push_back({block + "ffn_up", c.feed_forward});
  need_matrix(list, block + "ffn_up", up, c.width, c.feed_forward_bias);
  need_matrix(list, block + "ffn_down", {{block + "ffn_down", c.width}}, c.feed_forward, c.feed_forward_bias);
  if (c.post_norms) {
    need_norm(list, c, block + "post_attention_norm");
    need_norm(list, c, block + "post_ffw_norm");
  }
}

}  // namespace

const Architecture& architecture_named(std::string_view name, const std::string& path) {
  const auto row =
      std::ranges::find(table(), name, [](const Architecture& a) { return a.traits.architecture; });
  if (row == table().end())
    fail(path, message("The architecture '", name, "' is not supported; supported: ", supported(false), "."));
  return *row;
}

const Architecture& architecture_of_class(std::string_view name, const std::string& path) {
  for (const Architecture& row : table())
    if (std::ranges::find(row.classes, name) != row.classes.end()) return row;
  fail(path, message("The architecture '", name, "' is not supported; supported: ", supported(true), "."));
}

std::vector<bool> local_layers(std::int64_t layers, std::int64_t global_every) {
  std::vector<bool> out;
  for (std::int64_t i = 0; i < layers && global_every > 1; ++i) out.push_back((i + 1) % global_every != 0);
  return out;
}

double yarn_attention_factor(double factor) {
  return factor <= 1 ? 1 : 0.1 * std::log(factor) + 1;
}
double longrope_attention_factor(double factor, std::int64_t original_context) {
  return factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original_context)));
}

void check_config(const ModelConfig& c, const std::string& path) {
  const auto within = [&](const char* what, std::int64_t n, std::int64_t most) {
    if (n < 1 || n > most)
      fail(path, message("The model states ", n, " for its ", what, "; 1 to ", most, " make sense."));
  };
  within("vocabulary", c.vocabulary, 1 << 24);
  within("context", c.context, 1 << 28);
  within("width", c.width, 1 << 20);
  within("number of layers", c.layers, 4096);
  within("number of heads", c.heads, 1 << 16);
  within("number of key/value heads", c.kv_heads, c.heads);
  within("head width", c.head_width, 1 << 16);
  within("feed-forward width", c.feed_forward, 1 << 24);
  if (!c.learned_positions) within("rotated width", c.rope_width, c.head_width);
  if (c.heads % c.kv_heads != 0)
    fail(path, message("The ", c.heads, " heads cannot share ", c.kv_heads, " key/value heads evenly."));
  if (c.rope_width % 2 != 0) fail(path, message("The rotated width ", c.rope_width, " is odd."));
  if (!(c.norm_epsilon > 0 && c.norm_epsilon < 1))
    fail(path, "The epsilon of the norm is not between 0 and 1.");
  if (!(c.rope_base > 1 && c.rope_base < 1e15))
    fail(path, "The base of the rotary embedding makes no sense.");
  if (c.local_rope_base && !(*c.local_rope_base > 1 && *c.local_rope_base < 1e15))
    fail(path, "The base of the local rotary embedding makes no sense.");
  if (!(c.rope_scaling.factor > 0 && c.rope_scaling.factor < 1e6))
    fail(path, "The factor of the rope scaling makes no sense.");
  if (!(c.rope_scaling.attention_factor > 0 && c.rope_scaling.attention_factor < 1e3))
    fail(path, "The attention factor of the rope scaling makes no sense.");
  for (const auto* divisors : {&c.rope_scaling.divisors, &c.rope_scaling.long_divisors}) {
    if (!divisors->empty() && static_cast<std::int64_t>(divisors->size()) != c.rope_width / 2)
      fail(path,
           message("There are ", divisors->size(), " rope factors for ", c.rope_width / 2, " frequencies."));
    if (!std::ranges::all_of(*divisors, [](double d) { return d > 0 && d < 1e9; }))
      fail(path, "A rope factor is not positive, or absurdly large.");
  }
  if (c.short_context() < 1) fail(path, "The original context of the rope scaling makes no sense.");
  if (!c.local_layers.empty() && static_cast<std::int64_t>(c.local_layers.size()) != c.layers)
    fail(path, message("There are ", c.local_layers.size(), " types of layers for ", c.layers, " layers."));
  if (c.attention_scale && !(*c.attention_scale > 0 && *c.attention_scale < 1e6))
    fail(path, "The scale of the attention scores makes no sense.");
}

void check_tensors(const ModelConfig& c, std::span<const TensorView> tensors, const std::string& path) {
  Checklist list(tensors, path);
  list.need("token_embd.weight", {c.vocabulary, c.width});
  need_norm(list, c, "output_norm");
  if (c.learned_positions) list.need("position_embd.weight", {c.context, c.width});
  if (!c.tied_head) list.need("output.weight", {c.vocabulary, c.width});
  for (const char* name : {"rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"})
    list.may(name, {c.rope_width / 2});
  for (std::int64_t i = 0; i < c.layers; ++i) check_block(list, c, i);
  list.done(c.architecture);
}

}  // namespace synthema::detail
