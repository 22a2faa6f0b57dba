// What the objects of each instruction set give to int8_product.cpp. Nothing here may be inline code of the
// standard library: the linker could take one set's copy for all.
#pragma once

#include <cstdint>

namespace synthema::cpu {

struct Int8Matrix {
  const std::uint8_t* codes;
  const float* scales;
  const float* offsets;  // null: symmetric around `zero`
  std::int64_t outputs, groups;
  std::int32_t group, bits, zero;
};

struct Int8Rows {
  const std::int8_t* codes;   // {rows, inputs}
  const float* scales;        // {rows, inputs / 32}
  const float* weighted;      // {rows, inputs / 32}
  const std::int32_t* sums;   // {rows, inputs / 16}
  std::int64_t rows, inputs;  // inputs: a multiple of 32
};

// Panels [first, last) of all rows; `out` has `stride` floats a row.
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

// One row of `groups` whole groups of 32 floats.
using Int8Quantize = void (*)(const float* x, std::int64_t groups, std::int8_t* codes, float* scales,
                              float* weighted, std::int32_t* sums);
void int8_quantize_portable(const float*, std::int64_t, std::int8_t*, float*, float*, std::int32_t*);
void int8_quantize_avx2(const float*, std::int64_t, std::int8_t*, float*, float*, std::int32_t*);
void int8_quantize_avx512(const float*, std::int64_t, std::int8_t*, float*, float*, std::int32_t*);
void int8_quantize_neon_dot(const float*, std::int64_t, std::int8_t*, float*, float*, std::int32_t*);

}  // namespace synthema::cpu
