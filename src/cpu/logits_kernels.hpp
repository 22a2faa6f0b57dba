// The loops of logits.hpp over vectors of the compiler's own type, as wide as the instruction set has them.
// Nothing here may be inline code of the standard library: the linker could take one set's copy for all.
#pragma once

#include <cstddef>
#include <cstdint>

namespace synthema::cpu {

struct LogitKernels {
  bool (*block_maxima)(const float* logits, std::size_t n, float* largest);
  void (*weigh)(const float* logits, std::size_t n, float top, float factor, float* weights);
  void (*block_sums)(const float* logits, std::size_t n, float top, float factor, float* sums);
};
extern const LogitKernels kLogitsPortable, kLogitsAvx2, kLogitsAvx512;

namespace {

constexpr std::size_t kStripes = 16;  // partial results, whatever the width of a vector
constexpr std::size_t kBlock = 128;   // as kLogitBlock says

// Vectors of one width. (An alias of a vector type loses its width where that depends on a template.)
struct Vectors16 {
  using Floats = float __attribute__((vector_size(16)));
  using Ints = std::int32_t __attribute__((vector_size(16)));
};
struct Vectors32 {
  using Floats = float __attribute__((vector_size(32)));
  using Ints = std::int32_t __attribute__((vector_size(32)));
};
struct Vectors64 {
  using Floats = float __attribute__((vector_size(64)));
  using Ints = std::int32_t __attribute__((vector_size(64)));
};

template <class V>
struct Logits {
  using Floats = typename V::Floats;
  using Ints = typename V::Ints;
  static constexpr std::size_t kBytes = sizeof(Floats), kLanes = kBytes / 4, kVectors = kStripes / kLanes;

  static Floats load(const float* from) {
    Floats out;
    __builtin_memcpy(&out, from, kBytes);
    return out;
  }
  static void store(Floats value, float* to) { __builtin_memcpy(to, &value, kBytes); }

  // 2^t by rounding t to the nearest integer and a polynomial of degree 5 for the rest (minimax on
  // [-1/2, 1/2], its value at 0 held at 1). The exponent of t = -127 is that of the number 0.
  static Floats weight(Floats x, float top, float factor) {
    const Floats nothing = Floats{} - 127.0f, magic = Floats{} + 12582912.0f;  // 1.5 * 2^23 rounds
    Floats t = (x - top) * factor;
    t = t > nothing ? t : nothing;
    const Floats shifted = t + magic;
    const Floats f = t - (shifted - magic);
    Floats p = f * 1.326472725e-3f + 9.671512688e-3f;
    p = p * f + 5.550733744e-2f;
    p = p * f + 2.402224208e-1f;
    p = p * f + 6.931469776e-1f;
    p = p * f + 1.0f;
    Ints exponent;
    __builtin_memcpy(&exponent, &shifted, kBytes);
    exponent = (exponent + (127 - 0x4B400000)) << 23;
    Floats scale;
    __builtin_memcpy(&scale, &exponent, kBytes);
    return p * scale;
  }

  // A block that is not whole, filled up with logits of weight 0.
  struct Padded {
    float values[kBlock];
    Padded(const float* from, std::size_t n) {
      for (std::size_t i = 0; i < kBlock; ++i) values[i] = i < n ? from[i] : -__builtin_inff();
    }
  };

  static float largest_of(const float* block, Ints& nan) {
    Floats top[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) top[v] = Floats{} - __builtin_inff();
    for (std::size_t i = 0; i < kBlock; i += kStripes)
      for (std::size_t v = 0; v < kVectors; ++v) {
        const Floats x = load(block + i + v * kLanes);
        nan |= x != x;
        top[v] = x > top[v] ? x : top[v];
      }
    float stripes[kStripes];
    for (std::size_t v = 0; v < kVectors; ++v) store(top[v], stripes + v * kLanes);
    float out = stripes[0];
    for (std::size_t i = 1; i < kStripes; ++i) out = stripes[i] > out ? stripes[i] : out;
    return out;
  }

  static bool block_maxima(const float* logits, std::size_t n, float* largest) {
    Ints nan{};
    std::size_t i = 0;
    for (; i + kBlock <= n; i += kBlock) *largest++ = largest_of(logits + i, nan);
    if (i < n) *largest = largest_of(Padded(logits + i, n - i).values, nan);
    std::int32_t seen[kLanes], any = 0;
    __builtin_memcpy(seen, &nan, kBytes);
    for (const std::int32_t lane : seen) any |= lane;
    return any == 0;
  }

  static void weigh(const float* logits, std::size_t n, float top, float factor, float* weights) {
    constexpr float log2e = 1.44269504088896341f;
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(weight(load(logits + i), top, factor * log2e), weights + i);
    if (i == n) return;
    const Padded rest(logits + i, n - i);
    float out[kLanes];
    store(weight(load(rest.values), top, factor * log2e), out);
    for (std::size_t k = 0; i + k < n; ++k) weights[i + k] = out[k];
  }

  static float sum_of(const float* block, float top, float factor) {
    Floats sums[kVectors] = {};
    for (std::size_t i = 0; i < kBlock; i += kStripes)
      for (std::size_t v = 0; v < kVectors; ++v) sums[v] += weight(load(block + i + v * kLanes), top, factor);
    float stripes[kStripes];
    for (std::size_t v = 0; v < kVectors; ++v) store(sums[v], stripes + v * kLanes);
    for (std::size_t half = kStripes / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) stripes[i] += stripes[i + half];
    return stripes[0];
  }

  static void block_sums(const float* logits, std::size_t n, float top, float factor, float* sums) {
    constexpr float log2e = 1.44269504088896341f;
    std::size_t i = 0;
    for (; i + kBlock <= n; i += kBlock) *sums++ = sum_of(logits + i, top, factor * log2e);
    if (i < n) *sums = sum_of(Padded(logits + i, n - i).values, top, factor * log2e);
  }

  static constexpr LogitKernels kernels{block_maxima, weigh, block_sums};
};

}  // namespace

}  // namespace synthema::cpu
