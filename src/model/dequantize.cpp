// Block layouts of ggml (ggml-common.h, ggml-quants.c). A product of a binary16 scale and a code has at most
// 24 significant bits, so it is exact in float and each value is rounded once: fused multiply-adds change
// nothing.
#include <array>
#include <cstdint>
#include <cstring>

#include "synthema/core/error.hpp"
#include "synthema/model/half.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

namespace {

struct TypeFacts {
  std::string_view name;
  std::size_t elements, bytes;
};

constexpr std::array<TypeFacts, 13> kTypes{{{"F32", 1, 4},
                                            {"F16", 1, 2},
                                            {"BF16", 1, 2},
                                            {"Q4_0", 32, 18},
                                            {"Q4_1", 32, 20},
                                            {"Q5_0", 32, 22},
                                            {"Q5_1", 32, 24},
                                            {"Q8_0", 32, 34},
                                            {"Q2_K", 256, 84},
                                            {"Q3_K", 256, 110},
                                            {"Q4_K", 256, 144},
                                            {"Q5_K", 256, 176},
                                            {"Q6_K", 256, 210}}};

const TypeFacts& facts(TensorType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

template <class T>
T load(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float half_at(const std::uint8_t* at) {
  return half_to_float(load<std::uint16_t>(at));
}

void block_f32(const std::uint8_t* in, float* out) {
  *out = load<float>(in);
}
void block_f16(const std::uint8_t* in, float* out) {
  *out = half_at(in);
}
void block_bf16(const std::uint8_t* in, float* out) {
  *out = bfloat16_to_float(load<std::uint16_t>(in));
}

// d, 16 bytes of two 4-bit codes (low halves first), offset -8.
void block_q4_0(const std::uint8_t* in, float* out) {
  const float d = half_at(in);
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>((in[2 + j] & 15) - 8) * d;
    out[j + 16] = static_cast<float>((in[2 + j] >> 4) - 8) * d;
  }
}

// d, m, codes: value = d * code + m.
void block_q4_1(const std::uint8_t* in, float* out) {
  const float d = half_at(in), m = half_at(in + 2);
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>(in[4 + j] & 15) * d + m;
    out[j + 16] = static_cast<float>(in[4 + j] >> 4) * d + m;
  }
}

// The two 5-bit codes of byte j: four bits in `codes`, the fifth in bit j (and j + 16) of `high`.
struct Pair {
  int low, high;
};
Pair five_bits(std::uint32_t high, const std::uint8_t* codes, int j) {
  return {(codes[j] & 15) | static_cast<int>(((high >> j) & 1) << 4),
          (codes[j] >> 4) | static_cast<int>(((high >> (j + 16)) & 1) << 4)};
}

void block_q5_0(const std::uint8_t* in, float* out) {
  const float d = half_at(in);
  const auto high = load<std::uint32_t>(in + 2);
  for (int j = 0; j < 16; ++j) {
    const Pair q = five_bits(high, in + 6, j);
    out[j] = static_cast<float>(q.low - 16) * d;
    out[j + 16] = static_cast<float>(q.high - 16) * d;
  }
}

void block_q5_1(const std::uint8_t* in, float* out) {
  const float d = half_at(in), m = half_at(in + 2);
  const auto high = load<std::uint32_t>(in + 4);
  for (int j = 0; j < 16; ++j) {
    const Pair q = five_bits(high, in + 8, j);
    out[j] = static_cast<float>(q.low) * d + m;
    out[j + 16] = static_cast<float>(q.high) * d + m;
  }
}

void block_q8_0(const std::uint8_t* in, float* out) {
  const float d = half_at(in);
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(static_cast<std::int8_t>(in[2 + j])) * d;
}

// 16 groups of 16: scales[16] (4-bit scale, 4-bit minimum), qs[64] (2 bits), d, dmin.
void block_q2_k(const std::uint8_t* in, float* out) {
  const float d = half_at(in + 80), dmin = half_at(in + 82);
  for (int group = 0; group < 16; ++group) {
    const std::uint8_t* const codes = in + 16 + (group / 8) * 32 + (group % 2) * 16;
    const int shift = (group % 8) / 2 * 2;
    const float scale = d * static_cast<float>(in[group] & 15),
                minimum = dmin * static_cast<float>(in[group] >> 4);
    for (int l = 0; l < 16; ++l) *out++ = scale * static_cast<float>((codes[l] >> shift) & 3) - minimum;
  }
}

// The 6-bit scale of group i of Q3_K: low four bits in bytes 0-7, high two in bytes 8-11.
int q3_scale(const std::uint8_t* scales, int i) {
  const int low = (scales[i % 8] >> (4 * (i / 8))) & 15, high = (scales[8 + i % 4] >> (2 * (i / 4))) & 3;
  return (low | (high << 4)) - 32;
}

// hmask[32] (third bit, inverted: absent means -4), qs[64], scales[12], d.
void block_q3_k(const std::uint8_t* in, float* out) {
  const float d = half_at(in + 108);
  for (int group = 0; group < 16; ++group) {
    const int half = group % 2 * 16, shift = (group % 8) / 2 * 2;
    const std::uint8_t* const codes = in + 32 + (group / 8) * 32 + half;
    const int bit = 1 << (group / 2);
    const float scale = d * static_cast<float>(q3_scale(in + 96, group));
    for (int l = 0; l < 16; ++l)
      *out++ = scale * static_cast<float>(((codes[l] >> shift) & 3) - ((in[half + l] & bit) ? 0 : 4));
  }
}

// The 6-bit scale and minimum of group i of Q4_K and Q5_K, packed in 12 bytes.
struct ScaleMinimum {
  float scale, minimum;
};
ScaleMinimum k_scale(const std::uint8_t* in, int i) {
  const float d = half_at(in), dmin = half_at(in + 2);
  const std::uint8_t* const s = in + 4;
  const int scale = i < 4 ? s[i] & 63 : (s[i + 4] & 15) | ((s[i - 4] >> 6) << 4);
  const int minimum = i < 4 ? s[i + 4] & 63 : (s[i + 4] >> 4) | ((s[i] >> 6) << 4);
  return {d * static_cast<float>(scale), dmin * static_cast<float>(minimum)};
}

// d, dmin, scales[12], qs[128]: 8 groups of 32, two groups share 32 bytes.
void block_q4_k(const std::uint8_t* in, float* out) {
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = k_scale(in, group);
    const std::uint8_t* const codes = in + 16 + group / 2 * 32;
    for (int l = 0; l < 32; ++l)
      *out++ = scale * static_cast<float>((codes[l] >> (group % 2 * 4)) & 15) - minimum;
  }
}

// As Q4_K with qh[32] before qs: bit `group` of qh[l] is the fifth bit.
void block_q5_k(const std::uint8_t* in, float* out) {
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = k_scale(in, group);
    const std::uint8_t *const high = in + 16, *const codes = in + 48 + group / 2 * 32;
    for (int l = 0; l < 32; ++l) {
      const int code = ((codes[l] >> (group % 2 * 4)) & 15) + (((high[l] >> group) & 1) << 4);
      *out++ = scale * static_cast<float>(code) - minimum;
    }
  }
}

// ql[128], qh[64], scales[16] (int8), d: 16 groups of 16.
void block_q6_k(const std::uint8_t* in, float* out) {
  const float d = half_at(in + 208);
  for (int quarter = 0; quarter < 8; ++quarter) {  // 32 elements each
    const int side = quarter / 4, part = quarter % 4;
    const std::uint8_t* const low = in + side * 64 + part % 2 * 32;
    const std::uint8_t* const high = in + 128 + side * 32;
    for (int l = 0; l < 32; ++l) {
      const int code = ((low[l] >> (part / 2 * 4)) & 15) | (((high[l] >> (part * 2)) & 3) << 4);
      const auto scale = static_cast<std::int8_t>(in[192 + side * 8 + part * 2 + l / 16]);
      *out++ = d * static_cast<float>(scale) * static_cast<float>(code - 32);
    }
  }
}

using Block = void (*)(const std::uint8_t*, float*);
constexpr std::array<Block, 13> kBlocks{block_f32,  block_f16,  block_bf16, block_q4_0, block_q4_1,
                                        block_q5_0, block_q5_1, block_q8_0, block_q2_k, block_q3_k,
                                        block_q4_k, block_q5_k, block_q6_k};

}  // namespace

std::string_view name_of(TensorType type) {
  return facts(type).name;
}
std::size_t block_elements(TensorType type) {
  return facts(type).elements;
}
std::size_t block_bytes(TensorType type) {
  return facts(type).bytes;
}

void dequantize(const TensorView& view, std::span<float> out) {
  const TypeFacts& type = facts(view.type);
  const std::size_t blocks = out.size() / type.elements;
  if (out.size() != static_cast<std::size_t>(view.elements()) || blocks * type.elements != out.size() ||
      view.data.size() != blocks * type.bytes)
    throw ModelError(message("Tensor '", view.name, "' of type ", type.name, " has ", view.elements(),
                             " elements in ", view.data.size(), " bytes and was to be written to ",
                             out.size(), " floats."));
  const auto* in = reinterpret_cast<const std::uint8_t*>(view.data.data());
  const Block block = kBlocks[static_cast<std::size_t>(view.type)];
  for (std::size_t b = 0; b < blocks; ++b) block(in + b * type.bytes, out.data() + b * type.elements);
}

}  // namespace synthema
