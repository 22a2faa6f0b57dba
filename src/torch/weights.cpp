#include "src/torch/weights.hpp"

#include <ATen/ops/empty.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string out = "{";
  for (const std::int64_t n : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
  return out + "}";
}

class Loader {
 public:
  Loader(const WeightSource& source, at::Device device, at::ScalarType dtype)
      : source_(source), device_(device), dtype_(dtype) {}

  bool has(const std::string& name) const { return source_.shape(name).has_value(); }

  Norm norm(const std::string& name, std::int64_t width, NormKind kind) const {
    return {vector(name + ".weight", width),
            kind == NormKind::layer ? vector(name + ".bias", width) : at::Tensor()};
  }
  at::Tensor matrix(const std::string& name, std::int64_t rows, std::int64_t columns) const {
    return joined({{name, rows}}, columns);
  }
  // Matrices of the same number of columns, one below the other.
  struct Part {
    std::string name;
    std::int64_t rows;
  };
  Linear linear(const std::vector<Part>& parts, std::int64_t columns) const {
    if (integers())
      return Linear(coded(with_suffix(parts, ".weight"), columns), bias_of(with_suffix(parts, ".bias")));
    at::Tensor weight = joined(with_suffix(parts, ".weight"), columns);
    return Linear(std::move(weight), bias_of(with_suffix(parts, ".bias")));
  }
  // The same where a file may keep all parts as one matrix.
  Linear linear(const std::string& fused, const std::vector<Part>& parts, std::int64_t columns) const {
    const bool apart = parts.size() == 1 || has(parts.front().name + ".weight");
    return !apart && has(fused + ".weight") ? linear({{fused, rows_of(parts)}}, columns)
                                            : linear(parts, columns);
  }

  bool integers() const { return dtype_ == at::kChar; }
  // The matrices as the file codes them, joined where neighbours are coded alike; what the file holds as
  // plain numbers, or in groups of 16 with offsets (Q2_K), is coded with 8 bits.
  std::vector<std::shared_ptr<const cpu::CodedMatrix>> coded(const std::vector<Part>& parts,
                                                             std::int64_t columns) const {
    std::vector<Joined> joined;
    for (const Part& part : parts) {
      require(part.name, {part.rows, columns});
      std::optional<GroupedCodes> codes = source_.codes ? source_.codes(part.name) : std::nullopt;
      if (codes &&
          (columns % codes->coding.group != 0 || (codes->coding.offsets && codes->coding.group == 16)))
        codes.reset();
      if (!codes || joined.empty() || !joined.back().takes(*codes))
        joined.push_back({part.rows, std::move(codes), codes ? std::vector<float>() : floats(part, columns)});
      else
        joined.back().append(part.rows, *codes);
    }
    std::vector<std::shared_ptr<const cpu::CodedMatrix>> out;
    for (const Joined& one : joined)
      out.push_back(std::make_shared<cpu::CodedMatrix>(one.matrix(columns, memory_)));
    return out;
  }

 private:
  at::Tensor vector(const std::string& name, std::int64_t width) const {
    at::Tensor out = at::empty({width}, at::kFloat);
    read(name, {width}, out.data_ptr<float>());
    return out.to(device_);
  }
  struct Joined {
    std::int64_t rows;
    std::optional<GroupedCodes> codes;
    std::vector<float> floats;

    bool takes(const GroupedCodes& more) const { return codes && codes->coding == more.coding; }
    void append(std::int64_t more_rows, const GroupedCodes& more) {
      rows += more_rows;
      codes->codes.insert(codes->codes.end(), more.codes.begin(), more.codes.end());
      codes->scales.insert(codes->scales.end(), more.scales.begin(), more.scales.end());
      codes->offsets.insert(codes->offsets.end(), more.offsets.begin(), more.offsets.end());
    }
    cpu::CodedMatrix matrix(std::int64_t columns, cpu::SharedPages& memory) const {
      if (!codes) return cpu::CodedMatrix::from_floats(rows, columns, floats, memory);
      const GroupCoding& c = codes->coding;
      return {rows,           columns, {c.group, c.bits, c.zero, c.offsets}, codes->codes, codes->scales,
              codes->offsets, memory};
    }
  };
  std::vector<float> floats(const Part& part, std::int64_t columns) const {
    std::vector<float> out(static_cast<std::size_t>(part.rows * columns));
    source_.read(part.name, out);
    return out;
  }
  at::ScalarType plain_type() const { return integers() ? at::kFloat : dtype_; }

  static std::vector<Part> with_suffix(std::vector<Part> parts, const char* suffix) {
    for (Part& part : parts) part.name += suffix;
    return parts;
  }
  static std::int64_t rows_of(const std::vector<Part>& parts) {
    std::int64_t rows = 0;
    for (const Part& part : parts) rows += part.rows;
    return rows;
  }
  at::Tensor joined(const std::vector<Part>& parts, std::int64_t columns) const {
    for (const Part& part : parts) require(part.name, {part.rows, columns});  // before memory is asked for
    at::Tensor out = at::empty({rows_of(parts), columns}, at::kFloat);
    float* to = out.data_ptr<float>();
    for (const Part& part : parts) {
      read(part.name, {part.rows, columns}, to);
      to += part.rows * columns;
    }
    return out.to(device_, plain_type());
  }
  // All parts have a bias or none has.
  at::Tensor bias_of(const std::vector<Part>& parts) const {
    if (!has(parts.front().name)) return {};
    at::Tensor out = at::empty({rows_of(parts)}, at::kFloat);
    float* to = out.data_ptr<float>();
    for (const Part& part : parts) {
      read(part.name, {part.rows}, to);
      to += part.rows;
    }
    return out.to(device_, plain_type());
  }
  void require(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto found = source_.shape(name);
    if (!found)
      throw ModelError(message("The model has no tensor '", name, "', which its configuration needs."));
    if (*found != shape)
      throw ModelError(message("Tensor '", name, "' has the shape ", text_of(*found),
                               ", but the model's configuration says ", text_of(shape), "."));
  }
  void read(const std::string& name, const std::vector<std::int64_t>& shape, float* out) const {
    require(name, shape);
    std::size_t elements = 1;
    for (const std::int64_t n : shape) elements *= static_cast<std::size_t>(n);
    source_.read(name, std::span(out, elements));
  }

  const WeightSource& source_;
  at::Device device_;
  at::ScalarType dtype_;
  mutable cpu::SharedPages memory_;  // of the coded matrices
};

Layer load_layer(const ModelConfig& config, const Loader& loader, std::int64_t index) {
  const std::string block = "blk." + std::to_string(index) + ".";
  const std::int64_t queries = config.heads * config.head_width, keys = config.kv_heads * config.head_width;
  Layer layer;
  const auto norm = [&](const char* name) { return loader.norm(block + name, config.width, config.norm); };
  layer.attention_norm = norm("attn_norm");
  layer.feed_forward_norm = norm("ffn_norm");
  if (config.post_norms) {
    layer.attention_post_norm = norm("post_attention_norm");
    layer.feed_forward_post_norm = norm("post_ffw_norm");
  }
  if (config.head_norm) {
    layer.query_norm = loader.norm(block + "attn_q_norm", config.head_width, NormKind::rms);
    layer.key_norm = loader.norm(block + "attn_k_norm", config.head_width, NormKind::rms);
  }
  layer.qkv = loader.linear(block + "attn_qkv",
                            {{block + "attn_q", queries}, {block + "attn_k", keys}, {block + "attn_v", keys}},
                            config.width);
  layer.output = loader.linear({{block + "attn_output", config.width}}, queries);
  std::vector<Loader::Part> up;
  if (config.gated) up.push_back({block + "ffn_gate", config.feed_forward});
  up.push_back({block + "ffn_up", config.feed_forward});
  layer.gate_up = loader.linear(block + "ffn_up", up, config.width);
  layer.down = loader.linear({{block + "ffn_down", config.width}}, config.feed_forward);
  return layer;
}

}  // namespace

Weights load_weights(const ModelConfig& config, const WeightSource& source, at::Device device,
                     at::ScalarType dtype) {
  const Loader loader(source, device, dtype);
  Weights weights;
  if (loader.integers())
    weights.coded_embedding = loader.coded({{"token_embd.weight", config.vocabulary}}, config.width).front();
  else
    weights.embedding = loader.matrix("token_embd.weight", config.vocabulary, config.width);
  for (std::int64_t i = 0; i < config.layers; ++i) weights.layers.push_back(load_layer(config, loader, i));
  if (config.learned_positions)
    weights.positions = loader.matrix("position_embd.weight", config.context, config.width);
  weights.final_norm = loader.norm("output_norm", config.width, config.norm);
  weights.head = !config.tied_head   ? loader.linear({{"output", config.vocabulary}}, config.width)
                 : loader.integers() ? Linear({weights.coded_embedding}, {})
                                     : Linear(weights.embedding, {});
  return weights;
}

}  // namespace synthema::detail
