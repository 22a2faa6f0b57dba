#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <utility>

#include "src/torch/decoder.hpp"
#include "src/torch/kernels.hpp"
#include "src/torch/rope.hpp"

namespace synthema::detail {

namespace {

// Where a layer's keys and values of one head lie inside a block, in floats.
struct BlockLayout {
  explicit BlockLayout(const ModelConfig& config)
      : kv_heads(config.kv_heads),
        key_size(config.head_width * kKeysPerBlock),
        value_size(padded_head(config.head_width) * kKeysPerBlock),
        size(config.layers * config.kv_heads * (key_size + value_size)) {}
  std::int64_t keys(std::int64_t layer, std::int64_t head) const {
    return (layer * kv_heads + head) * (key_size + value_size);
  }
  std::int64_t values(std::int64_t layer, std::int64_t head) const { return keys(layer, head) + key_size; }

  std::int64_t kv_heads, key_size, value_size, size;
};

float* row_of(const at::Tensor& matrix, std::size_t row) {
  return matrix.data_ptr<float>() + static_cast<std::int64_t>(row) * matrix.size(1);
}

struct Angles {
  std::vector<float> cosines, sines;  // {rows, pairs}
};

// The part of one run() that all layers share.
struct Batch {
  std::span<const DecoderRow> rows;
  std::vector<std::vector<const float*>> blocks;  // by row
  std::vector<Angles> angles;                     // by kind of layer
  at::Tensor x, normed, mixed, inner;             // {padded rows, ...}; padding rows stay zero
};

class CpuDecoder final : public Decoder {
 public:
  CpuDecoder(const ModelConfig& config, Weights weights)
      : config_(config),
        weights_(std::move(weights)),
        layout_(config),
        ropes_(ropes_of(config)),
        scale_(static_cast<float>(attention_scale(config))),
        activation_(config.activation == "silu" ? Activation::silu : Activation::gelu_tanh) {}

  void clear(std::int32_t block) override {
    const auto index = static_cast<std::size_t>(block);
    if (index >= blocks_.size()) blocks_.resize(index + 1);
    if (!blocks_[index]) blocks_[index] = std::make_unique<float[]>(static_cast<std::size_t>(layout_.size));
    std::fill_n(blocks_[index].get(), layout_.size, 0.0f);
  }
  void copy(std::int32_t from, std::int32_t to) override {
    std::copy_n(block(from), layout_.size, block(to));
  }

  Logits run(std::span<const DecoderRow> rows) override {
    Batch batch = prepare(rows);
    for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
      attention(batch, weights_.layers[i], static_cast<std::int64_t>(i));
      feed_forward(batch, weights_.layers[i]);
    }
    return logits(batch);
  }

 private:
  float* block(std::int32_t index) const { return blocks_[static_cast<std::size_t>(index)].get(); }

  Batch prepare(std::span<const DecoderRow> rows) const {
    Batch batch;
    batch.rows = rows;
    const std::int64_t padded = padded_rows(static_cast<std::int64_t>(rows.size()));
    batch.x = at::zeros({padded, config_.width}, at::kFloat);
    batch.normed = at::zeros({padded, config_.width}, at::kFloat);
    batch.mixed = at::zeros({padded, config_.heads * config_.head_width}, at::kFloat);
    batch.inner = at::zeros({padded, config_.feed_forward}, at::kFloat);
    batch.angles.resize(ropes_.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      embed(rows[r], row_of(batch.x, r));
      std::vector<const float*>& pointers = batch.blocks.emplace_back();
      for (const std::int32_t b : *rows[r].blocks) pointers.push_back(block(b));
      for (std::size_t i = 0; i < ropes_.size(); ++i)
        ropes_[i].append(rows[r].position, batch.angles[i].cosines, batch.angles[i].sines);
    }
    return batch;
  }

  static std::int64_t used(const Batch& batch) { return static_cast<std::int64_t>(batch.rows.size()); }

  void embed(const DecoderRow& row, float* out) const {
    if (weights_.coded_embedding) {
      weights_.coded_embedding->decode(row.token, out);
    } else {
      const at::Tensor token = weights_.embedding.select(0, row.token).to(at::kFloat);
      std::copy_n(token.data_ptr<float>(), config_.width, out);
    }
    const auto scale = static_cast<float>(config_.embedding_scale);
    for (float& x : std::span(out, static_cast<std::size_t>(config_.width))) x *= scale;
    if (!weights_.positions.defined()) return;
    const at::Tensor position = weights_.positions.select(0, row.position).to(at::kFloat);
    add(position.data_ptr<float>(), out, config_.width);
  }

  // out may be x.
  void norm(const Norm& norm, const float* x, float* out) const {
    const auto epsilon = static_cast<float>(config_.norm_epsilon);
    const std::int64_t width = norm.gain.size(0);
    if (norm.bias.defined())
      layer_norm(x, norm.gain.data_ptr<float>(), norm.bias.data_ptr<float>(), out, width, epsilon);
    else
      rms_norm(x, norm.gain.data_ptr<float>(), out, width, epsilon);
  }
  void norm_rows(const Batch& batch, const Norm& gain) const {
    for (std::size_t r = 0; r < batch.rows.size(); ++r)
      norm(gain, row_of(batch.x, r), row_of(batch.normed, r));
  }

  // Adds what attention or feed-forward gave, after its own norm where there is one.
  void add_rows(const Batch& batch, const Norm& post, const at::Tensor& change) const {
    for (std::size_t r = 0; r < batch.rows.size(); ++r) {
      float* row = row_of(change, r);
      if (post.gain.defined()) norm(post, row, row);
      add(row, row_of(batch.x, r), batch.x.size(1));
    }
  }

  void attention(const Batch& batch, const Layer& layer, std::int64_t index) const {
    norm_rows(batch, layer.attention_norm);
    const at::Tensor qkv = layer.qkv(batch.normed, used(batch));
    for (std::size_t r = 0; r < batch.rows.size(); ++r) append(batch, layer, index, r, row_of(qkv, r));
    // Heads outermost: the keys and values of a shared prefix stay in the cache of the core for all rows.
    for (std::int64_t head = 0; head < config_.kv_heads; ++head)
      for (std::size_t r = 0; r < batch.rows.size(); ++r) mix(batch, index, head, r, row_of(qkv, r));
    add_rows(batch, layer.attention_post_norm, layer.output(batch.mixed, used(batch)));
  }

  // Rotates the row's queries and keys and stores its keys and values.
  void append(const Batch& batch, const Layer& layer, std::int64_t index, std::size_t r, float* qkv) const {
    const std::int64_t d = config_.head_width;
    const std::size_t kind = rope_of_layer(config_, index);
    const std::int64_t pairs = ropes_[kind].pairs();
    const float* cosines = batch.angles[kind].cosines.data() + static_cast<std::int64_t>(r) * pairs;
    const float* sines = batch.angles[kind].sines.data() + static_cast<std::int64_t>(r) * pairs;
    for (std::int64_t head = 0; head < config_.heads + config_.kv_heads; ++head) {
      float* vector = qkv + head * d;
      const Norm& own = head < config_.heads ? layer.query_norm : layer.key_norm;
      if (own.gain.defined()) norm(own, vector, vector);
      rotate(vector, cosines, sines, pairs, config_.rope_pairs == RopePairs::adjacent);
    }
    const DecoderRow& row = batch.rows[r];
    float* to = block((*row.blocks)[static_cast<std::size_t>(row.position / kKeysPerBlock)]);
    const std::int64_t lane = row.position % kKeysPerBlock;
    for (std::int64_t head = 0; head < config_.kv_heads; ++head) {
      const float* key = qkv + (config_.heads + head) * d;
      store_key(key, to + layout_.keys(index, head), lane, d);
      store_value(key + config_.kv_heads * d, to + layout_.values(index, head), lane, d);
    }
  }

  void mix(const Batch& batch, std::int64_t index, std::int64_t kv_head, std::size_t r,
           const float* qkv) const {
    const std::int64_t group = config_.heads / config_.kv_heads, d = config_.head_width;
    const std::int64_t position = batch.rows[r].position;
    const AttentionSpan span{batch.blocks[r].data(),
                             layout_.keys(index, kv_head),
                             layout_.values(index, kv_head),
                             first_visible(config_, index, position),
                             position,
                             d,
                             scale_};
    for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head)
      attend(span, qkv + head * d, row_of(batch.mixed, r) + head * d);
  }

  void feed_forward(const Batch& batch, const Layer& layer) const {
    norm_rows(batch, layer.feed_forward_norm);
    const at::Tensor gate_up = layer.gate_up(batch.normed, used(batch));
    for (std::size_t r = 0; r < batch.rows.size(); ++r)
      activate(activation_, config_.gated, row_of(gate_up, r), row_of(batch.inner, r), config_.feed_forward);
    add_rows(batch, layer.feed_forward_post_norm, layer.down(batch.inner, used(batch)));
  }

  // Rows that want all logits come first in the result, so that one product serves them; the others get the
  // outputs they ask for one by one.
  Logits logits(const Batch& batch) const {
    std::vector<std::size_t> whole, sliced;
    Logits out;
    for (std::size_t r = 0; r < batch.rows.size(); ++r)
      if (batch.rows[r].wants_logits)
        (weights_.head.can_slice(batch.rows[r].allowed) ? sliced : whole).push_back(r);
    const std::size_t wanted = whole.size() + sliced.size();
    if (wanted == 0) return out;
    std::size_t next_whole = 0, next_sliced = whole.size();
    for (const DecoderRow& row : batch.rows)
      if (row.wants_logits)
        out.place.push_back(
            static_cast<std::int64_t>(weights_.head.can_slice(row.allowed) ? next_sliced++ : next_whole++));
    const at::Tensor last =
        at::zeros({padded_rows(static_cast<std::int64_t>(wanted)), config_.width}, at::kFloat);
    std::size_t to = 0;
    for (const std::vector<std::size_t>* rows : {&whole, &sliced})
      for (const std::size_t r : *rows) norm(weights_.final_norm, row_of(batch.x, r), row_of(last, to++));
    out.rows = weights_.head(last, static_cast<std::int64_t>(whole.size()));
    for (std::size_t i = 0; i < sliced.size(); ++i)
      weights_.head.slice(row_of(last, whole.size() + i), batch.rows[sliced[i]].allowed,
                          row_of(out.rows, whole.size() + i));
    return out;
  }

  ModelConfig config_;
  Weights weights_;
  BlockLayout layout_;
  std::vector<Rope> ropes_;
  float scale_;
  Activation activation_;
  std::vector<std::unique_ptr<float[]>> blocks_;
};

}  // namespace

std::unique_ptr<Decoder> make_cpu_decoder(const ModelConfig& config, Weights weights) {
  return std::make_unique<CpuDecoder>(config, std::move(weights));
}

}  // namespace synthema::detail
