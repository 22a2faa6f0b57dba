#include "src/model/architecture.hpp"

#include <algorithm>
#include <unordered_map>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

const std::vector<Architecture>& table() {
  static const std::vector<Architecture> rows = {
      {"llama", {"LlamaForCausalLM", "MistralForCausalLM"}, RopePairs::adjacent, "silu"},
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
    if (!classes) add(row.name);
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
    if (left_.contains(name)) need(name, shape);
  }
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

void check_block(Checklist& list, const ModelConfig& c, std::int64_t index) {
  const std::string block = "blk." + std::to_string(index) + ".";
  const std::int64_t queries = c.heads * c.head_width, keys = c.kv_heads * c.head_width;
  list.need(block + "attn_norm.weight", {c.width});
  list.need(block + "attn_q.weight", {queries, c.width});
  list.need(block + "attn_k.weight", {keys, c.width});
  list.need(block + "attn_v.weight", {keys, c.width});
  list.need(block + "attn_output.weight", {c.width, queries});
  if (c.attention_bias) {
    list.need(block + "attn_q.bias", {queries});
    list.need(block + "attn_k.bias", {keys});
    list.need(block + "attn_v.bias", {keys});
  }
  if (c.head_norm) {
    list.need(block + "attn_q_norm.weight", {c.head_width});
    list.need(block + "attn_k_norm.weight", {c.head_width});
  }
  list.need(block + "ffn_norm.weight", {c.width});
  list.need(block + "ffn_gate.weight", {c.feed_forward, c.width});
  list.need(block + "ffn_up.weight", {c.feed_forward, c.width});
  list.need(block + "ffn_down.weight", {c.width, c.feed_forward});
}

}  // namespace

const Architecture& architecture_named(std::string_view name, const std::string& path) {
  const auto row = std::ranges::find(table(), name, &Architecture::name);
  if (row == table().end())
    fail(path, message("The architecture '", name, "' is not supported; supported: ", supported(false), "."));
  return *row;
}

const Architecture& architecture_of_class(std::string_view name, const std::string& path) {
  for (const Architecture& row : table())
    if (std::ranges::find(row.classes, name) != row.classes.end()) return row;
  fail(path, message("The architecture '", name, "' is not supported; supported: ", supported(true), "."));
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
  within("rotated width", c.rope_width, c.head_width);
  if (c.heads % c.kv_heads != 0)
    fail(path, message("The ", c.heads, " heads cannot share ", c.kv_heads, " key/value heads evenly."));
  if (c.rope_width % 2 != 0) fail(path, message("The rotated width ", c.rope_width, " is odd."));
  if (!(c.norm_epsilon > 0 && c.norm_epsilon < 1))
    fail(path, "The epsilon of the norm is not between 0 and 1.");
  if (!(c.rope_base > 1 && c.rope_base < 1e15))
    fail(path, "The base of the rotary embedding makes no sense.");
  if (!(c.rope_scaling.factor > 0 && c.rope_scaling.factor < 1e6))
    fail(path, "The factor of the rope scaling makes no sense.");
}

void check_tensors(const ModelConfig& c, std::span<const TensorView> tensors, const std::string& path) {
  Checklist list(tensors, path);
  list.need("token_embd.weight", {c.vocabulary, c.width});
  list.need("output_norm.weight", {c.width});
  if (!c.tied_head) list.need("output.weight", {c.vocabulary, c.width});
  list.may("rope_freqs.weight", {c.rope_width / 2});
  for (std::int64_t i = 0; i < c.layers; ++i) check_block(list, c, i);
  list.done(c.architecture);
}

}  // namespace synthema::detail
