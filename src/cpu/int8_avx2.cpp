#include "src/cpu/int8_kernels.hpp"

#if defined(__AVX2__)

#include <immintrin.h>

#include "src/cpu/int8_groups.hpp"
#include "src/cpu/int8_quantize.hpp"

namespace synthema::cpu {

namespace {

constexpr int kRows = 5;

// Without VNNI a product of bytes is a sum of two in 16 bits that saturates. Codes of few bits leave room to
// add several of those before they are widened: 8 x 2 x 15 x 127, 4 x 2 x 31 x 127 and 2 x 2 x 63 x 127 all
// fit. Codes of more bits are multiplied by their size, with the sign given to the other factor, and widened
// at once: 2 x 128 x 127 fits.
template <int Bits>
constexpr int kSumsInWord = Bits == 5   ? 4
                            : Bits == 6 ? 2
                                        : 8;
constexpr std::int32_t kMiddle = 128;  // of codes of more bits: what is taken off for a sign

// Sixteen integers of 16 bits, and eight of 32; not __m256i: GCC 12 keeps sums of another element type in
// memory.
using Words = std::int16_t __attribute__((vector_size(32)));
using Integers = std::int32_t __attribute__((vector_size(32)));

__m256i load(const std::uint8_t* codes) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
}
__m256i low_half(__m256i x) {
  return _mm256_and_si256(x, _mm256_set1_epi8(15));
}
__m256i high_half(__m256i x) {
  return low_half(_mm256_srli_epi16(x, 4));
}
// Sums of pairs, as eight integers of 32 bits.
__m256i widened(Words x) {
  return _mm256_madd_epi16(reinterpret_cast<__m256i>(x), _mm256_set1_epi16(1));
}

// Of 8 outputs of a panel, for one group; `column` is 0 or 8.
struct Steps {
  __m256 scale, offset;
};
template <Offsets Kind>
__attribute__((always_inline)) inline Steps load_steps(const std::uint8_t* at, int column) {
  if constexpr (Kind == Offsets::halves) {
    const auto* const halves = reinterpret_cast<const __m128i*>(at + column * 2);
    return {_mm256_cvtph_ps(_mm_load_si128(halves)), _mm256_cvtph_ps(_mm_load_si128(halves + 2))};
  } else {
    const auto* const floats = reinterpret_cast<const float*>(at) + column;
    return {_mm256_load_ps(floats),
            Kind == Offsets::floats ? _mm256_load_ps(floats + 16) : _mm256_setzero_ps()};
  }
}

// A tile of Rows rows and a panel. As many sums as there are, one quad's codes and an input are all that the
// 16 registers hold, so the results stay in the first cache. All loops over a group are unrolled: together
// that is a tenth faster.
// Wide: the rows have 16 bits. Products of such numbers have no need of signs or of room, so they take no
// more instructions than those of 8 bits with codes of 8.
template <int Rows, int Bits, Offsets Kind, int Quads, bool Wide = false>
struct Tile {
  static constexpr bool kNibbles = Bits <= 4, kSigned = Bits > 6 && !Wide;
  static constexpr int kInWord = kSumsInWord<Bits> < Quads ? kSumsInWord<Bits> : Quads;
  static constexpr int kLoadedQuads = kNibbles ? 2 : 1;
  static constexpr bool kOffsets = Kind != Offsets::none, kShifted = kSigned || !kOffsets;
  using Cells = Cell<kNibbles, Kind, Quads>;
  using Sums = __m256i[Rows][2];  // of 8 outputs each

  static void run(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel,
                  const float* bias, float* out, std::int64_t stride) {
    alignas(32) float y[Rows][16];
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16; ++lane)
        y[r][lane] = bias && panel * 16 + lane < matrix.outputs ? bias[panel * 16 + lane] : 0.0f;
    for (std::int64_t g = 0; g < matrix.groups; ++g) {
      const std::uint8_t* codes = matrix.cells + (panel * matrix.groups + g) * Cells::kBytes;
      const std::int64_t at = row * x.inputs + g * Quads * 4;
      std::int32_t begin[Rows];  // of the sums: what is taken off the codes too much or too little
      for (int r = 0; r < Rows; ++r)
        begin[r] =
            kShifted ? (kMiddle * kSigned - matrix.zero * !kOffsets) * row_sum<Quads>(x, row + r, g) : 0;
      Sums sum;
      if constexpr (Wide)
        add_wide(codes, x.words + at, x.inputs, sum);
      else if constexpr (kSigned)
        add_signed(codes, x.codes + at, x.inputs, sum);
      else
        add_whole(codes, x.codes + at, x.inputs, sum);
      scale_into(x, codes + Cells::kCodes, row, Quads == 8 ? g : g / 2, begin, sum, y);
    }
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16 && panel * 16 + lane < matrix.outputs; ++lane)
        out[(row + r) * stride + panel * 16 + lane] = y[r][lane];
  }

 private:
  static __attribute__((always_inline)) __m256i repeated(const void* four_bytes) {
    std::int32_t bits;
    __builtin_memcpy(&bits, four_bytes, 4);
    return _mm256_set1_epi32(bits);
  }

  static __attribute__((always_inline)) Words products(__m256i codes, __m256i four, const std::int8_t*) {
    return reinterpret_cast<Words>(_mm256_maddubs_epi16(codes, four));
  }
  static __attribute__((always_inline)) Integers products(__m256i codes, __m256i two, const std::int16_t*) {
    return reinterpret_cast<Integers>(_mm256_madd_epi16(codes, two));
  }
  // sums += codes x four inputs of each row, or two of 16 bits.
  template <class Input, class Integral>
  static __attribute__((always_inline)) void add_products(__m256i w0, __m256i w1, const Input* a,
                                                          std::int64_t row_stride,
                                                          Integral (&sums)[Rows][2]) {
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r) {
      const __m256i inputs = repeated(a + r * row_stride);
      sums[r][0] += products(w0, inputs, a);
      sums[r][1] += products(w1, inputs, a);
      asm("" : "+x"(sums[r][0]), "+x"(sums[r][1]));  // else sums are reordered, and no longer fit registers
    }
  }

  // sum = codes x a over a group.
  static __attribute__((always_inline)) void add_whole(const std::uint8_t* codes, const std::int8_t* a,
                                                       std::int64_t row_stride, Sums& sum) {
#pragma GCC unroll 4
    for (int begin = 0; begin < Quads; begin += kInWord) {
      Words words[Rows][2] = {};
#pragma GCC unroll 8
      for (int q = begin; q < begin + kInWord; q += kLoadedQuads) {
        const std::uint8_t* from = codes + q / kLoadedQuads * 64;
        if constexpr (kNibbles) {
          add_products(low_half(load(from)), low_half(load(from + 32)), a + q * 4, row_stride, words);
          asm("" : "+r"(from));  // loads twice: four halves at once would not fit either
          add_products(high_half(load(from)), high_half(load(from + 32)), a + q * 4 + 4, row_stride, words);
        } else {
          add_products(load(from), load(from + 32), a + q * 4, row_stride, words);
        }
      }
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h) {
          const __m256i more = widened(words[r][h]);
          sum[r][h] = begin == 0 ? more : _mm256_add_epi32(sum[r][h], more);
        }
    }
  }

  // sum = (codes - kMiddle) x a over a group.
  static __attribute__((always_inline)) void add_signed(const std::uint8_t* codes, const std::int8_t* a,
                                                        std::int64_t row_stride, Sums& sum) {
    for (auto& of_row : sum) of_row[0] = of_row[1] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int q = 0; q < Quads; ++q) {
      const __m256i middle = _mm256_set1_epi8(static_cast<char>(kMiddle));
      const __m256i w0 = _mm256_xor_si256(load(codes + q * 64), middle);
      const __m256i w1 = _mm256_xor_si256(load(codes + q * 64 + 32), middle);
      const __m256i size0 = _mm256_abs_epi8(w0), size1 = _mm256_abs_epi8(w1);
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r) {
        const __m256i four = repeated(a + q * 4 + r * row_stride);
        const auto products = [&](__m256i size, __m256i w) {
          return widened(reinterpret_cast<Words>(_mm256_maddubs_epi16(size, _mm256_sign_epi8(four, w))));
        };
        sum[r][0] = _mm256_add_epi32(sum[r][0], products(size0, w0));
        sum[r][1] = _mm256_add_epi32(sum[r][1], products(size1, w1));
        asm("" : "+x"(sum[r][0]), "+x"(sum[r][1]));
      }
    }
  }

  // sum = codes x a over a group: of each quad the first and third input, then the second and fourth.
  static __attribute__((always_inline)) void add_wide(const std::uint8_t* codes, const std::int16_t* a,
                                                      std::int64_t row_stride, Sums& sum) {
    Integers total[Rows][2] = {};
#pragma GCC unroll 8
    for (int q = 0; q < Quads; ++q) {
      const __m256i w0 = load(codes + q * 64), w1 = load(codes + q * 64 + 32);
      add_products(even_bytes(w0), even_bytes(w1), a + q * 4, row_stride, total);
      add_products(_mm256_srli_epi16(w0, 8), _mm256_srli_epi16(w1, 8), a + q * 4 + 2, row_stride, total);
    }
    for (int r = 0; r < Rows; ++r)
      for (int h = 0; h < 2; ++h) sum[r][h] = reinterpret_cast<__m256i>(total[r][h]);
  }
  static __attribute__((always_inline)) __m256i even_bytes(__m256i x) {
    return _mm256_and_si256(x, _mm256_set1_epi16(255));
  }

  static __attribute__((always_inline)) void scale_into(const Int8Rows& x, const std::uint8_t* at,
                                                        std::int64_t row, std::int64_t row_group,
                                                        const std::int32_t (&begin)[Rows], const Sums& sum,
                                                        float (&y)[Rows][16]) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const Steps steps = load_steps<Kind>(at, h * 8);
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r) {
        const std::int64_t scale_at = (row + r) * (x.inputs / 32) + row_group;
        const __m256 row_scale = _mm256_set1_ps(x.scales[scale_at]);
        const __m256i whole = kShifted ? _mm256_add_epi32(sum[r][h], _mm256_set1_epi32(begin[r])) : sum[r][h];
        const __m256 exact = _mm256_mul_ps(_mm256_cvtepi32_ps(whole), row_scale);
        __m256 total = _mm256_load_ps(y[r] + h * 8);
        total = _mm256_fmadd_ps(exact, steps.scale, total);
        if constexpr (kOffsets)
          total = _mm256_fmadd_ps(_mm256_set1_ps(x.weighted[scale_at]), steps.offset, total);
        _mm256_store_ps(y[r] + h * 8, total);
      }
    }
  }
};

// The last rows, `left` of them, fewer than a tile's.
template <int Rows, int Bits, Offsets Kind, int Quads, bool Wide>
void last_rows(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t left, std::int64_t panel,
               const float* bias, float* out, std::int64_t stride) {
  if constexpr (Rows > 0) {
    if (left == Rows)
      Tile<Rows, Bits, Kind, Quads, Wide>::run(x, matrix, x.rows - left, panel, bias, out, stride);
    else
      last_rows<Rows - 1, Bits, Kind, Quads, Wide>(x, matrix, left, panel, bias, out, stride);
  }
}

template <int Bits, Offsets Kind, int Quads, bool Wide = false>
void all_columns(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                 const float* bias, float* out, std::int64_t stride) {
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + kRows <= x.rows; row += kRows)
      Tile<kRows, Bits, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    last_rows<kRows - 1, Bits, Kind, Quads, Wide>(x, matrix, x.rows - row, panel, bias, out, stride);
  }
}

}  // namespace

void int8_product_avx2(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                       const float* bias, float* out, std::int64_t stride) {
  if (x.words) return all_columns<8, Offsets::none, 8, true>(x, matrix, first, last, bias, out, stride);
  with_groups(matrix, [&]<Offsets Kind, int Quads>() {
    const auto product = matrix.bits <= 4   ? all_columns<4, Kind, Quads>
                         : matrix.bits == 5 ? all_columns<5, Kind, Quads>
                         : matrix.bits == 6 ? all_columns<6, Kind, Quads>
                                            : all_columns<8, Kind, Quads>;
    product(x, matrix, first, last, bias, out, stride);
  });
}

void int8_quantize_avx2(const float* x, std::int64_t groups, Int8RowOut out) {
  quantize_row(x, groups, out);
}

}  // namespace synthema::cpu

#else  // a build for another kind of machine: never chosen there

namespace synthema::cpu {
void int8_product_avx2(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                       const float* bias, float* out, std::int64_t stride) {
  int8_product_portable(x, matrix, first, last, bias, out, stride);
}
void int8_quantize_avx2(const float* x, std::int64_t groups, Int8RowOut out) {
  int8_quantize_portable(x, groups, out);
}
}  // namespace synthema::cpu

#endif
