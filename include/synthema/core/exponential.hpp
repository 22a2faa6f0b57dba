// e^x in single precision without calls or branches, so that compilers turn loops over it into vector code.
#pragma once

#include <bit>
#include <cstdint>

namespace synthema::detail {

// Relative error about 2e-7 (Cephes expf: reduction by ln 2 in two parts, polynomial of degree 6). x is
// clamped to [-87, 88], so the result is finite and never zero; NaN stays NaN.
inline float exponential(float x) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float shifted = x * 1.44269504088896341f + magic;
  const float n = shifted - magic;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(magic);
  return p * std::bit_cast<float>((exponent + 127u) << 23);
}

}  // namespace synthema::detail
