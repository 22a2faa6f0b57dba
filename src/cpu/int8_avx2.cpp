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
// fit. Codes of more bits are multiplied as two of 4 bits.
template <int Bits>
constexpr int kSumsInWord = Bits == 5   ? 4
                            : Bits == 6 ? 2
                                        : 8;

// Sixteen integers of 16 bits; not __m256i: GCC 12 keeps sums of another element type in memory.
using Words = std::int16_t __attribute__((vector_size(32)));

__m256i load(const std::uint8_t* codes) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
}
__m256i low_half(__m256i x) {
  return _mm256_and_si256(x, _mm256_set1_epi8(15));
}
__m256i high_half(__m256i x) {
  return low_half(_mm256_srli_epi16(x, 4));
}
// Sums of pairs times `factor`, as eight integers of 32 bits.
__m256i widened(Words x, int factor) {
  return _mm256_madd_epi16(reinterpret_cast<__m256i>(x), _mm256_set1_epi16(static_cast<short>(factor)));
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

// A tile of Rows rows and a panel. As many sums of 16 bits as there are, one quad's codes and an input are
// all that the 16 registers hold, so the results stay in the first cache.
template <int Rows, int Bits, Offsets Kind, int Quads>
struct Tile {
  static constexpr bool kNibbles = Bits <= 4, kSplit = Bits > 6;
  static constexpr int kHalves = kSplit ? 1 : 2;  // of a panel, together
  static constexpr int kInWord = kSumsInWord<Bits> < Quads ? kSumsInWord<Bits> : Quads;
  static constexpr int kLoadedQuads = kNibbles ? 2 : 1;
  static constexpr bool kOffsets = Kind != Offsets::none;
  using Cells = Cell<kNibbles, Kind, Quads>;

  static void run(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel,
                  const float* bias, float* out, std::int64_t stride) {
    alignas(32) float y[Rows][16];
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16; ++lane)
        y[r][lane] = bias && panel * 16 + lane < matrix.outputs ? bias[panel * 16 + lane] : 0.0f;
    for (std::int64_t g = 0; g < matrix.groups; ++g) {
      const std::uint8_t* codes = matrix.cells + (panel * matrix.groups + g) * Cells::kBytes;
      const std::int8_t* a = x.codes + row * x.inputs + g * Quads * 4;
      std::int32_t begin[Rows];  // of the sums: what the zero's code adds too much
      for (int r = 0; r < Rows; ++r) begin[r] = kOffsets ? 0 : -matrix.zero * row_sum<Quads>(x, row + r, g);
#pragma GCC unroll 1
      for (int half = 0; half < 2; half += kHalves) {
        __m256i sum[Rows][kHalves];
        if constexpr (kSplit)
          add_split(codes + half * 32, a, x.inputs, sum);
        else
          add_whole(codes, a, x.inputs, sum);
        scale_into(x, codes + Cells::kCodes, row, Quads == 8 ? g : g / 2, half * 8, begin, sum, y);
      }
    }
    for (int r = 0; r < Rows; ++r)
      for (int lane = 0; lane < 16 && panel * 16 + lane < matrix.outputs; ++lane)
        out[(row + r) * stride + panel * 16 + lane] = y[r][lane];
  }

 private:
  // words += one quad's codes x four inputs of each row.
  static __attribute__((always_inline)) void add_quad(__m256i w0, __m256i w1, const std::int8_t* a,
                                                      std::int64_t row_stride, Words (&words)[Rows][2]) {
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r) {
      std::int32_t four;
      __builtin_memcpy(&four, a + r * row_stride, 4);
      const __m256i repeated = _mm256_set1_epi32(four);
      words[r][0] += reinterpret_cast<Words>(_mm256_maddubs_epi16(w0, repeated));
      words[r][1] += reinterpret_cast<Words>(_mm256_maddubs_epi16(w1, repeated));
      asm("" : "+x"(words[r][0]), "+x"(words[r][1]));  // else sums are reordered, and no longer fit registers
    }
  }

  // sum = codes x a over a group.
  static __attribute__((always_inline)) void add_whole(const std::uint8_t* codes, const std::int8_t* a,
                                                       std::int64_t row_stride,
                                                       __m256i (&sum)[Rows][kHalves]) {
#pragma GCC unroll 4
    for (int begin = 0; begin < Quads; begin += kInWord) {
      Words words[Rows][2] = {};
#pragma GCC unroll 1
      for (int q = begin; q < begin + kInWord; q += kLoadedQuads) {
        const std::uint8_t* from = codes + q / kLoadedQuads * 64;
        if constexpr (kNibbles) {
          add_quad(low_half(load(from)), low_half(load(from + 32)), a + q * 4, row_stride, words);
          asm("" : "+r"(from));  // loads twice: four halves at once would not fit either
          add_quad(high_half(load(from)), high_half(load(from + 32)), a + q * 4 + 4, row_stride, words);
        } else {
          add_quad(load(from), load(from + 32), a + q * 4, row_stride, words);
        }
      }
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
        for (int h = 0; h < kHalves; ++h) {
          const __m256i more = widened(words[r][h], 1);
          sum[r][h] = begin == 0 ? more : _mm256_add_epi32(sum[r][h], more);
        }
    }
  }

  // The same for 8 outputs, whose codes are 16 times their high half plus their low half.
  static __attribute__((always_inline)) void add_split(const std::uint8_t* codes, const std::int8_t* a,
                                                       std::int64_t row_stride,
                                                       __m256i (&sum)[Rows][kHalves]) {
    Words words[Rows][2] = {};
#pragma GCC unroll 1
    for (int q = 0; q < Quads; ++q) {
      const __m256i both = load(codes + q * 64);
      add_quad(low_half(both), high_half(both), a + q * 4, row_stride, words);
    }
#pragma GCC unroll 6
    for (int r = 0; r < Rows; ++r)
      sum[r][0] = _mm256_add_epi32(widened(words[r][0], 1), widened(words[r][1], 16));
  }

  static __attribute__((always_inline)) void scale_into(const Int8Rows& x, const std::uint8_t* at,
                                                        std::int64_t row, std::int64_t row_group, int column,
                                                        const std::int32_t (&begin)[Rows],
                                                        const __m256i (&sum)[Rows][kHalves],
                                                        float (&y)[Rows][16]) {
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) {
      const int to = column + h * 8;
      const Steps steps = load_steps<Kind>(at, to);
#pragma GCC unroll 6
      for (int r = 0; r < Rows; ++r) {
        const std::int64_t scale_at = (row + r) * (x.inputs / 32) + row_group;
        const __m256 row_scale = _mm256_set1_ps(x.scales[scale_at]);
        const __m256i whole = kOffsets ? sum[r][h] : _mm256_add_epi32(sum[r][h], _mm256_set1_epi32(begin[r]));
        const __m256 exact = _mm256_mul_ps(_mm256_cvtepi32_ps(whole), row_scale);
        __m256 total = _mm256_load_ps(y[r] + to);
        total = _mm256_fmadd_ps(exact, steps.scale, total);
        if constexpr (kOffsets)
          total = _mm256_fmadd_ps(_mm256_set1_ps(x.weighted[scale_at]), steps.offset, total);
        _mm256_store_ps(y[r] + to, total);
      }
    }
  }
};

template <int Bits, Offsets Kind, int Quads>
void all_columns(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                 const float* bias, float* out, std::int64_t stride) {
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + kRows <= x.rows; row += kRows)
      Tile<kRows, Bits, Kind, Quads>::run(x, matrix, row, panel, bias, out, stride);
    for (; row + 2 <= x.rows; row += 2)
      Tile<2, Bits, Kind, Quads>::run(x, matrix, row, panel, bias, out, stride);
    for (; row < x.rows; ++row) Tile<1, Bits, Kind, Quads>::run(x, matrix, row, panel, bias, out, stride);
  }
}

}  // namespace

void int8_product_avx2(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                       const float* bias, float* out, std::int64_t stride) {
  with_groups(matrix, [&]<Offsets Kind, int Quads>() {
    const auto product = matrix.bits <= 4   ? all_columns<4, Kind, Quads>
                         : matrix.bits == 5 ? all_columns<5, Kind, Quads>
                         : matrix.bits == 6 ? all_columns<6, Kind, Quads>
                                            : all_columns<8, Kind, Quads>;
    product(x, matrix, first, last, bias, out, stride);
  });
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
