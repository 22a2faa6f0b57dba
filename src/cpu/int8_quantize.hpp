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

inline void quantize_row(const float* x, std::int64_t groups, std::int8_t* codes, float* scales,
                         float* weighted, std::int32_t* sums) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer, ties to even
  for (std::int64_t g = 0; g < groups; ++g, x += 32, codes += 32, sums += 2) {
    std::uint32_t top = 0;  // magnitudes order like their bits, with infinity and NaN above all
    for (int i = 0; i < 32; ++i) {
      const std::uint32_t magnitude = bits_of(x[i]) & 0x7fffffffu;
      top = magnitude > top ? magnitude : top;
    }
    const float largest = float_of(top);
    const bool finite = top < 0x7f800000u, some = finite && largest > 1e-30f;
    const float inverse = some ? 127.0f / largest : 0.0f;
    scales[g] = some ? largest / 127.0f : finite ? 0.0f : float_of(0x7fc00000u);
    std::int32_t code[32];
    for (int i = 0; i < 32; ++i)
      code[i] = static_cast<std::int32_t>(bits_of((some ? x[i] : 0.0f) * inverse + magic) - bits_of(magic));
    std::int32_t low = 0, high = 0;
    for (int i = 0; i < 16; ++i) low += code[i];
    for (int i = 16; i < 32; ++i) high += code[i];
    for (int i = 0; i < 32; ++i) codes[i] = static_cast<std::int8_t>(code[i]);
    sums[0] = low;
    sums[1] = high;
    weighted[g] = scales[g] * static_cast<float>(low + high);
  }
}

}  // namespace
}  // namespace synthema::cpu
