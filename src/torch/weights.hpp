// The weights of a decoder, checked against its configuration and ready for products.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "src/torch/linear.hpp"
#include "synthema/model/model_config.hpp"
#include "synthema/torch/transformer.hpp"

namespace synthema::detail {

struct Norm {
  at::Tensor gain,
      bias;  // float; without a gain there is no norm, without a bias it is one of root mean squares
};

struct Layer {
  Norm attention_norm, feed_forward_norm;            // before attention and feed-forward,
  Norm attention_post_norm, feed_forward_post_norm;  // and behind them, where the family has post_norms
  Norm query_norm, key_norm;                         // of each head, where the family has head_norm
  Linear qkv;      // {heads + 2 kv_heads} x head_width rows: queries, keys, values
  Linear output;   // of the attention
  Linear gate_up;  // gate rows, then up rows; without a gate the up rows alone
  Linear down;
};

struct Weights {
  at::Tensor
      embedding;  // {vocabulary, width}, in the type of the products; undefined where they are integers:
  std::shared_ptr<const cpu::CodedMatrix> coded_embedding;
  std::vector<Layer> layers;
  at::Tensor positions;  // {context, width} likewise; undefined without learned positions
  Norm final_norm;
  Linear head;
};

// dtype kChar asks for integer products. ModelError names the tensor that is missing or has another shape
// than `config` says.
Weights load_weights(const ModelConfig& config, const WeightSource& source, at::Device device,
                     at::ScalarType dtype);

}  // namespace synthema::detail
