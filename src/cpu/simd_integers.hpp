// Sixteen 32-bit sums of products of small integers, beside the floats of simd.hpp and under the same rules.
// All of it is exact as long as a sum stays below 2^31, so every instruction set gives the same.
#pragma once

#include <cstdint>
#include <cstring>

#include "src/cpu/simd.hpp"

namespace synthema::cpu {
namespace {  // NOLINT(google-build-namespaces)

constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: x + kRounder has the nearest integer in its low bits

#if defined(__AVX512VNNI__)

constexpr int kBytesTile = 24;  // of Sums of products of bytes, as kTileVectors

// As integers of 32 bits, not as __m512i: GCC 12 keeps sums of another element type in memory.
using SixteenInts = std::int32_t __attribute__((vector_size(64)));
struct Sums {
  SixteenInts v;
};
SYNTHEMA_INLINE Sums sums_of(std::int32_t x) {
  return {reinterpret_cast<SixteenInts>(_mm512_set1_epi32(x))};
}
SYNTHEMA_INLINE Floats floats_of(Sums x) {
  return {_mm512_cvtepi32_ps(reinterpret_cast<__m512i>(x.v))};
}

// Four unsigned bytes in each lane, four signed ones for all lanes. spread() takes a multiple of 16 codes.
struct Bytes {
  __m512i v;
};
struct Four {
  __m512i v;
};
SYNTHEMA_INLINE Bytes load_bytes(const std::uint8_t* from) {
  return {_mm512_loadu_si512(from)};
}
using Code = std::int8_t;  // what four() reads
SYNTHEMA_INLINE void spread(const std::int8_t* codes, std::int64_t count, Code* out) {
  std::memcpy(out, codes, static_cast<std::size_t>(count));
}
SYNTHEMA_INLINE Four four(const Code* from) {
  std::int32_t x;
  std::memcpy(&x, from, sizeof x);
  return {_mm512_set1_epi32(x)};
}
SYNTHEMA_INLINE Sums add_products(Sums sum, Bytes a, Four b) {
  return {reinterpret_cast<SixteenInts>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum.v), a.v, b.v))};
}

// Two signed integers of 16 bits in each lane, read from 8 bits, and two for all lanes.
struct Pairs {
  __m512i v;
};
struct Two {
  __m512i v;
};
SYNTHEMA_INLINE Pairs load_pairs(const std::int8_t* from) {
  return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
}
SYNTHEMA_INLINE Two two(const std::int16_t* from) {
  std::int32_t x;
  std::memcpy(&x, from, sizeof x);
  return {_mm512_set1_epi32(x)};
}
SYNTHEMA_INLINE Sums add_products(Sums sum, Pairs a, Two b) {
  return {reinterpret_cast<SixteenInts>(_mm512_dpwssd_epi32(reinterpret_cast<__m512i>(sum.v), a.v, b.v))};
}

// The low bits of the sixteen representations.
SYNTHEMA_INLINE void store_low(Floats x, std::int8_t* to) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(_mm512_castps_si512(x.v)));
}
SYNTHEMA_INLINE void store_low(Floats x, std::int16_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(_mm512_castps_si512(x.v)));
}

#elif defined(__AVX2__)

constexpr int kBytesTile = 4;  // of Sums of products of bytes, as kTileVectors

// As above, not as __m256i.
using EightInts = std::int32_t __attribute__((vector_size(32)));
struct Sums {
  EightInts a, b;
};
SYNTHEMA_INLINE Sums sums_of(std::int32_t x) {
  const auto all = reinterpret_cast<EightInts>(_mm256_set1_epi32(x));
  return {all, all};
}
SYNTHEMA_INLINE Floats floats_of(Sums x) {
  return {_mm256_cvtepi32_ps(reinterpret_cast<__m256i>(x.a)),
          _mm256_cvtepi32_ps(reinterpret_cast<__m256i>(x.b))};
}

// As 16 bits, the even ones and the odd ones: products of bytes would overflow in pairs.
struct Bytes {
  __m256i even_a, odd_a, even_b, odd_b;
};
struct Four {
  __m256i even, odd;
};
SYNTHEMA_INLINE Bytes load_bytes(const std::uint8_t* from) {
  const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32));
  const __m256i low = _mm256_set1_epi16(255);
  return {_mm256_and_si256(a, low), _mm256_srli_epi16(a, 8), _mm256_and_si256(b, low),
          _mm256_srli_epi16(b, 8)};
}
// What four() reads: of each four codes the even ones, then the odd ones, so that it has nothing to shift.
using Code = std::int16_t;
SYNTHEMA_INLINE void spread(const std::int8_t* codes, std::int64_t count, Code* out) {
  for (std::int64_t i = 0; i < count; i += 16) {
    const __m256i words = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i)));
    const __m256i low = _mm256_shufflelo_epi16(words, 0b11011000);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_shufflehi_epi16(low, 0b11011000));
  }
}
SYNTHEMA_INLINE Four four(const Code* from) {
  std::int32_t even, odd;
  std::memcpy(&even, from, sizeof even);
  std::memcpy(&odd, from + 2, sizeof odd);
  return {_mm256_set1_epi32(even), _mm256_set1_epi32(odd)};
}
SYNTHEMA_INLINE EightInts add_pair(EightInts sum, __m256i a, __m256i b) {
  sum += reinterpret_cast<EightInts>(_mm256_madd_epi16(a, b));
  asm("" : "+x"(sum));  // else sums are reordered, and no longer fit registers
  return sum;
}
SYNTHEMA_INLINE Sums add_products(Sums sum, Bytes a, Four b) {
  return {add_pair(add_pair(sum.a, a.even_a, b.even), a.odd_a, b.odd),
          add_pair(add_pair(sum.b, a.even_b, b.even), a.odd_b, b.odd)};
}

struct Pairs {
  __m256i a, b;
};
struct Two {
  __m256i v;
};
SYNTHEMA_INLINE Pairs load_pairs(const std::int8_t* from) {
  const __m128i* halves = reinterpret_cast<const __m128i*>(from);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(halves)), _mm256_cvtepi8_epi16(_mm_loadu_si128(halves + 1))};
}
SYNTHEMA_INLINE Two two(const std::int16_t* from) {
  std::int32_t x;
  std::memcpy(&x, from, sizeof x);
  return {_mm256_set1_epi32(x)};
}
SYNTHEMA_INLINE Sums add_products(Sums sum, Pairs a, Two b) {
  return {add_pair(sum.a, a.a, b.v), add_pair(sum.b, a.b, b.v)};
}

SYNTHEMA_INLINE __m256i low_halves(Floats x) {  // sixteen, in order
  const __m256i low = _mm256_set1_epi32(0xffff);
  const __m256i mixed = _mm256_packus_epi32(_mm256_and_si256(_mm256_castps_si256(x.a), low),
                                            _mm256_and_si256(_mm256_castps_si256(x.b), low));
  return _mm256_permute4x64_epi64(mixed, 0b11011000);
}
SYNTHEMA_INLINE void store_low(Floats x, std::int16_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), low_halves(x));
}
SYNTHEMA_INLINE void store_low(Floats x, std::int8_t* to) {
  const __m256i bytes = _mm256_and_si256(low_halves(x), _mm256_set1_epi16(255));
  const __m128i packed = _mm_packus_epi16(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), packed);
}

#else

constexpr int kBytesTile = 2;  // of Sums of products of bytes, as kTileVectors

struct Sums {
  std::int32_t v[kLanes];
};
SYNTHEMA_INLINE Sums sums_of(std::int32_t x) {
  Sums out;
  for (std::int32_t& v : out.v) v = x;
  return out;
}
SYNTHEMA_INLINE Floats floats_of(Sums x) {
  return each_lane([&](int i) { return static_cast<float>(x.v[i]); });
}

struct Bytes {
  const std::uint8_t* v;
};
struct Four {
  const std::int8_t* v;
};
SYNTHEMA_INLINE Bytes load_bytes(const std::uint8_t* from) {
  return {from};
}
using Code = std::int8_t;  // what four() reads
SYNTHEMA_INLINE void spread(const std::int8_t* codes, std::int64_t count, Code* out) {
  std::memcpy(out, codes, static_cast<std::size_t>(count));
}
SYNTHEMA_INLINE Four four(const Code* from) {
  return {from};
}
SYNTHEMA_INLINE Sums add_products(Sums sum, Bytes a, Four b) {
  for (int i = 0; i < kLanes; ++i)
    for (int k = 0; k < 4; ++k) sum.v[i] += a.v[4 * i + k] * b.v[k];
  return sum;
}

struct Pairs {
  const std::int8_t* v;
};
struct Two {
  const std::int16_t* v;
};
SYNTHEMA_INLINE Pairs load_pairs(const std::int8_t* from) {
  return {from};
}
SYNTHEMA_INLINE Two two(const std::int16_t* from) {
  return {from};
}
SYNTHEMA_INLINE Sums add_products(Sums sum, Pairs a, Two b) {
  for (int i = 0; i < kLanes; ++i)
    for (int k = 0; k < 2; ++k) sum.v[i] += a.v[2 * i + k] * b.v[k];
  return sum;
}

template <class Integer>
SYNTHEMA_INLINE void store_low(Floats x, Integer* to) {
  for (int i = 0; i < kLanes; ++i) to[i] = static_cast<Integer>(bits_of(x.v[i]));
}

#endif

}  // namespace
}  // namespace synthema::cpu
