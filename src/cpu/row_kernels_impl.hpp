// The row kernels over the vector type of one instruction set; included by row_kernels_<set>.cpp only.
#pragma once

#include "src/cpu/row_kernels.hpp"
#include "src/cpu/simd.hpp"

namespace synthema::cpu {
namespace {

void rms_norm(const float* x, const float* gain, float* out, std::int64_t width, float epsilon) {
  Floats squares = zeros();
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const Floats v = load_part(x + i, width - i);
    squares = fused(v, v, squares);
  }
  const float mean = sum(squares) / static_cast<float>(width);
  const Floats factor = broadcast(1.0f / __builtin_sqrtf(mean + epsilon));
  for (std::int64_t i = 0; i < width; i += kLanes)
    store_part(load_part(x + i, width - i) * factor * load_part(gain + i, width - i), out + i, width - i);
}

void layer_norm(const float* x, const float* gain, const float* bias, float* out, std::int64_t width,
                float epsilon) {
  Floats sums = zeros(), squares = zeros();
  for (std::int64_t i = 0; i < width; i += kLanes) sums = sums + load_part(x + i, width - i);
  const Floats mean = broadcast(sum(sums) / static_cast<float>(width));
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const Floats v = load_part(x + i, width - i) - first_lanes(mean, width - i);
    squares = fused(v, v, squares);
  }
  const float variance = sum(squares) / static_cast<float>(width);
  const Floats factor = broadcast(1.0f / __builtin_sqrtf(variance + epsilon));
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const Floats scaled = (load_part(x + i, width - i) - mean) * factor;
    store_part(fused(scaled, load_part(gain + i, width - i), load_part(bias + i, width - i)), out + i,
               width - i);
  }
}

void rotate(float* head, const float* cosines, const float* sines, std::int64_t pairs, bool adjacent) {
  const std::int64_t step = adjacent ? 2 : 1, partner = adjacent ? 1 : pairs;
  for (std::int64_t i = 0; i < pairs; ++i) {
    float* a = head + i * step;
    const float x = a[0], y = a[partner];
    a[0] = fused(x, cosines[i], -(y * sines[i]));
    a[partner] = fused(x, sines[i], y * cosines[i]);
  }
}

// Both are x times a logistic function: 1 + tanh(u) = 2 / (1 + e^(-2u)).
void activate(Activation kind, bool gated, const float* row, float* out, std::int64_t width) {
  const Floats one = broadcast(1.0f), twice_root_2_by_pi = broadcast(1.5957691216057308f);
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const Floats x = load_part(row + i, width - i);
    Floats slope = one;
    if (kind == Activation::gelu_tanh) slope = fused(x * x, broadcast(0.044715f), one) * twice_root_2_by_pi;
    Floats result = x / (exponential(zeros() - x * slope) + one);
    if (gated) result = result * load_part(row + width + i, width - i);
    store_part(result, out + i, width - i);
  }
}

void add(const float* x, float* out, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) out[i] += x[i];
}

constexpr RowKernels kRowKernels{&rms_norm, &layer_norm, &rotate, &activate, &add};

}  // namespace
}  // namespace synthema::cpu
