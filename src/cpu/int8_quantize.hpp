// The quantisation of a row as plain loops that compilers turn into vector code of each instruction set;
// every operation is exact or rounded once, so all sets agree. Included once by each int8 object.
#pragma once

#include <cstdint>
#include <cstring>

namespace synthema::cpu {
namespace {

inline std::uint32_t bits_of(float x) {
  std::uint32_t out;
  std::memcpy(&out, &x, sizeof out);
  return out;
}
inline float float_of(std::uint32_t x) {
  float out;
  std::memcpy(&out, &x, sizeof out);
  return out;
}

// Largest code of a row. That of 16 bits leaves room to split a code into a high and a low signed byte.
template <class Code>
constexpr std::int32_t kMostCode = sizeof(Code) == 1 ? 127 : 127 * 256 + 127;

inline void store(const std::int32_t (&code)[32], std::int8_t* to) {
  for (int i = 0; i < 32; ++i) to[i] = static_cast<std::int8_t>(code[i]);
}
inline void store(const std::int32_t (&code)[32], std::int16_t* to) {
  for (int i = 0; i < 32; i += 4) {
    to[i] = static_cast<std::int16_t>(code[i]);
    to[i + 1] = static_cast<std::int16_t>(code[i + 2]);
    to[i + 2] = static_cast<std::int16_t>(code[i + 1]);
    to[i + 3] = static_cast<std::int16_t>(code[i + 3]);
  }
}

template <class Code>
void quantize_groups(const float* x, std::int64_t groups, Code* codes, const Int8RowOut& out) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer, ties to even
  constexpr float most = kMostCode<Code>;
  for (std::int64_t g = 0; g < groups; ++g, x += 32, codes += 32) {
    std::uint32_t top = 0;  // magnitudes order like their bits, with infinity and NaN above all
    for (int i = 0; i < 32; ++i) {
      const std::uint32_t magnitude = bits_of(x[i]) & 0x7fffffffu;
      top = magnitude > top ? magnitude : top;
    }
    const float largest = float_of(top);
    const bool finite = top < 0x7f800000u, some = finite && largest > 1e-30f;
    const float inverse = some ? most / largest : 0.0f;
    out.scales[g] = some ? largest / most : finite ? 0.0f : float_of(0x7fc00000u);
    std::int32_t code[32];
    for (int i = 0; i < 32; ++i)
      code[i] = static_cast<std::int32_t>(bits_of((some ? x[i] : 0.0f) * inverse + magic) - bits_of(magic));
    std::int32_t low = 0, high = 0;
    for (int i = 0; i < 16; ++i) low += code[i];
    for (int i = 16; i < 32; ++i) high += code[i];
    store(code, codes);
    out.sums[g * 2] = low;
    out.sums[g * 2 + 1] = high;
    out.weighted[g] = out.scales[g] * static_cast<float>(low + high);
  }
}

inline void quantize_row(const float* x, std::int64_t groups, const Int8RowOut& out) {
  if (out.words)
    quantize_groups(x, groups, out.words, out);
  else
    quantize_groups(x, groups, out.codes, out);
}

}  // namespace
}  // namespace synthema::cpu
