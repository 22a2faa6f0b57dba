// The weights of a Llama-family decoder, checked against its configuration and ready for products.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "src/torch/linear.hpp"
#include "synthema/model/model_config.hpp"
#include "synthema/torch/transformer.hpp"

namespace synthema::detail {

struct Layer {
  at::Tensor attention_norm, feed_forward_norm;  // gains, float
  at::Tensor query_norm, key_norm;               // of each head; undefined without head_norm
  Linear qkv;      // {heads + 2 kv_heads} x head_width rows: queries, keys, values
  Linear output;   // of the attention
  Linear gate_up;  // gate rows, then up rows
  Linear down;
};

struct Weights {
  at::Tensor
      embedding;  // {vocabulary, width}, in the type of the products; undefined where they are integers:
  std::shared_ptr<const cpu::CodedMatrix> coded_embedding;
  std::vector<Layer> layers;
  at::Tensor final_norm;
  Linear head;
  std::vector<float> rope_divisors;  // empty unless the file has them
};

// dtype kChar asks for integer products. ModelError names the tensor that is missing or has another shape
// than `config` says.
Weights load_weights(const ModelConfig& config, const WeightSource& source, at::Device device,
                     at::ScalarType dtype);

}  // namespace synthema::detail
