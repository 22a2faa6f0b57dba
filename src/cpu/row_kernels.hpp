// What stands between the matrix products of a decoder: functions of one row of floats.
#pragma once

#include <cstdint>

#include "src/cpu/instruction_set.hpp"

namespace synthema::cpu {

// gelu_tanh: the approximation by a hyperbolic tangent (Hendrycks and Gimpel 2016).
enum class Activation : std::uint8_t { silu, gelu_tanh };

struct RowKernels {
  // out = x / sqrt(mean(x^2) + epsilon) * gain; out may be x.
  void (*rms_norm)(const float* x, const float* gain, float* out, std::int64_t width, float epsilon);
  // out = (x - mean) / sqrt(variance + epsilon) * gain + bias; out may be x.
  void (*layer_norm)(const float* x, const float* gain, const float* bias, float* out, std::int64_t width,
                     float epsilon);
  // Rotates the first 2 * pairs numbers of a head by the angles of one position, in place. Partners are
  // neighbours, or `pairs` apart.
  void (*rotate)(float* head, const float* cosines, const float* sines, std::int64_t pairs, bool adjacent);
  // gated: out = activation(gate) * up for one row of {gate, up}, each `width` long; else out =
  // activation(row).
  void (*activate)(Activation kind, bool gated, const float* row, float* out, std::int64_t width);
  // out += x.
  void (*add)(const float* x, float* out, std::int64_t width);
};

// The set must be supported.
const RowKernels& row_kernels(InstructionSet set = best_instruction_set());

}  // namespace synthema::cpu
