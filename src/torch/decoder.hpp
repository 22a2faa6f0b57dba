// A decoder computes rows (one new token of one sequence each) through all layers. One implementation for the
// CPU with kernels of our own, one on ATen operations for other devices.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/cpu/attention.hpp"
#include "src/torch/part_times.hpp"
#include "src/torch/sequences.hpp"
#include "src/torch/weights.hpp"
#include "src/torch/workers.hpp"

namespace synthema::detail {

struct DecoderRow {
  TokenId token = 0;
  std::int64_t position = 0;
  const std::vector<std::int32_t>* blocks = nullptr;  // of its sequence, reserved up to this position
  bool wants_logits = false;
  std::span<const TokenId> allowed;  // whose logits are wanted; empty: all
  bool is_long = false;              // its sequence is computed as one beyond the short context
};

// Logits {wanted rows or more, vocabulary}, float, on the CPU. The i-th row that wants them has place[i];
// where it asked for some ids only, the others may be anything.
struct Logits {
  at::Tensor rows;
  std::vector<std::int64_t> place;
};

class Decoder : public BlockStore {
 public:
  // Appends keys and values of all rows, then returns the logits of those that want them. Rows of a sequence
  // come in order, each after all before it. Concurrent calls are allowed for different sequences.
  // With a team its threads share the work; else all of it is done here.
  virtual Logits run(std::span<const DecoderRow> rows, Workers* team) = 0;

  PartTimes& times() { return times_; }

 protected:
  PartTimes times_;
};

std::unique_ptr<Decoder> make_cpu_decoder(const ModelConfig& config, Weights weights, cpu::KvType kv_type);
std::unique_ptr<Decoder> make_device_decoder(const ModelConfig& config, Weights weights, at::Device device,
                                             at::ScalarType dtype, std::size_t blocks);

// First position that a query at `position` sees in a layer.
inline std::int64_t first_visible(const ModelConfig& config, std::int64_t layer, std::int64_t position) {
  return config.is_local(layer) ? std::max<std::int64_t>(0, position - *config.sliding_window + 1) : 0;
}
// Of the products of queries and keys.
inline double attention_scale(const ModelConfig& config) {
  return config.attention_scale.value_or(1 / std::sqrt(static_cast<double>(config.head_width)));
}

}  // namespace synthema::detail
