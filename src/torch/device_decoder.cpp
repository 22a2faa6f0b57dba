// The decoder on ATen operations, for CUDA. Keys and values of all sequences lie in one pool; every row
// gathers its own. Simple and correct; rows are not bitwise independent of their batch here, and the numeric
// path says which device answered.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "src/torch/decoder.hpp"
#include "src/torch/rope.hpp"

namespace synthema::detail {

namespace {

constexpr std::int64_t kGatherBytes = std::int64_t{1} << 30;  // of keys gathered at a time

template <class T>
at::Tensor tensor_of(const std::vector<T>& values, at::ScalarType type, at::Device device) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, type);
  std::copy(values.begin(), values.end(), out.data_ptr<T>());
  return out.to(device);
}

// What all layers share; index tensors are int64 on the device.
struct DeviceBatch {
  at::Tensor x;                            // {rows, width} float
  std::vector<at::Tensor> cosines, sines;  // {rows, 1, pairs} float, by kind of layer
  at::Tensor places;                       // {rows}: block * cpu::kKeysPerBlock + lane, where the new keys go
  at::Tensor table;                        // {rows, blocks} of each row's sequence, padded with block 0
  std::vector<at::Tensor> visible;         // {rows, 1, 1, keys} bool: of layers that see all, of local layers
};

class DeviceDecoder final : public Decoder {
 public:
  DeviceDecoder(const ModelConfig& config, Weights weights, at::Device device, at::ScalarType dtype,
                std::size_t blocks)
      : config_(config),
        weights_(std::move(weights)),
        device_(device),
        ropes_(ropes_of(config, false)),
        long_ropes_(ropes_of(config, true)),
        keys_(pool(dtype, blocks)),
        values_(pool(dtype, blocks)) {}

  void clear(std::int32_t block) override {
    const c10::InferenceMode inference;
    keys_.select(1, block).zero_();
    values_.select(1, block).zero_();
  }
  void copy(std::int32_t from, std::int32_t to) override {
    const c10::InferenceMode inference;
    keys_.select(1, to).copy_(keys_.select(1, from));
    values_.select(1, to).copy_(values_.select(1, from));
  }

  Logits run(std::span<const DecoderRow> rows, Workers*) override {
    DeviceBatch batch = prepare(rows);
    for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
      const Layer& layer = weights_.layers[i];
      batch.x =
          batch.x + normed(attention(batch, layer, static_cast<std::int64_t>(i)), layer.attention_post_norm);
      batch.x = batch.x + normed(feed_forward(batch.x, layer), layer.feed_forward_post_norm);
    }
    std::vector<std::int64_t> wanted;
    for (std::size_t r = 0; r < rows.size(); ++r)
      if (rows[r].wants_logits) wanted.push_back(static_cast<std::int64_t>(r));
    if (wanted.empty()) return {};
    const at::Tensor last = batch.x.index_select(0, tensor_of(wanted, at::kLong, device_));
    std::vector<std::int64_t> place(wanted.size());
    std::iota(place.begin(), place.end(), 0);
    return {weights_.head(normed(last, weights_.final_norm)).cpu(), std::move(place)};
  }

 private:
  at::Tensor pool(at::ScalarType dtype, std::size_t blocks) const {
    // Blocks are cleared before they are used.
    return at::empty({config_.layers, static_cast<std::int64_t>(blocks), cpu::kKeysPerBlock, config_.kv_heads,
                      config_.head_width},
                     at::TensorOptions(dtype).device(device_));
  }

  DeviceBatch prepare(std::span<const DecoderRow> rows) const {
    const auto count = static_cast<std::int64_t>(rows.size());
    std::vector<std::int64_t> tokens, positions, places, table;
    std::size_t width = 1;
    for (const DecoderRow& row : rows)
      width = std::max(width, static_cast<std::size_t>(row.position / cpu::kKeysPerBlock) + 1);
    const auto keys = static_cast<std::int64_t>(width) * cpu::kKeysPerBlock;
    at::Tensor all = at::zeros({count, 1, 1, keys}, at::kBool),
               near = at::zeros({count, 1, 1, keys}, at::kBool);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const DecoderRow& row = rows[r];
      tokens.push_back(row.token);
      positions.push_back(row.position);
      const auto own = static_cast<std::size_t>(row.position / cpu::kKeysPerBlock);
      places.push_back((*row.blocks)[own] * cpu::kKeysPerBlock + row.position % cpu::kKeysPerBlock);
      for (std::size_t b = 0; b < width; ++b) table.push_back(b <= own ? (*row.blocks)[b] : (*row.blocks)[0]);
      const auto at = static_cast<std::int64_t>(r);
      const std::int64_t window = config_.sliding_window.value_or(row.position + 1);
      all[at].slice(2, 0, row.position + 1).fill_(true);
      near[at].slice(2, std::max<std::int64_t>(0, row.position + 1 - window), row.position + 1).fill_(true);
    }
    DeviceBatch batch;
    batch.x = embedded(tokens, positions);
    for (std::size_t i = 0; i < ropes_.size(); ++i) {
      std::vector<float> cosines, sines;
      for (const DecoderRow& row : rows)
        (row.is_long ? long_ropes_ : ropes_)[i].append(row.position, cosines, sines);
      const std::int64_t pairs = ropes_[i].pairs();
      batch.cosines.push_back(tensor_of(cosines, at::kFloat, device_).view({count, 1, pairs}));
      batch.sines.push_back(tensor_of(sines, at::kFloat, device_).view({count, 1, pairs}));
    }
    batch.places = tensor_of(places, at::kLong, device_);
    batch.table = tensor_of(table, at::kLong, device_).view({count, static_cast<std::int64_t>(width)});
    batch.visible = {all.to(device_), near.to(device_)};
    return batch;
  }

  at::Tensor embedded(const std::vector<std::int64_t>& tokens,
                      const std::vector<std::int64_t>& positions) const {
    const auto rows_of = [&](const at::Tensor& matrix, const std::vector<std::int64_t>& rows) {
      return matrix.index_select(0, tensor_of(rows, at::kLong, device_)).to(at::kFloat);
    };
    at::Tensor out = rows_of(weights_.embedding, tokens) * config_.embedding_scale;
    return weights_.positions.defined() ? out + rows_of(weights_.positions, positions) : out;
  }

  // x itself where there is no norm.
  at::Tensor normed(const at::Tensor& x, const Norm& norm) const {
    if (!norm.gain.defined()) return x;
    const at::Tensor centred = norm.bias.defined() ? x - x.mean(-1, true) : x;
    const at::Tensor out =
        centred * at::rsqrt((centred * centred).mean(-1, true) + config_.norm_epsilon) * norm.gain;
    return norm.bias.defined() ? out + norm.bias : out;
  }

  at::Tensor feed_forward(const at::Tensor& x, const Layer& layer) const {
    const auto parts = layer.gate_up(normed(x, layer.feed_forward_norm)).chunk(config_.gated ? 2 : 1, 1);
    const at::Tensor active = config_.activation == "silu" ? at::silu(parts[0]) : at::gelu(parts[0], "tanh");
    return layer.down(config_.gated ? active * parts[1] : active);
  }

  // x {rows, heads, head width}.
  at::Tensor rotated(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) const {
    const at::Tensor turning = x.narrow(2, 0, config_.rope_width);
    const bool adjacent = config_.rope_pairs == RopePairs::adjacent;
    const std::int64_t pairs = config_.rope_width / 2;
    const at::Tensor a = adjacent ? turning.slice(2, 0, std::nullopt, 2) : turning.narrow(2, 0, pairs);
    const at::Tensor b = adjacent ? turning.slice(2, 1, std::nullopt, 2) : turning.narrow(2, pairs, pairs);
    const at::Tensor first = a * cosines - b * sines, second = a * sines + b * cosines;
    const at::Tensor joined =
        adjacent ? at::stack({first, second}, -1).flatten(2) : at::cat({first, second}, 2);
    return at::cat({joined, x.narrow(2, config_.rope_width, config_.head_width - config_.rope_width)}, 2);
  }

  at::Tensor attention(const DeviceBatch& batch, const Layer& layer, std::int64_t index) const {
    const std::int64_t rows = batch.x.size(0), heads = config_.heads, kv = config_.kv_heads;
    const at::Tensor qkv =
        layer.qkv(normed(batch.x, layer.attention_norm)).view({rows, heads + 2 * kv, config_.head_width});
    at::Tensor queries = qkv.narrow(1, 0, heads), keys = qkv.narrow(1, heads, kv);
    const std::size_t kind = rope_of_layer(config_, index);
    queries = rotated(normed(queries, layer.query_norm), batch.cosines[kind], batch.sines[kind]);
    keys = rotated(normed(keys, layer.key_norm), batch.cosines[kind], batch.sines[kind]);
    put(keys_[index], batch.places, keys);
    put(values_[index], batch.places, qkv.narrow(1, heads + kv, kv));
    queries = queries.to(keys_.scalar_type());
    const std::int64_t row_bytes =
        batch.visible[0].size(3) * kv * config_.head_width * static_cast<std::int64_t>(keys_.element_size());
    const std::int64_t step = std::max<std::int64_t>(1, kGatherBytes / row_bytes);
    std::vector<at::Tensor> mixed;
    for (std::int64_t r = 0; r < rows; r += step)
      mixed.push_back(attend_rows(batch, queries, index, r, std::min(step, rows - r)));
    return layer.output(at::cat(mixed).to(at::kFloat));
  }

  static void put(at::Tensor layer_pool, const at::Tensor& places, const at::Tensor& rows) {
    layer_pool.view({-1, rows.size(1), rows.size(2)})
        .index_copy_(0, places, rows.to(layer_pool.scalar_type()));
  }

  at::Tensor attend_rows(const DeviceBatch& batch, const at::Tensor& queries, std::int64_t index,
                         std::int64_t begin, std::int64_t count) const {
    const at::Tensor table = batch.table.narrow(0, begin, count).flatten();
    const at::Tensor& visible = batch.visible[config_.is_local(index) ? 1 : 0];
    const auto gathered = [&](const at::Tensor& from) {
      return from[index]
          .index_select(0, table)
          .view({count, -1, config_.kv_heads, config_.head_width})
          .transpose(1, 2)
          .repeat_interleave(config_.heads / config_.kv_heads, 1);
    };
    return at::scaled_dot_product_attention(queries.narrow(0, begin, count).unsqueeze(2), gathered(keys_),
                                            gathered(values_), visible.narrow(0, begin, count), 0.0, false,
                                            attention_scale(config_))
        .reshape({count, config_.heads * config_.head_width});
  }

  ModelConfig config_;
  Weights weights_;
  at::Device device_;
  std::vector<Rope> ropes_, long_ropes_;
  at::Tensor keys_, values_;  // {layers, blocks, cpu::kKeysPerBlock, kv_heads, head_width}
};

}  // namespace

std::unique_ptr<Decoder> make_device_decoder(const ModelConfig& config, Weights weights, at::Device device,
                                             at::ScalarType dtype, std::size_t blocks) {
  return std::make_unique<DeviceDecoder>(config, std::move(weights), device, dtype, blocks);
}

}  // namespace synthema::detail
