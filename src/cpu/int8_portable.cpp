#include <cmath>

#include "src/cpu/int8_cells.hpp"
#include "src/cpu/int8_kernels.hpp"
#include "src/cpu/int8_quantize.hpp"

namespace synthema::cpu {

namespace {

float output(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel, int lane,
             float y) {
  const bool nibbles = matrix.bits <= 4;
  const std::int64_t codes_end = code_bytes(matrix.group, nibbles);
  const std::int64_t cell_bytes = codes_end + step_bytes(matrix.offsets);
  const bool offsets = matrix.offsets != Offsets::none;
  for (std::int64_t g = 0; g < matrix.groups; ++g) {
    const std::uint8_t* const codes = matrix.cells + (panel * matrix.groups + g) * cell_bytes;
    std::int32_t sum = 0;
    for (int i = 0; i < matrix.group; ++i)
      sum += (code_at(codes, nibbles, i, lane) - (offsets ? 0 : matrix.zero)) *
             row_code_at(x, row, g * matrix.group + i);
    const std::int64_t scale_at = row * (x.inputs / 32) + g * matrix.group / 32;
    const auto step = [&](int index) { return step_at(codes + codes_end, matrix.offsets, index); };
    y = std::fma(static_cast<float>(sum) * x.scales[scale_at], step(lane), y);
    if (offsets) y = std::fma(x.weighted[scale_at], step(16 + lane), y);
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

void int8_quantize_portable(const float* x, std::int64_t groups, Int8RowOut out) {
  quantize_row(x, groups, out);
}

}  // namespace synthema::cpu
