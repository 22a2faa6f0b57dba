#include <cmath>

#include "src/cpu/int8_kernels.hpp"
#include "src/cpu/int8_quantize.hpp"

namespace synthema::cpu {

namespace {

int code_at(const Int8Matrix& matrix, const std::uint8_t* group, int input, int lane) {
  const int quad = input / 4, byte = lane * 4 + input % 4;
  if (matrix.bits > 4) return group[quad * 64 + byte];
  return (group[quad / 2 * 64 + byte] >> (quad % 2 * 4)) & 15;
}

float output(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel, int lane,
             float y) {
  const std::int64_t group_bytes = matrix.group * 16 / (matrix.bits > 4 ? 1 : 2);
  const std::int8_t* a = x.codes + row * x.inputs;
  for (std::int64_t g = 0; g < matrix.groups; ++g, a += matrix.group) {
    const std::int64_t at = panel * matrix.groups + g, row_group = g * matrix.group / 32;
    const std::uint8_t* codes = matrix.codes + at * group_bytes;
    std::int32_t sum = 0;
    for (int i = 0; i < matrix.group; ++i)
      sum += (code_at(matrix, codes, i, lane) - (matrix.offsets ? 0 : matrix.zero)) * a[i];
    const std::int64_t scale_at = row * (x.inputs / 32) + row_group;
    y = std::fma(static_cast<float>(sum) * x.scales[scale_at], matrix.scales[at * 16 + lane], y);
    if (matrix.offsets) y = std::fma(x.weighted[scale_at], matrix.offsets[at * 16 + lane], y);
  }
  return y;
}

}  // namespace

void int8_product_portable(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                           const float* bias, float* out, std::int64_t stride) {
  for (std::int64_t panel = first; panel < last; ++panel)
    for (std::int64_t r = 0; r < x.rows; ++r)
      for (int lane = 0; lane < 16 && panel * 16 + lane < matrix.outputs; ++lane) {
        const std::int64_t o = panel * 16 + lane;
        out[r * stride + o] = output(x, matrix, r, panel, lane, bias ? bias[o] : 0.0f);
      }
}

void int8_quantize_portable(const float* x, std::int64_t groups, std::int8_t* codes, float* scales,
                            float* weighted, std::int32_t* sums) {
  quantize_row(x, groups, codes, scales, weighted, sums);
}

}  // namespace synthema::cpu
