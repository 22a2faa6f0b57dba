#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "synthema/core/half.hpp"

using namespace synthema;

TEST_CASE("16-bit floats become the same numbers") {
  CHECK(half_to_float(0x3C00) == 1.0f);
  CHECK(half_to_float(0xC000) == -2.0f);
  CHECK(half_to_float(0x7BFF) == 65504.0f);
  CHECK(half_to_float(0x0001) == 0x1p-24f);
  CHECK(half_to_float(0x8001) == -0x1p-24f);
  CHECK(half_to_float(0x03FF) == 1023 * 0x1p-24f);
  CHECK(half_to_float(0x0400) == 0x1p-14f);
  CHECK(std::bit_cast<std::uint32_t>(half_to_float(0x8000)) == 0x80000000u);
  CHECK(std::bit_cast<std::uint32_t>(half_to_float(0x7C00)) == 0x7F800000u);
  CHECK(half_to_float(0x7E00) != half_to_float(0x7E00));
  CHECK(bfloat16_to_float(0x3F80) == 1.0f);
}

TEST_CASE("a float that is a 16-bit number becomes it, and no other does") {
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const float x = half_to_float(half);
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (std::isnan(x))
      CHECK(!exact_half(x));
    else
      CHECK(exact_half(x) == half);
    if (std::isfinite(x) && x != 0) {  // its neighbours need more bits
      CHECK(!exact_half(std::bit_cast<float>(bits + 1)));
      CHECK(!exact_half(std::bit_cast<float>(bits - 1)));
    }
  }
  for (const float x : {65520.0f, 65536.0f, 1e30f, 0x1p-25f, 1e-30f, 0.1f,
                        std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::max()})
    CHECK(!exact_half(x));
}
