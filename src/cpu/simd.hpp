// Sixteen floats, in whatever registers the instruction set of this object has. Every operation gives the
// same bits in each of them: lanes are independent, multiply-adds are fused, horizontal sums add the upper
// half to the lower until one is left. Only for kernel sources (<name>_<instruction set>.cpp): everything is
// in an unnamed namespace, because the linker must never replace one set's function by another's.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#else
#include <cmath>
#endif

#define SYNTHEMA_INLINE [[gnu::always_inline]] inline

namespace synthema::cpu {
namespace {  // NOLINT(google-build-namespaces)

constexpr int kLanes = 16;

struct Half {  // IEEE 754 binary16
  std::uint16_t bits;
};

#if defined(__AVX512F__)

constexpr int kTileVectors = 24;  // of Floats that a kernel may keep in registers while it adds up

struct Floats {
  __m512 v;
};
SYNTHEMA_INLINE Floats load(const float* from) {
  return {_mm512_loadu_ps(from)};
}
SYNTHEMA_INLINE Floats load(const Half* from) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
}
SYNTHEMA_INLINE Floats load(const std::int8_t* from) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))))};
}
SYNTHEMA_INLINE void store(Floats x, float* to) {
  _mm512_storeu_ps(to, x.v);
}
SYNTHEMA_INLINE Floats broadcast(float x) {
  return {_mm512_set1_ps(x)};
}
SYNTHEMA_INLINE Floats operator+(Floats a, Floats b) {
  return {_mm512_add_ps(a.v, b.v)};
}
SYNTHEMA_INLINE Floats operator-(Floats a, Floats b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
SYNTHEMA_INLINE Floats operator*(Floats a, Floats b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
SYNTHEMA_INLINE Floats operator/(Floats a, Floats b) {
  return {_mm512_div_ps(a.v, b.v)};
}
SYNTHEMA_INLINE Floats fused(Floats a, Floats b, Floats c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
SYNTHEMA_INLINE Floats larger(Floats a, Floats b) {
  return {_mm512_max_ps(a.v, b.v)};
}
SYNTHEMA_INLINE Floats smaller(Floats a, Floats b) {
  return {_mm512_min_ps(a.v, b.v)};
}
SYNTHEMA_INLINE Floats zero_where_below(Floats x, float limit, Floats value) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_set1_ps(limit), _CMP_NLT_UQ), value.v)};
}
SYNTHEMA_INLINE Floats add_exponent(Floats x, Floats n) {
  return {_mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(x.v), _mm512_slli_epi32(_mm512_castps_si512(n.v), 23)))};
}

#elif defined(__AVX2__)

constexpr int kTileVectors = 6;

struct Floats {
  __m256 a, b;
};
SYNTHEMA_INLINE Floats load(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}
SYNTHEMA_INLINE Floats load(const Half* from) {
  const __m128i* eights = reinterpret_cast<const __m128i*>(from);
  return {_mm256_cvtph_ps(_mm_loadu_si128(eights)), _mm256_cvtph_ps(_mm_loadu_si128(eights + 1))};
}
SYNTHEMA_INLINE __m256 load_eight(const std::int8_t* from) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
SYNTHEMA_INLINE Floats load(const std::int8_t* from) {
  return {load_eight(from), load_eight(from + 8)};
}
SYNTHEMA_INLINE void store(Floats x, float* to) {
  _mm256_storeu_ps(to, x.a);
  _mm256_storeu_ps(to + 8, x.b);
}
SYNTHEMA_INLINE Floats broadcast(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
SYNTHEMA_INLINE Floats operator+(Floats a, Floats b) {
  return {_mm256_add_ps(a.a, b.a), _mm256_add_ps(a.b, b.b)};
}
SYNTHEMA_INLINE Floats operator-(Floats a, Floats b) {
  return {_mm256_sub_ps(a.a, b.a), _mm256_sub_ps(a.b, b.b)};
}
SYNTHEMA_INLINE Floats operator*(Floats a, Floats b) {
  return {_mm256_mul_ps(a.a, b.a), _mm256_mul_ps(a.b, b.b)};
}
SYNTHEMA_INLINE Floats operator/(Floats a, Floats b) {
  return {_mm256_div_ps(a.a, b.a), _mm256_div_ps(a.b, b.b)};
}
SYNTHEMA_INLINE Floats fused(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.a, b.a, c.a), _mm256_fmadd_ps(a.b, b.b, c.b)};
}
SYNTHEMA_INLINE Floats larger(Floats a, Floats b) {
  return {_mm256_max_ps(a.a, b.a), _mm256_max_ps(a.b, b.b)};
}
SYNTHEMA_INLINE Floats smaller(Floats a, Floats b) {
  return {_mm256_min_ps(a.a, b.a), _mm256_min_ps(a.b, b.b)};
}
SYNTHEMA_INLINE __m256 zero_where_below(__m256 x, float limit, __m256 value) {
  return _mm256_and_ps(_mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_NLT_UQ), value);
}
SYNTHEMA_INLINE Floats zero_where_below(Floats x, float limit, Floats value) {
  return {zero_where_below(x.a, limit, value.a), zero_where_below(x.b, limit, value.b)};
}
SYNTHEMA_INLINE __m256 add_exponent(__m256 x, __m256 n) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(x), _mm256_slli_epi32(_mm256_castps_si256(n), 23)));
}
SYNTHEMA_INLINE Floats add_exponent(Floats x, Floats n) {
  return {add_exponent(x.a, n.a), add_exponent(x.b, n.b)};
}

#else

constexpr int kTileVectors = 2;

struct Floats {
  float v[kLanes];
};
template <class Operation>
SYNTHEMA_INLINE Floats each_lane(Operation operation) {
  Floats out;
  for (int i = 0; i < kLanes; ++i) out.v[i] = operation(i);
  return out;
}
SYNTHEMA_INLINE std::uint32_t bits_of(float x) {
  return __builtin_bit_cast(std::uint32_t, x);
}
SYNTHEMA_INLINE Floats load(const float* from) {
  return each_lane([&](int i) { return from[i]; });
}
SYNTHEMA_INLINE float float_of(Half x) {
  const std::uint32_t sign = (x.bits & 0x8000u) << 16, rest = (x.bits & 0x7fffu) << 13;
  if (rest >= 0x7c00u << 13) return __builtin_bit_cast(float, sign | rest | 0x7f800000u);
  if (rest >= 0x0400u << 13) return __builtin_bit_cast(float, sign | (rest + ((127u - 15u) << 23)));
  const float size = static_cast<float>(rest >> 13) * 0x1p-24f;  // subnormal
  return sign ? -size : size;
}
SYNTHEMA_INLINE Floats load(const Half* from) {
  return each_lane([&](int i) { return float_of(from[i]); });
}
SYNTHEMA_INLINE Floats load(const std::int8_t* from) {
  return each_lane([&](int i) { return static_cast<float>(from[i]); });
}
SYNTHEMA_INLINE void store(Floats x, float* to) {
  for (int i = 0; i < kLanes; ++i) to[i] = x.v[i];
}
SYNTHEMA_INLINE Floats broadcast(float x) {
  return each_lane([&](int) { return x; });
}
SYNTHEMA_INLINE Floats operator+(Floats a, Floats b) {
  return each_lane([&](int i) { return a.v[i] + b.v[i]; });
}
SYNTHEMA_INLINE Floats operator-(Floats a, Floats b) {
  return each_lane([&](int i) { return a.v[i] - b.v[i]; });
}
SYNTHEMA_INLINE Floats operator*(Floats a, Floats b) {
  return each_lane([&](int i) { return a.v[i] * b.v[i]; });
}
SYNTHEMA_INLINE Floats operator/(Floats a, Floats b) {
  return each_lane([&](int i) { return a.v[i] / b.v[i]; });
}
SYNTHEMA_INLINE Floats fused(Floats a, Floats b, Floats c) {
  return each_lane([&](int i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
}
SYNTHEMA_INLINE Floats larger(Floats a, Floats b) {
  return each_lane([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
SYNTHEMA_INLINE Floats smaller(Floats a, Floats b) {
  return each_lane([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
SYNTHEMA_INLINE Floats zero_where_below(Floats x, float limit, Floats value) {
  return each_lane([&](int i) { return x.v[i] < limit ? 0.0f : value.v[i]; });
}
SYNTHEMA_INLINE Floats add_exponent(Floats x, Floats n) {
  return each_lane(
      [&](int i) { return __builtin_bit_cast(float, bits_of(x.v[i]) + (bits_of(n.v[i]) << 23)); });
}

#endif

// larger(a, b) and smaller(a, b) give b where one of them is NaN.

SYNTHEMA_INLINE Floats zeros() {
  return broadcast(0.0f);
}
// The first `count` floats (at most 16); the other lanes are zero, or are not written.
SYNTHEMA_INLINE Floats load_part(const float* from, std::int64_t count) {
  if (count >= kLanes) return load(from);
  float lanes[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return load(lanes);
}
// Zero in all but the first `count` lanes.
SYNTHEMA_INLINE Floats first_lanes(Floats x, std::int64_t count) {
  if (count >= kLanes) return x;
  float lanes[kLanes];
  store(x, lanes);
  return load_part(lanes, count);
}
SYNTHEMA_INLINE void store_part(Floats x, float* to, std::int64_t count) {
  if (count >= kLanes) return store(x, to);
  float lanes[kLanes];
  store(x, lanes);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

SYNTHEMA_INLINE float fused(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

// Rounded to nearest, ties to even; too large is infinite.
SYNTHEMA_INLINE Half half_of(float x) {
#if defined(__F16C__)
  return {static_cast<std::uint16_t>(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT))};
#else
  const std::uint32_t bits = bits_of(x), sign = (bits >> 16) & 0x8000u, size = bits & 0x7fffffffu;
  std::uint32_t out;
  if (size > 0x7f800000u)  // NaN: quiet, with what fits of its payload
    out = 0x7e00u | ((size >> 13) & 0x03ffu);
  else if (size >= 0x47800000u)  // 2^16
    out = 0x7c00u;
  else if (size >= 0x38800000u)  // 2^-14; the carry of rounding may reach the exponent
    out = (size - 0x38000000u + 0x0fffu + ((size >> 13) & 1u)) >> 13;
  else  // subnormal: adding 0.5 moves the last bit to 2^-24 and rounds
    out = bits_of(__builtin_bit_cast(float, size) + 0.5f) - 0x3f000000u;
  return {static_cast<std::uint16_t>(sign | out)};
#endif
}

#if defined(__AVX2__)
SYNTHEMA_INLINE __m256 lower_half(Floats x) {
#if defined(__AVX512F__)
  return _mm512_castps512_ps256(x.v);
#else
  return x.a;
#endif
}
SYNTHEMA_INLINE __m256 upper_half(Floats x) {
#if defined(__AVX512F__)
  return _mm512_extractf32x8_ps(x.v, 1);
#else
  return x.b;
#endif
}
SYNTHEMA_INLINE float sum(Floats x) {
  const __m256 eight = _mm256_add_ps(lower_half(x), upper_half(x));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
SYNTHEMA_INLINE float largest(Floats x) {
  const __m256 eight = _mm256_max_ps(lower_half(x), upper_half(x));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
#else
SYNTHEMA_INLINE float sum(Floats x) {
  float lanes[kLanes];
  store(x, lanes);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] = lanes[i] + lanes[i + width];
  return lanes[0];
}
SYNTHEMA_INLINE float largest(Floats x) {
  float lanes[kLanes];
  store(x, lanes);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
  return lanes[0];
}
#endif

// e^x, relative error below 2e-7: x = n ln 2 + r (Cody and Waite 1980, ln 2 in two parts), minimax polynomial
// of degree 5 for e^r. Zero below -86 (e^-86 = 4.5e-38); x counts as 88 at most; NaN stays NaN.
SYNTHEMA_INLINE Floats exponential(Floats x) {
  const Floats magic = broadcast(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Floats bounded = smaller(broadcast(88.0f), x);
  const Floats shifted = fused(bounded, broadcast(1.44269504088896341f), magic);
  const Floats n = shifted - magic;
  Floats r = fused(n, broadcast(-0.693359375f), bounded);
  r = fused(n, broadcast(2.12194440e-4f), r);
  Floats p = broadcast(0.008312477730214596f);
  p = fused(p, r, broadcast(0.041890550404787064f));
  p = fused(p, r, broadcast(0.16667115688323975f));
  p = fused(p, r, broadcast(0.4999922811985016f));
  p = fused(p, r, broadcast(1.0f));
  p = fused(p, r, broadcast(1.0f));
  return zero_where_below(x, -86.0f, add_exponent(p, shifted));
}

}  // namespace
}  // namespace synthema::cpu
