#include "src/cpu/int8_kernels.hpp"

#if defined(__ARM_FEATURE_DOTPROD)

#include <arm_neon.h>

#include "src/cpu/int8_groups.hpp"
#include "src/cpu/int8_quantize.hpp"

namespace synthema::cpu {

namespace {

// Of four outputs of a panel, for one group; `column` is a multiple of four.
struct Steps {
  float32x4_t scale, offset;
};
template <Offsets Kind>
__attribute__((always_inline)) inline Steps load_steps(const std::uint8_t* at, int column) {
  if constexpr (Kind == Offsets::halves) {
    const auto* const halves = reinterpret_cast<const __fp16*>(at) + column;
    return {vcvt_f32_f16(vld1_f16(halves)), vcvt_f32_f16(vld1_f16(halves + 16))};
  } else {
    const auto* const floats = reinterpret_cast<const float*>(at) + column;
    return {vld1q_f32(floats), Kind == Offsets::floats ? vld1q_f32(floats + 16) : vdupq_n_f32(0)};
  }
}

// Sixteen inputs of a row of 16 bits, in ascending order: what is left without a low signed byte, and that
// byte.
struct Halves {
  int8x16_t high, low;
};
Halves load_halves(const std::int16_t* words) {
  constexpr std::uint8_t places[] = {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15};
  const uint8x16_t ascending = vld1q_u8(places);
  const int8x16x2_t bytes = vld2q_s8(reinterpret_cast<const std::int8_t*>(words));
  return {vqtbl1q_s8(vsubq_s8(bytes.val[1], vshrq_n_s8(bytes.val[0], 7)), ascending),
          vqtbl1q_s8(bytes.val[0], ascending)};
}

// The dot product takes signed bytes on both sides: codes of less than 8 bits are their own signed bytes,
// those of 8 bits move by 128, as the zero does. Wide: the rows have 16 bits, which are two such products.
template <int Rows, int Bits, Offsets Kind, int Quads, bool Wide = false>
struct Tile {
  static constexpr bool kNibbles = Bits <= 4, kSigned = Bits > 7, kOffsets = Kind != Offsets::none;
  using Cells = Cell<kNibbles, Kind, Quads>;

  static void run(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel,
                  const float* bias, float* out, std::int64_t stride) {
    float y[Rows][16];
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16; ++lane)
        y[r][lane] = bias && panel * 16 + lane < matrix.outputs ? bias[panel * 16 + lane] : 0.0f;
    for (std::int64_t g = 0; g < matrix.groups; ++g) {
      const std::int32_t zero = (kOffsets ? 0 : matrix.zero) - (kSigned ? 128 : 0);
      int32x4_t sum[Rows][4];
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        const int32x4_t begin = vdupq_n_s32(Wide ? 0 : -zero * row_sum<Quads>(x, row + r, g));
#pragma GCC unroll 4
        for (int n = 0; n < 4; ++n) sum[r][n] = begin;
      }
      const std::uint8_t* codes = matrix.cells + (panel * matrix.groups + g) * Cells::kBytes;
      const std::int64_t at = row * x.inputs + g * Quads * 4;
      if constexpr (Wide) {
        const auto bytes = [&](auto half) {
          return [&, half](int r, int q) { return load_halves(x.words + at + r * x.inputs + q * 4).*half; };
        };
        add_group(codes, bytes(&Halves::high), sum);
        for (int r = 0; r < Rows; ++r) {
          const int32x4_t begin = vdupq_n_s32(-zero * row_sum<Quads>(x, row + r, g));
#pragma GCC unroll 4
          for (int n = 0; n < 4; ++n) sum[r][n] = vaddq_s32(vshlq_n_s32(sum[r][n], 8), begin);
        }
        add_group(codes, bytes(&Halves::low), sum);
      } else {
        add_group(codes, [&](int r, int q) { return vld1q_s8(x.codes + at + r * x.inputs + q * 4); }, sum);
      }
      scale_into(x, codes + Cells::kCodes, row, Quads == 8 ? g : g / 2, sum, y);
    }
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16 && panel * 16 + lane < matrix.outputs; ++lane)
        out[(row + r) * stride + panel * 16 + lane] = y[r][lane];
  }

 private:
  // Codes of quad q for four outputs.
  static int8x16_t load_codes(const std::uint8_t* codes, int q, int part) {
    uint8x16_t v = vld1q_u8(codes + (kNibbles ? q / 2 : q) * 64 + part * 16);
    if constexpr (kNibbles) v = q % 2 == 1 ? vshrq_n_u8(v, 4) : vandq_u8(v, vdupq_n_u8(15));
    if constexpr (kSigned) v = veorq_u8(v, vdupq_n_u8(0x80));
    return vreinterpretq_s8_u8(v);
  }

  template <int Lane>
  static void add_quad(const std::uint8_t* codes, int q, const int8x16_t (&a)[Rows],
                       int32x4_t (&sum)[Rows][4]) {
#pragma GCC unroll 4
    for (int n = 0; n < 4; ++n) {
      const int8x16_t w = load_codes(codes, q + Lane, n);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) sum[r][n] = vdotq_laneq_s32(sum[r][n], w, a[r], Lane);
    }
  }

  // sum += codes x a over a group; load(r, q) gives 16 inputs of a row from quad q on.
  template <class Load>
  static __attribute__((always_inline)) void add_group(const std::uint8_t* codes, const Load& load,
                                                       int32x4_t (&sum)[Rows][4]) {
#pragma GCC unroll 2
    for (int q = 0; q < Quads; q += 4) {
      int8x16_t sixteen[Rows];
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) sixteen[r] = load(r, q);
      add_quad<0>(codes, q, sixteen, sum);
      add_quad<1>(codes, q, sixteen, sum);
      add_quad<2>(codes, q, sixteen, sum);
      add_quad<3>(codes, q, sixteen, sum);
    }
  }

  static void scale_into(const Int8Rows& x, const std::uint8_t* at, std::int64_t row, std::int64_t row_group,
                         const int32x4_t (&sum)[Rows][4], float (&y)[Rows][16]) {
    for (int r = 0; r < Rows; ++r) {
      const std::int64_t scale_at = (row + r) * (x.inputs / 32) + row_group;
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) {
        const float32x4_t exact = vmulq_n_f32(vcvtq_f32_s32(sum[r][n]), x.scales[scale_at]);
        float32x4_t total = vld1q_f32(y[r] + n * 4);
        const Steps steps = load_steps<Kind>(at, n * 4);
        total = vfmaq_f32(total, exact, steps.scale);
        if constexpr (kOffsets) total = vfmaq_f32(total, vdupq_n_f32(x.weighted[scale_at]), steps.offset);
        vst1q_f32(y[r] + n * 4, total);
      }
    }
  }
};

template <int Bits, Offsets Kind, int Quads, bool Wide = false>
void all_columns(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                 const float* bias, float* out, std::int64_t stride) {
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + 4 <= x.rows; row += 4)
      Tile<4, Bits, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    for (; row < x.rows; ++row)
      Tile<1, Bits, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
  }
}

}  // namespace

void int8_product_neon_dot(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                           const float* bias, float* out, std::int64_t stride) {
  if (x.words) return all_columns<8, Offsets::none, 8, true>(x, matrix, first, last, bias, out, stride);
  with_groups(matrix, [&]<Offsets Kind, int Quads>() {
    const auto product = matrix.bits <= 4   ? all_columns<4, Kind, Quads>
                         : matrix.bits <= 7 ? all_columns<7, Kind, Quads>
                                            : all_columns<8, Kind, Quads>;
    product(x, matrix, first, last, bias, out, stride);
  });
}

void int8_quantize_neon_dot(const float* x, std::int64_t groups, Int8RowOut out) {
  quantize_row(x, groups, out);
}

}  // namespace synthema::cpu

#else  // a build for another kind of machine: never chosen there

namespace synthema::cpu {
void int8_product_neon_dot(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                           const float* bias, float* out, std::int64_t stride) {
  int8_product_portable(x, matrix, first, last, bias, out, stride);
}
void int8_quantize_neon_dot(const float* x, std::int64_t groups, Int8RowOut out) {
  int8_quantize_portable(x, groups, out);
}
}  // namespace synthema::cpu

#endif
