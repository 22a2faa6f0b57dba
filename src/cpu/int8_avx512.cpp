#include "src/cpu/int8_kernels.hpp"

#if defined(__AVX512VNNI__)

#include <immintrin.h>

#include "src/cpu/int8_groups.hpp"
#include "src/cpu/int8_quantize.hpp"

namespace synthema::cpu {

namespace {

// Of the 16 outputs of a panel, for one group.
struct Steps {
  __m512 scale, offset;
};
template <Offsets Kind>
__attribute__((always_inline)) inline Steps load_steps(const std::uint8_t* at) {
  if constexpr (Kind == Offsets::halves) {
    const __m512i both = _mm512_load_si512(at);
    return {_mm512_cvtph_ps(_mm512_castsi512_si256(both)),
            _mm512_cvtph_ps(_mm512_extracti64x4_epi64(both, 1))};
  } else {
    return {_mm512_load_ps(at), Kind == Offsets::floats ? _mm512_load_ps(at + 64) : _mm512_setzero_ps()};
  }
}

// A tile of Rows x Panels results stays in registers for all groups: 6 x 2 tiles need 24 accumulators. Every
// loop over them is unrolled, else the compiler keeps them in memory.
// Wide: the rows have 16 bits.
template <int Rows, int Panels, bool Nibbles, Offsets Kind, int Quads, bool Wide>
struct Tile {
  static constexpr bool kOffsets = Kind != Offsets::none;
  using Cells = Cell<Nibbles, Kind, Quads>;

  // ahead: the cells of the panels that come next, fetched meanwhile; or null.
  static void run(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t row, std::int64_t panel,
                  const float* bias, float* out, std::int64_t stride, const std::uint8_t* ahead = nullptr) {
    const std::int64_t row_groups = x.inputs / 32;
    __m512 y[Rows][Panels];
#pragma GCC unroll 8
    for (int n = 0; n < Panels; ++n) {
      const __m512 begin = bias ? load_outputs(bias, panel + n, matrix.outputs) : _mm512_setzero_ps();
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) y[r][n] = begin;
    }
    for (std::int64_t g = 0; g < matrix.groups; ++g) {
      if (ahead) fetch(ahead + g * Panels * Cells::kBytes);
      const std::uint8_t* codes[Panels];
#pragma GCC unroll 8
      for (int n = 0; n < Panels; ++n)
        codes[n] = matrix.cells + ((panel + n) * matrix.groups + g) * Cells::kBytes;
      __m512i sum[Rows][Panels];
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        const __m512i begin = kOffsets ? _mm512_setzero_si512()
                                       : _mm512_set1_epi32(-matrix.zero * row_sum<Quads>(x, row + r, g));
#pragma GCC unroll 8
        for (int n = 0; n < Panels; ++n) sum[r][n] = begin;
      }
      const std::int64_t at = row * x.inputs + g * Quads * 4;
      if constexpr (Wide) {
        const __m512i even = _mm512_set1_epi16(255);
#pragma GCC unroll 8
        for (int q = 0; q < Quads; ++q) {
          __m512i w[Panels], v[Panels];
#pragma GCC unroll 8
          for (int n = 0; n < Panels; ++n) {
            const __m512i four = _mm512_load_si512(codes[n] + q * 64);
            w[n] = _mm512_and_si512(four, even);
            v[n] = _mm512_srli_epi16(four, 8);
          }
          add_products(w, x.words + at + q * 4, x.inputs, sum);
          add_products(v, x.words + at + q * 4 + 2, x.inputs, sum);
        }
      } else if constexpr (Nibbles) {
        const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 4
        for (int q = 0; q < Quads; q += 2) {
          __m512i w[Panels], v[Panels];
#pragma GCC unroll 8
          for (int n = 0; n < Panels; ++n) {
            const __m512i both = _mm512_load_si512(codes[n] + q * 32);
            w[n] = _mm512_and_si512(both, low);
            v[n] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
          }
          add_products(w, x.codes + at + q * 4, x.inputs, sum);
          add_products(v, x.codes + at + q * 4 + 4, x.inputs, sum);
        }
      } else {
#pragma GCC unroll 8
        for (int q = 0; q < Quads; ++q) {
          __m512i w[Panels];
#pragma GCC unroll 8
          for (int n = 0; n < Panels; ++n) w[n] = _mm512_load_si512(codes[n] + q * 64);
          add_products(w, x.codes + at + q * 4, x.inputs, sum);
        }
      }
      const std::int64_t row_group = Quads == 8 ? g : g / 2;
#pragma GCC unroll 8
      for (int n = 0; n < Panels; ++n) {
        const Steps steps = load_steps<Kind>(codes[n] + Cells::kCodes);
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
          const std::int64_t scale_at = (row + r) * row_groups + row_group;
          const __m512 exact =
              _mm512_mul_ps(_mm512_cvtepi32_ps(sum[r][n]), _mm512_set1_ps(x.scales[scale_at]));
          y[r][n] = _mm512_fmadd_ps(exact, steps.scale, y[r][n]);
          if constexpr (kOffsets)
            y[r][n] = _mm512_fmadd_ps(_mm512_set1_ps(x.weighted[scale_at]), steps.offset, y[r][n]);
        }
      }
    }
#pragma GCC unroll 8
    for (int n = 0; n < Panels; ++n) {
      const __mmask16 mask = outputs_mask(panel + n, matrix.outputs);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r)
        _mm512_mask_storeu_ps(out + (row + r) * stride + (panel + n) * 16, mask, y[r][n]);
    }
  }

 private:
  static __attribute__((always_inline)) void fetch(const std::uint8_t* from) {
#pragma GCC unroll 20
    for (std::int64_t line = 0; line < Panels * Cells::kBytes; line += 64)
      _mm_prefetch(reinterpret_cast<const char*>(from + line), _MM_HINT_T1);
  }
  static __mmask16 outputs_mask(std::int64_t panel, std::int64_t outputs) {
    const std::int64_t left = outputs - panel * 16;
    return static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1);
  }
  static __m512 load_outputs(const float* bias, std::int64_t panel, std::int64_t outputs) {
    return _mm512_maskz_loadu_ps(outputs_mask(panel, outputs), bias + panel * 16);
  }
  static __attribute__((always_inline)) __m512i plus(__m512i sum, __m512i codes, __m512i four,
                                                     const std::int8_t*) {
    return _mm512_dpbusd_epi32(sum, codes, four);
  }
  static __attribute__((always_inline)) __m512i plus(__m512i sum, __m512i codes, __m512i two,
                                                     const std::int16_t*) {
    return _mm512_dpwssd_epi32(sum, codes, two);
  }
  // Four inputs of each row, or two of 16 bits, times as many of each of the outputs.
  template <class Input>
  static __attribute__((always_inline)) void add_products(const __m512i (&w)[Panels], const Input* a,
                                                          std::int64_t row_stride,
                                                          __m512i (&sum)[Rows][Panels]) {
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const __m512i inputs = repeated(a + r * row_stride);
#pragma GCC unroll 8
      for (int n = 0; n < Panels; ++n) sum[r][n] = plus(sum[r][n], w[n], inputs, a);
    }
  }
  static __attribute__((always_inline)) __m512i repeated(const void* four_bytes) {
    std::int32_t bits;
    __builtin_memcpy(&bits, four_bytes, 4);
    return _mm512_set1_epi32(bits);
  }
};

constexpr int kRows = 6;

template <int Panels, bool Nibbles, Offsets Kind, int Quads, bool Wide>
void columns(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t panel, const float* bias, float* out,
             std::int64_t stride, const std::uint8_t* ahead) {
  std::int64_t row = 0;
  for (; row + kRows <= x.rows; row += kRows)
    Tile<kRows, Panels, Nibbles, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride,
                                                         row == 0 ? ahead : nullptr);
  switch (x.rows - row) {
    case 1:
      return Tile<1, Panels, Nibbles, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    case 2:
      return Tile<2, Panels, Nibbles, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    case 3:
      return Tile<3, Panels, Nibbles, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    case 4:
      return Tile<4, Panels, Nibbles, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    case 5:
      return Tile<5, Panels, Nibbles, Kind, Quads, Wide>::run(x, matrix, row, panel, bias, out, stride);
    default:
      return;
  }
}

template <bool Nibbles, Offsets Kind, int Quads, bool Wide = false>
void all_columns(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                 const float* bias, float* out, std::int64_t stride) {
  constexpr std::int64_t bytes = Cell<Nibbles, Kind, Quads>::kBytes;
  std::int64_t panel = first;
  // Fewer rows than a tile wait for memory, and the processor itself fetches one stream ahead best.
  for (; x.rows >= kRows && panel + 2 <= last; panel += 2)
    columns<2, Nibbles, Kind, Quads, Wide>(
        x, matrix, panel, bias, out, stride,
        panel + 4 <= last ? matrix.cells + (panel + 2) * matrix.groups * bytes : nullptr);
  for (; panel < last; ++panel)
    columns<1, Nibbles, Kind, Quads, Wide>(x, matrix, panel, bias, out, stride, nullptr);
}

}  // namespace

void int8_product_avx512(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                         const float* bias, float* out, std::int64_t stride) {
  if (x.words) return all_columns<false, Offsets::none, 8, true>(x, matrix, first, last, bias, out, stride);
  with_groups(matrix, [&]<Offsets Kind, int Quads>() {
    const auto product = matrix.bits <= 4 ? all_columns<true, Kind, Quads> : all_columns<false, Kind, Quads>;
    product(x, matrix, first, last, bias, out, stride);
  });
}

void int8_quantize_avx512(const float* x, std::int64_t groups, Int8RowOut out) {
  quantize_row(x, groups, out);
}

}  // namespace synthema::cpu

#else  // a build for another kind of machine: never chosen there

namespace synthema::cpu {
void int8_product_avx512(const Int8Rows& x, const Int8Matrix& matrix, std::int64_t first, std::int64_t last,
                         const float* bias, float* out, std::int64_t stride) {
  int8_product_portable(x, matrix, first, last, bias, out, stride);
}
void int8_quantize_avx512(const float* x, std::int64_t groups, Int8RowOut out) {
  int8_quantize_portable(x, groups, out);
}
}  // namespace synthema::cpu

#endif
