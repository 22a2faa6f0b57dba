// 16-bit floats and floats, exactly, in plain integer arithmetic (no compiler extension, the same
// everywhere).
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

namespace synthema {

// IEEE 754 binary16.
constexpr float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1F, fraction = bits & 0x3FF;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24 is exact
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

// The binary16 of this very number; nothing if there is none, or it is NaN.
constexpr std::optional<std::uint16_t> exact_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  std::uint32_t out = 0;
  if (magnitude >= 0x7F800000u)
    out = 0x7C00u;                    // infinity, unless NaN
  else if (magnitude >= 0x38800000u)  // 2^-14
    out = (magnitude - 0x38000000u) >> 13;
  else  // in units of 2^-24
    out = static_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p24f);
  const auto half = static_cast<std::uint16_t>(sign | out);
  const bool same = out <= 0x7C00u && std::bit_cast<std::uint32_t>(half_to_float(half)) == bits;
  return same ? std::optional(half) : std::nullopt;
}

// bfloat16: the upper half of a float.
constexpr float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

}  // namespace synthema
