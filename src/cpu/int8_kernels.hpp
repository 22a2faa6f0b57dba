// What the objects of each instruction set give to int8_product.cpp. Nothing here may be inline code of the
// standard library: the linker could take one set's copy for all.
#pragma once

#include <cstdint>

namespace synthema::cpu {

enum class Offsets : std::uint8_t {
  none,    // weights are symmetric around `zero`; scales are floats
  floats,  // and so are the scales
  halves   // and so are the scales: 16-bit floats
};

// Of 16 outputs: one scale, or a scale and an offset.
static constexpr std::int64_t step_bytes(Offsets offsets) {
  return offsets == Offsets::floats ? 128 : 64;
}
static constexpr std::int64_t code_bytes(std::int32_t group, bool nibbles) {
  return group * 16 / (nibbles ? 2 : 1);
}

struct Int8Matrix {
  const std::uint8_t* cells;  // {panels, groups}: codes, then scales, then offsets
  std::int64_t outputs, groups;
  std::int32_t group, bits, zero;
  Offsets offsets;
};

struct Int8Rows {
  const std::int8_t* codes;   // {rows, inputs}; null for rows of 16 bits
  const std::int16_t* words;  // {rows, inputs}, of four inputs the first, third, second and fourth; or null
  const float* scales;        // {rows, inputs / 32}
  const float* weighted;      // {rows, inputs / 32}
  const std::int32_t* sums;   // {rows, inputs / 16}
  std::int64_t rows, inputs;  // inputs: a multiple of 32
};

// Panels [first, last) of all rows; `out` has `stride` floats a row. Rows of 16 bits only with matrices of 8
// bits in groups of 32 without offsets.
using Int8Product = void (*)(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first,
                             std::int64_t last, const float* bias, float* out, std::int64_t stride);
void int8_product_portable(const Int8Rows&, const Int8Matrix&, std::int64_t, std::int64_t, const float*,
                           float*, std::int64_t);
void int8_product_avx2(const Int8Rows&, const Int8Matrix&, std::int64_t, std::int64_t, const float*, float*,
                       std::int64_t);
void int8_product_avx512(const Int8Rows&, const Int8Matrix&, std::int64_t, std::int64_t, const float*, float*,
                         std::int64_t);
void int8_product_neon_dot(const Int8Rows&, const Int8Matrix&, std::int64_t, std::int64_t, const float*,
                           float*, std::int64_t);

// Of a row's first group on, where its codes go: `words`, or `codes` where that is null.
struct Int8RowOut {
  std::int8_t* codes;
  std::int16_t* words;
  float* scales;
  float* weighted;
  std::int32_t* sums;
};
// One row of `groups` whole groups of 32 floats.
using Int8Quantize = void (*)(const float* x, std::int64_t groups, Int8RowOut out);
void int8_quantize_portable(const float*, std::int64_t, Int8RowOut);
void int8_quantize_avx2(const float*, std::int64_t, Int8RowOut);
void int8_quantize_avx512(const float*, std::int64_t, Int8RowOut);
void int8_quantize_neon_dot(const float*, std::int64_t, Int8RowOut);

}  // namespace synthema::cpu
