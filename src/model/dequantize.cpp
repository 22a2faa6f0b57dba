// Block layouts of ggml (ggml-common.h, ggml-quants.c). Every quantised type is unsigned codes with a scale,
// and perhaps an offset, per group. A product of a scale and a code has at most 24 significant bits, so it is
// exact in float and each value is rounded once: fused multiply-adds change nothing.
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/half.hpp"
#include "synthema/model/grouped_codes.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

namespace {

// One block as codes; its number of groups is its elements / the group of its type.
struct BlockCodes {
  std::uint8_t* codes;
  float* scales;
  float* offsets;  // only for types that have them
};
using Reader = void (*)(const std::uint8_t* in, const BlockCodes& out);

template <class T>
T load(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float half_at(const std::uint8_t* at) {
  return half_to_float(load<std::uint16_t>(at));
}

// 16 bytes of two 4-bit codes, low halves first.
void four_bits(const std::uint8_t* in, std::uint8_t* codes) {
  for (int j = 0; j < 16; ++j) {
    codes[j] = in[j] & 15;
    codes[j + 16] = in[j] >> 4;
  }
}

// As before; the fifth bit of code j is bit j of `high`.
void five_bits(std::uint32_t high, const std::uint8_t* in, std::uint8_t* codes) {
  four_bits(in, codes);
  for (int j = 0; j < 32; ++j) codes[j] = static_cast<std::uint8_t>(codes[j] | (((high >> j) & 1) << 4));
}

// d, codes.
void read_q4_0(const std::uint8_t* in, const BlockCodes& out) {
  *out.scales = half_at(in);
  four_bits(in + 2, out.codes);
}

// d, m, codes: value = d * code + m.
void read_q4_1(const std::uint8_t* in, const BlockCodes& out) {
  *out.scales = half_at(in);
  *out.offsets = half_at(in + 2);
  four_bits(in + 4, out.codes);
}

void read_q5_0(const std::uint8_t* in, const BlockCodes& out) {
  *out.scales = half_at(in);
  five_bits(load<std::uint32_t>(in + 2), in + 6, out.codes);
}

void read_q5_1(const std::uint8_t* in, const BlockCodes& out) {
  *out.scales = half_at(in);
  *out.offsets = half_at(in + 2);
  five_bits(load<std::uint32_t>(in + 4), in + 8, out.codes);
}

// d, 32 signed bytes: code = byte + 128.
void read_q8_0(const std::uint8_t* in, const BlockCodes& out) {
  *out.scales = half_at(in);
  for (int j = 0; j < 32; ++j) out.codes[j] = in[2 + j] ^ 0x80;
}

// 16 groups of 16: scales[16] (4-bit scale, 4-bit minimum), qs[64] (2 bits), d, dmin.
void read_q2_k(const std::uint8_t* in, const BlockCodes& out) {
  const float d = half_at(in + 80), dmin = half_at(in + 82);
  for (int group = 0; group < 16; ++group) {
    const std::uint8_t* const codes = in + 16 + (group / 8) * 32 + (group % 2) * 16;
    const int shift = (group % 8) / 2 * 2;
    out.scales[group] = d * static_cast<float>(in[group] & 15);
    out.offsets[group] = -(dmin * static_cast<float>(in[group] >> 4));
    for (int l = 0; l < 16; ++l) out.codes[group * 16 + l] = (codes[l] >> shift) & 3;
  }
}

// The 6-bit scale of group i of Q3_K: low four bits in bytes 0-7, high two in bytes 8-11.
int q3_scale(const std::uint8_t* scales, int i) {
  const int low = (scales[i % 8] >> (4 * (i / 8))) & 15, high = (scales[8 + i % 4] >> (2 * (i / 4))) & 3;
  return (low | (high << 4)) - 32;
}

// hmask[32] (the third bit), qs[64], scales[12], d.
void read_q3_k(const std::uint8_t* in, const BlockCodes& out) {
  const float d = half_at(in + 108);
  for (int group = 0; group < 16; ++group) {
    const int half = group % 2 * 16, shift = (group % 8) / 2 * 2;
    const std::uint8_t* const codes = in + 32 + (group / 8) * 32 + half;
    const int bit = 1 << (group / 2);
    out.scales[group] = d * static_cast<float>(q3_scale(in + 96, group));
    for (int l = 0; l < 16; ++l)
      out.codes[group * 16 + l] =
          static_cast<std::uint8_t>(((codes[l] >> shift) & 3) | ((in[half + l] & bit) ? 4 : 0));
  }
}

// The 6-bit scales and minima of the 8 groups of Q4_K and Q5_K, packed in 12 bytes after d and dmin.
void read_k_scales(const std::uint8_t* in, const BlockCodes& out) {
  const float d = half_at(in), dmin = half_at(in + 2);
  const std::uint8_t* const s = in + 4;
  for (int i = 0; i < 8; ++i) {
    const int scale = i < 4 ? s[i] & 63 : (s[i + 4] & 15) | ((s[i - 4] >> 6) << 4);
    const int minimum = i < 4 ? s[i + 4] & 63 : (s[i + 4] >> 4) | ((s[i] >> 6) << 4);
    out.scales[i] = d * static_cast<float>(scale);
    out.offsets[i] = -(dmin * static_cast<float>(minimum));
  }
}

// d, dmin, scales[12], qs[128]: 8 groups of 32, two groups share 32 bytes.
void read_q4_k(const std::uint8_t* in, const BlockCodes& out) {
  read_k_scales(in, out);
  for (int i = 0; i < 256; ++i) out.codes[i] = (in[16 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4)) & 15;
}

// As Q4_K with qh[32] before qs: bit `group` of qh[l] is the fifth bit.
void read_q5_k(const std::uint8_t* in, const BlockCodes& out) {
  read_k_scales(in, out);
  for (int i = 0; i < 256; ++i) {
    const int low = (in[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4)) & 15;
    out.codes[i] = static_cast<std::uint8_t>(low | (((in[16 + i % 32] >> (i / 32)) & 1) << 4));
  }
}

// ql[128], qh[64], scales[16] (int8), d: 16 groups of 16.
void read_q6_k(const std::uint8_t* in, const BlockCodes& out) {
  const float d = half_at(in + 208);
  for (int group = 0; group < 16; ++group)
    out.scales[group] = d * static_cast<float>(static_cast<std::int8_t>(in[192 + group]));
  for (int quarter = 0; quarter < 8; ++quarter) {  // 32 elements each
    const int side = quarter / 4, part = quarter % 4;
    const std::uint8_t* const low = in + side * 64 + part % 2 * 32;
    const std::uint8_t* const high = in + 128 + side * 32;
    for (int l = 0; l < 32; ++l)
      out.codes[quarter * 32 + l] =
          static_cast<std::uint8_t>(((low[l] >> (part / 2 * 4)) & 15) | (((high[l] >> (part * 2)) & 3) << 4));
  }
}

// group 0: plain numbers.
struct TypeFacts {
  std::string_view name;
  std::size_t elements, bytes;
  GroupCoding coding;
  Reader read;
};

constexpr std::array<TypeFacts, 13> kTypes{{{"F32", 1, 4, {}, nullptr},
                                            {"F16", 1, 2, {}, nullptr},
                                            {"BF16", 1, 2, {}, nullptr},
                                            {"Q4_0", 32, 18, {32, 4, 8, false}, read_q4_0},
                                            {"Q4_1", 32, 20, {32, 4, 0, true}, read_q4_1},
                                            {"Q5_0", 32, 22, {32, 5, 16, false}, read_q5_0},
                                            {"Q5_1", 32, 24, {32, 5, 0, true}, read_q5_1},
                                            {"Q8_0", 32, 34, {32, 8, 128, false}, read_q8_0},
                                            {"Q2_K", 256, 84, {16, 2, 0, true}, read_q2_k},
                                            {"Q3_K", 256, 110, {16, 3, 4, false}, read_q3_k},
                                            {"Q4_K", 256, 144, {32, 4, 0, true}, read_q4_k},
                                            {"Q5_K", 256, 176, {32, 5, 0, true}, read_q5_k},
                                            {"Q6_K", 256, 210, {16, 6, 32, false}, read_q6_k}}};

const TypeFacts& facts(TensorType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

const std::uint8_t* bytes_of(const TensorView& view) {
  return reinterpret_cast<const std::uint8_t*>(view.data.data());
}

float plain(TensorType type, const std::uint8_t* at) {
  return type == TensorType::f32   ? load<float>(at)
         : type == TensorType::f16 ? half_at(at)
                                   : bfloat16_to_float(load<std::uint16_t>(at));
}

void decode_block(const TypeFacts& type, const std::uint8_t* in, float* out) {
  std::array<std::uint8_t, 256> codes;
  std::array<float, 16> scales, offsets;
  type.read(in, {codes.data(), scales.data(), offsets.data()});
  const auto [group, bits, zero, has_offsets] = type.coding;
  for (std::size_t i = 0; i < type.elements; ++i) {
    const std::size_t g = i / static_cast<std::size_t>(group);
    const float code = static_cast<float>(codes[i] - zero);
    out[i] = has_offsets ? scales[g] * code + offsets[g] : scales[g] * code;
  }
}

// The number of blocks of a tensor whose size, type and bytes agree.
std::size_t checked_blocks(const TensorView& view) {
  const TypeFacts& type = facts(view.type);
  const auto elements = static_cast<std::size_t>(view.elements());
  const std::size_t blocks = elements / type.elements;
  if (blocks * type.elements != elements || view.data.size() != blocks * type.bytes)
    throw ModelError(message("Tensor '", view.name, "' of type ", type.name, " has ", view.elements(),
                             " elements in ", view.data.size(), " bytes."));
  return blocks;
}

// Products in integers would go on with other numbers in their place.
void require_finite(const TensorView& view, std::span<const float> numbers) {
  constexpr std::uint32_t exponent = 0x7F80'0000;
  bool found = false;
  for (const float number : numbers) found |= (std::bit_cast<std::uint32_t>(number) & exponent) == exponent;
  if (found)
    throw ModelError(message("Tensor '", view.name,
                             "' holds a number that is not finite; the file is damaged, or its training "
                             "failed."));
}

// Plain numbers that are not stored as they are meant.
void read_plain(const TensorView& view, std::span<float> out) {
  const TypeFacts& type = facts(view.type);
  if (type.read || (view.transposed && view.shape.size() != 2))
    throw ModelError(message("Tensor '", view.name, "' of type ", type.name, " has no other layout."));
  const std::size_t rows = view.transposed ? static_cast<std::size_t>(view.shape[0]) : 1;
  const std::size_t columns = out.size() / rows;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      out[r * columns + c] = plain(view.type, bytes_of(view) + (c * rows + r) * type.bytes) + view.added;
}

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
  const std::size_t blocks = checked_blocks(view);
  if (out.size() != blocks * type.elements)
    throw ModelError(message("Tensor '", view.name, "' has ", view.elements(),
                             " elements and was to be written to ", out.size(), " floats."));
  const std::uint8_t* in = bytes_of(view);
  if (view.transposed || view.added != 0)
    read_plain(view, out);
  else
    for (std::size_t b = 0; b < blocks; ++b)
      if (type.read)
        decode_block(type, in + b * type.bytes, out.data() + b * type.elements);
      else
        out[b] = plain(view.type, in + b * type.bytes);
  require_finite(view, out);
}

std::optional<GroupedCodes> grouped_codes(const TensorView& view) {
  const TypeFacts& type = facts(view.type);
  if (!type.read) return std::nullopt;
  const std::size_t blocks = checked_blocks(view);
  const std::size_t groups = type.elements / static_cast<std::size_t>(type.coding.group);
  GroupedCodes out{.coding = type.coding,
                   .codes = std::vector<std::uint8_t>(blocks * type.elements),
                   .scales = std::vector<float>(blocks * groups),
                   .offsets = std::vector<float>(type.coding.offsets ? blocks * groups : 0)};
  for (std::size_t b = 0; b < blocks; ++b)
    type.read(bytes_of(view) + b * type.bytes,
              {out.codes.data() + b * type.elements, out.scales.data() + b * groups,
               out.offsets.data() + (type.coding.offsets ? b * groups : 0)});
  require_finite(view, out.scales);
  require_finite(view, out.offsets);
  return out;
}

}  // namespace synthema
