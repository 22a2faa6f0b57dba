// Float kernels of the CPU path: what stands between the matrix products. Each works on one row and adds in
// one fixed order, so a row's bytes cannot depend on its neighbours. The compiler builds them per instruction
// set; one of them is chosen per machine.
#pragma once

#include <cstdint>

namespace synthema::detail {

constexpr std::int64_t kKeysPerBlock = 32;  // of the key-value cache; attention adds up block by block
constexpr std::int64_t kLanes = 16;         // value rows are padded to a multiple of this
constexpr std::int64_t kWidestHead = 256;

constexpr std::int64_t padded_head(std::int64_t width) {
  return (width + kLanes - 1) / kLanes * kLanes;
}

// out = x / sqrt(mean(x^2) + epsilon) * gain; out may be x.
void rms_norm(const float* x, const float* gain, float* out, std::int64_t width, float epsilon);

// out = (x - mean) / sqrt(variance + epsilon) * gain + bias; out may be x.
void layer_norm(const float* x, const float* gain, const float* bias, float* out, std::int64_t width,
                float epsilon);

// Rotates the first 2 * pairs numbers of a head by the angles of one position, in place.
void rotate(float* head, const float* cosines, const float* sines, std::int64_t pairs, bool adjacent);

// gelu_tanh: the approximation by a hyperbolic tangent (Hendrycks and Gimpel 2016).
enum class Activation : std::uint8_t { silu, gelu_tanh };
// gated: out = activation(gate) * up for one row of {gate, up}, each `width` long; else out =
// activation(row).
void activate(Activation kind, bool gated, const float* row, float* out, std::int64_t width);

// out += x.
void add(const float* x, float* out, std::int64_t width);

// Keys of one head lie transposed, {width, kKeysPerBlock} a block; values as {kKeysPerBlock, padded width}.
void store_key(const float* key, float* block, std::int64_t lane, std::int64_t width);
void store_value(const float* value, float* block, std::int64_t lane, std::int64_t width);

// One query head of one row over the keys [first, last] of its sequence: an online softmax over whole blocks.
struct AttentionSpan {
  const float* const* blocks;  // block b holds positions b * kKeysPerBlock ...
  std::int64_t key_offset;     // of this layer and key-value head inside a block, in floats
  std::int64_t value_offset;
  std::int64_t first;
  std::int64_t last;
  std::int64_t width;  // of the head, even, at most kWidestHead
  float scale;
};
void attend(const AttentionSpan& span, const float* query, float* out);

}  // namespace synthema::detail
