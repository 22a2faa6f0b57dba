#include "src/cpu/int8_kernels.hpp"

#if defined(__AVX2__)

#include <immintrin.h>

#include "src/cpu/int8_quantize.hpp"

namespace synthema::cpu {

namespace {

// Without VNNI a product of bytes is a sum of two in 16 bits that saturates. Codes of few bits leave room to
// add several of those before they are widened: 8 x 2 x 15 x 127, 4 x 2 x 31 x 127 and 2 x 2 x 63 x 127 all
// fit. Eight-bit codes are made signed, and their sign moves to the other factor: 2 x 128 x 127 fits once.
template <int Bits>
constexpr int kSumsInWord = Bits <= 4   ? 8
                            : Bits == 5 ? 4
                            : Bits == 6 ? 2
                                        : 1;

template <int Rows, int Bits, bool Offsets, int Quads>
struct Tile {
  static constexpr bool kNibbles = Bits <= 4, kSigned = Bits > 6;
  static constexpr int kInWord = kSumsInWord<Bits> < Quads ? kSumsInWord<Bits> : Quads;

  static void run(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel,
                  const float* bias, float* out, std::int64_t stride) {
    constexpr std::int64_t group_bytes = Quads * 64 / (kNibbles ? 2 : 1);
    alignas(32) float y[Rows][16];
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16; ++lane)
        y[r][lane] = bias && panel * 16 + lane < matrix.outputs ? bias[panel * 16 + lane] : 0.0f;
    for (std::int64_t g = 0; g < matrix.groups; ++g) {
      const std::int64_t at = panel * matrix.groups + g;
      __m256i sum[Rows][2];
      // What is left of `zero` after the codes were made signed.
      const std::int32_t zero = Offsets ? 0 : kSigned ? matrix.zero - 128 : matrix.zero;
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        const std::int32_t total = row_sum(x, row + r, g);
        const std::int32_t begin = kSigned && Offsets ? 128 * total : -zero * total;
        sum[r][0] = sum[r][1] = _mm256_set1_epi32(begin);
      }
      const std::uint8_t* codes = matrix.codes + at * group_bytes;
      const std::int8_t* a = x.codes + row * x.inputs + g * Quads * 4;
#pragma GCC unroll 8
      for (int q = 0; q < Quads; q += kInWord) add_quads(codes, q, a, x.inputs, sum);
      scale_into(x, matrix, row, at, Quads == 8 ? g : g / 2, sum, y);
    }
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16 && panel * 16 + lane < matrix.outputs; ++lane)
        out[(row + r) * stride + panel * 16 + lane] = y[r][lane];
  }

 private:
  static std::int32_t row_sum(const Int8Rows& x, std::int64_t row, std::int64_t g) {
    const std::int32_t* sums = x.sums + row * (x.inputs / 16);
    return Quads == 8 ? sums[2 * g] + sums[2 * g + 1] : sums[g];
  }

  // Codes of quad q for outputs 0-7 and 8-15.
  static __attribute__((always_inline)) void load_quad(const std::uint8_t* codes, int q, __m256i (&w)[2]) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const int quad_at = kNibbles ? q / 2 * 64 : q * 64;
      __m256i v = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes + quad_at + half * 32));
      if constexpr (kNibbles) {
        if (q % 2 == 1) v = _mm256_srli_epi16(v, 4);
        v = _mm256_and_si256(v, _mm256_set1_epi8(15));
      }
      if constexpr (kSigned) v = _mm256_xor_si256(v, _mm256_set1_epi8(static_cast<char>(0x80)));
      w[half] = v;
    }
  }

  // sum += codes x a for kInWord quads from q, added in 16 bits first.
  static __attribute__((always_inline)) void add_quads(const std::uint8_t* codes, int q, const std::int8_t* a,
                                                       std::int64_t row_stride, __m256i (&sum)[Rows][2]) {
    __m256i words[Rows][2];
#pragma GCC unroll 8
    for (int i = 0; i < kInWord; ++i) {
      __m256i w[2];
      load_quad(codes, q + i, w);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        std::int32_t four;
        __builtin_memcpy(&four, a + r * row_stride + (q + i) * 4, 4);
        const __m256i repeated = _mm256_set1_epi32(four);
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
          __m256i pairs;
          if constexpr (kSigned)
            pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w[half]), _mm256_sign_epi8(repeated, w[half]));
          else
            pairs = _mm256_maddubs_epi16(w[half], repeated);
          words[r][half] = i == 0 ? pairs : _mm256_add_epi16(words[r][half], pairs);
        }
      }
    }
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half)
        sum[r][half] = _mm256_add_epi32(sum[r][half], _mm256_madd_epi16(words[r][half], ones));
  }

  static __attribute__((always_inline)) void scale_into(const Int8Rows& x, const Int8Matrix& matrix,
                                                        std::int64_t row, std::int64_t at,
                                                        std::int64_t row_group, __m256i (&sum)[Rows][2],
                                                        float (&y)[Rows][16]) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const std::int64_t scale_at = (row + r) * (x.inputs / 32) + row_group;
      const __m256 row_scale = _mm256_set1_ps(x.scales[scale_at]);
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        const __m256 exact = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[r][half]), row_scale);
        __m256 total = _mm256_load_ps(y[r] + half * 8);
        total = _mm256_fmadd_ps(exact, _mm256_load_ps(matrix.scales + at * 16 + half * 8), total);
        if constexpr (Offsets)
          total = _mm256_fmadd_ps(_mm256_set1_ps(x.weighted[scale_at]),
                                  _mm256_load_ps(matrix.offsets + at * 16 + half * 8), total);
        _mm256_store_ps(y[r] + half * 8, total);
      }
    }
  }
};

template <int Bits, bool Offsets, int Quads>
void all_columns(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                 const float* bias, float* out, std::int64_t stride) {
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + 4 <= x.rows; row += 4)
      Tile<4, Bits, Offsets, Quads>::run(x, matrix, row, panel, bias, out, stride);
    for (; row + 2 <= x.rows; row += 2)
      Tile<2, Bits, Offsets, Quads>::run(x, matrix, row, panel, bias, out, stride);
    for (; row < x.rows; ++row) Tile<1, Bits, Offsets, Quads>::run(x, matrix, row, panel, bias, out, stride);
  }
}

template <int Bits>
void of_bits(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
             const float* bias, float* out, std::int64_t stride) {
  const auto product = matrix.group == 16          ? all_columns<Bits, false, 4>
                       : matrix.offsets != nullptr ? all_columns<Bits, true, 8>
                                                   : all_columns<Bits, false, 8>;
  product(x, matrix, first, last, bias, out, stride);
}

}  // namespace

void int8_product_avx2(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                       const float* bias, float* out, std::int64_t stride) {
  const auto product = matrix.bits <= 4   ? of_bits<4>
                       : matrix.bits == 5 ? of_bits<5>
                       : matrix.bits == 6 ? of_bits<6>
                                          : of_bits<8>;
  product(x, matrix, first, last, bias, out, stride);
}

void int8_quantize_avx2(const float* x, std::int64_t groups, std::int8_t* codes, float* scales,
                        float* weighted, std::int32_t* sums) {
  quantize_row(x, groups, codes, scales, weighted, sums);
}

}  // namespace synthema::cpu

#else  // a build for another kind of machine: never chosen there

namespace synthema::cpu {
void int8_product_avx2(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                       const float* bias, float* out, std::int64_t stride) {
  int8_product_portable(x, matrix, first, last, bias, out, stride);
}
void int8_quantize_avx2(const float* x, std::int64_t groups, std::int8_t* codes, float* scales,
                        float* weighted, std::int32_t* sums) {
  int8_quantize_portable(x, groups, codes, scales, weighted, sums);
}
}  // namespace synthema::cpu

#endif
