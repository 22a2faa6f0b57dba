#include "src/torch/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "synthema/core/exponential.hpp"

// One clone per instruction-set level (AVX-512, AVX2 with FMA, baseline), chosen when the library loads.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define SYNTHEMA_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SYNTHEMA_CLONES
#endif

namespace synthema::detail {

namespace {

#define SYNTHEMA_INLINE __attribute__((always_inline)) inline

// Sixteen floats that the compiler maps to whatever registers the instruction set has; lane-wise operations
// are the same everywhere.
using Lanes = float __attribute__((vector_size(64), aligned(4), may_alias));
using Bits = std::int32_t __attribute__((vector_size(64)));

// Passed by reference only: by value the calling convention would depend on the instruction set.
SYNTHEMA_INLINE void load(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof to);
}
SYNTHEMA_INLINE void store(const Lanes& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}
// Sum of the lanes as a balanced tree.
SYNTHEMA_INLINE float sum(const Lanes& x) {
  float a[kLanes];
  store(x, a);
  for (int w = kLanes / 2; w > 0; w /= 2)
    for (int i = 0; i < w; ++i) a[i] += a[i + w];
  return a[0];
}
SYNTHEMA_INLINE float largest(const Lanes& x) {
  float a[kLanes];
  store(x, a);
  for (int w = kLanes / 2; w > 0; w /= 2)
    for (int i = 0; i < w; ++i) a[i] = a[i] > a[i + w] ? a[i] : a[i + w];
  return a[0];
}

SYNTHEMA_INLINE void exponentials(const Lanes& in, Lanes& out) {
  float x[kLanes];
  store(in, x);
  for (float& v : x) v = exponential(v);
  load(x, out);
}

}  // namespace

SYNTHEMA_CLONES
void rms_norm(const float* x, const float* gain, float* out, std::int64_t width, float epsilon) {
  Lanes squares{};
  std::int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes v;
    load(x + i, v);
    squares += v * v;
  }
  float total = sum(squares);
  for (; i < width; ++i) total += x[i] * x[i];
  const float factor = 1.0f / std::sqrt(total / static_cast<float>(width) + epsilon);
  for (i = 0; i < width; ++i) out[i] = x[i] * factor * gain[i];
}

SYNTHEMA_CLONES
void layer_norm(const float* x, const float* gain, const float* bias, float* out, std::int64_t width,
                float epsilon) {
  const auto size = static_cast<float>(width);
  Lanes sums{};
  std::int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes v;
    load(x + i, v);
    sums += v;
  }
  float total = sum(sums);
  for (; i < width; ++i) total += x[i];
  const float mean = total / size;
  Lanes squares{};
  for (i = 0; i + kLanes <= width; i += kLanes) {
    Lanes v;
    load(x + i, v);
    squares += (v - mean) * (v - mean);
  }
  total = sum(squares);
  for (; i < width; ++i) total += (x[i] - mean) * (x[i] - mean);
  const float factor = 1.0f / std::sqrt(total / size + epsilon);
  for (i = 0; i < width; ++i) out[i] = (x[i] - mean) * factor * gain[i] + bias[i];
}

SYNTHEMA_CLONES
void rotate(float* head, const float* cosines, const float* sines, std::int64_t pairs, bool adjacent) {
  const std::int64_t step = adjacent ? 2 : 1, partner = adjacent ? 1 : pairs;
  for (std::int64_t i = 0; i < pairs; ++i) {
    float* a = head + i * step;
    const float x = a[0], y = a[partner];
    a[0] = x * cosines[i] - y * sines[i];
    a[partner] = x * sines[i] + y * cosines[i];
  }
}

// Both are x times a logistic function: 1 + tanh(u) = 2 / (1 + e^(-2u)).
SYNTHEMA_CLONES
void activate(Activation kind, bool gated, const float* row, float* out, std::int64_t width) {
  constexpr float twice_root_2_by_pi = 1.5957691216057308f;
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const auto count = static_cast<std::size_t>(std::min(kLanes, width - i)) * sizeof(float);
    Lanes x{}, e;
    std::memcpy(&x, row + i, count);
    const Lanes slope =
        kind == Activation::silu ? Lanes{} + 1.0f : (x * x * 0.044715f + 1.0f) * twice_root_2_by_pi;
    exponentials(-x * slope, e);
    Lanes result = x / (e + 1.0f);
    if (gated) {
      Lanes up{};
      std::memcpy(&up, row + width + i, count);
      result *= up;
    }
    std::memcpy(out + i, &result, count);
  }
}

SYNTHEMA_CLONES
void add(const float* x, float* out, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) out[i] += x[i];
}

void store_key(const float* key, float* block, std::int64_t lane, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) block[i * kKeysPerBlock + lane] = key[i];
}

void store_value(const float* value, float* block, std::int64_t lane, std::int64_t width) {
  std::copy_n(value, width, block + lane * padded_head(width));
}

namespace {

// Scores of the 32 keys of a block; even and odd dimensions are added apart and joined at the end.
SYNTHEMA_INLINE void block_scores(const float* keys, const float* query, std::int64_t width, float scale,
                                  Lanes& left, Lanes& right) {
  Lanes even0{}, even1{}, odd0{}, odd1{};
  for (std::int64_t i = 0; i < width; i += 2) {
    Lanes k0, k1, k2, k3;
    load(keys + i * kKeysPerBlock, k0);
    load(keys + i * kKeysPerBlock + kLanes, k1);
    load(keys + (i + 1) * kKeysPerBlock, k2);
    load(keys + (i + 1) * kKeysPerBlock + kLanes, k3);
    even0 += k0 * query[i];
    even1 += k1 * query[i];
    odd0 += k2 * query[i + 1];
    odd1 += k3 * query[i + 1];
  }
  left = (even0 + odd0) * scale;
  right = (even1 + odd1) * scale;
}

// out = out * decay + weights (32) * values {32, padded}; four partial sums a lane, joined in one order.
SYNTHEMA_INLINE void add_values(const float* values, const float* weights, std::int64_t padded, float decay,
                                float* out) {
  for (std::int64_t c = 0; c < padded; c += kLanes) {
    Lanes part[4] = {};
    for (std::int64_t j = 0; j < kKeysPerBlock; j += 4)
      for (std::int64_t k = 0; k < 4; ++k) {
        Lanes v;
        load(values + (j + k) * padded + c, v);
        part[k] += v * weights[j + k];
      }
    Lanes total;
    load(out + c, total);
    total = total * decay + ((part[0] + part[1]) + (part[2] + part[3]));
    store(total, out + c);
  }
}

SYNTHEMA_INLINE void hide(Lanes& x, const Bits& visible, float value) {
  const Lanes hidden = Lanes{} + value;
  x = visible ? x : hidden;
}

}  // namespace

SYNTHEMA_CLONES
void attend(const AttentionSpan& span, const float* query, float* out) {
  const std::int64_t padded = padded_head(span.width);
  alignas(64) float sums[kWidestHead] = {};
  alignas(64) float weights[kKeysPerBlock];
  float top = -std::numeric_limits<float>::infinity(), denominator = 0;
  const Bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (std::int64_t b = span.first / kKeysPerBlock; b <= span.last / kKeysPerBlock; ++b) {
    const auto low = static_cast<std::int32_t>(std::max<std::int64_t>(span.first - b * kKeysPerBlock, 0));
    const auto high =
        static_cast<std::int32_t>(std::min<std::int64_t>(span.last - b * kKeysPerBlock, kKeysPerBlock - 1));
    const Bits seen0 = (lane >= low) & (lane <= high), seen1 = (lane + 16 >= low) & (lane + 16 <= high);
    Lanes s0, s1;
    block_scores(span.blocks[b] + span.key_offset, query, span.width, span.scale, s0, s1);
    hide(s0, seen0, -std::numeric_limits<float>::infinity());
    hide(s1, seen1, -std::numeric_limits<float>::infinity());
    const float block_top = largest(s0 > s1 ? s0 : s1);
    const float new_top = std::max(top, block_top);
    const float decay = top == new_top ? 1.0f : std::exp(top - new_top);
    exponentials(s0 - new_top, s0);
    exponentials(s1 - new_top, s1);
    hide(s0, seen0, 0);
    hide(s1, seen1, 0);
    store(s0, weights);
    store(s1, weights + kLanes);
    denominator = denominator * decay + sum(s0 + s1);
    add_values(span.blocks[b] + span.value_offset, weights, padded, decay, sums);
    top = new_top;
  }
  for (std::int64_t i = 0; i < span.width; ++i) out[i] = sums[i] / denominator;
}

}  // namespace synthema::detail
