// Sixty-four bytes, in whatever registers the instruction set of this object has. Integer arithmetic: the
// same in each of them. Only for kernel sources, as simd.hpp.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace synthema::cpu {
namespace {  // NOLINT(google-build-namespaces)

constexpr int kByteLanes = 64;

#if defined(__AVX512F__)

struct Bytes {
  __m512i v;
};
[[gnu::always_inline]] inline Bytes load_bytes(const std::uint8_t* from) {
  return {_mm512_loadu_si512(from)};
}
[[gnu::always_inline]] inline void store(Bytes x, std::uint8_t* to) {
  _mm512_storeu_si512(to, x.v);
}
[[gnu::always_inline]] inline Bytes broadcast_byte(std::uint8_t x) {
  return {_mm512_set1_epi8(static_cast<char>(x))};
}
[[gnu::always_inline]] inline Bytes add_saturated(Bytes a, Bytes b) {
  return {_mm512_adds_epu8(a.v, b.v)};
}
[[gnu::always_inline]] inline Bytes subtract_saturated(Bytes a, Bytes b) {
  return {_mm512_subs_epu8(a.v, b.v)};
}
[[gnu::always_inline]] inline Bytes larger(Bytes a, Bytes b) {
  return {_mm512_max_epu8(a.v, b.v)};
}
[[gnu::always_inline]] inline Bytes both(Bytes a, Bytes b) {
  return {_mm512_and_si512(a.v, b.v)};
}
[[gnu::always_inline]] inline Bytes either(Bytes a, Bytes b) {
  return {_mm512_or_si512(a.v, b.v)};
}
[[gnu::always_inline]] inline Bytes without(Bytes a, Bytes b) {
  return {_mm512_andnot_si512(b.v, a.v)};
}
// Each byte divided by 2^shift, shift < 8; `left`: 255 >> shift in every byte.
[[gnu::always_inline]] inline Bytes shift_right(Bytes x, int shift, Bytes left) {
  return {_mm512_and_si512(_mm512_srl_epi16(x.v, _mm_cvtsi32_si128(shift)), left.v)};
}
// Bit by bit: whether an odd number of the three is set, and whether two of them are.
[[gnu::always_inline]] inline Bytes odd_of(Bytes a, Bytes b, Bytes c) {
  return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)};
}
[[gnu::always_inline]] inline Bytes two_of(Bytes a, Bytes b, Bytes c) {
  return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0xE8)};
}
[[gnu::always_inline]] inline std::uint32_t sum_of(Bytes x) {
  return static_cast<std::uint32_t>(_mm512_reduce_add_epi64(_mm512_sad_epu8(x.v, _mm512_setzero_si512())));
}
// x where a and b differ, else 0; and the reverse.
[[gnu::always_inline]] inline Bytes where_different(Bytes a, Bytes b, Bytes x) {
  return {_mm512_maskz_mov_epi8(_mm512_cmpneq_epi8_mask(a.v, b.v), x.v)};
}
[[gnu::always_inline]] inline Bytes where_equal(Bytes a, Bytes b, Bytes x) {
  return {_mm512_maskz_mov_epi8(_mm512_cmpeq_epi8_mask(a.v, b.v), x.v)};
}
// One bit a lane: whether it is at most the limit's.
[[gnu::always_inline]] inline std::uint64_t at_most(Bytes x, Bytes limit) {
  return _mm512_cmple_epu8_mask(x.v, limit.v);
}

#elif defined(__AVX2__)

struct Bytes {
  __m256i a, b;
};
[[gnu::always_inline]] inline Bytes load_bytes(const std::uint8_t* from) {
  const auto* halves = reinterpret_cast<const __m256i*>(from);
  return {_mm256_loadu_si256(halves), _mm256_loadu_si256(halves + 1)};
}
[[gnu::always_inline]] inline void store(Bytes x, std::uint8_t* to) {
  auto* halves = reinterpret_cast<__m256i*>(to);
  _mm256_storeu_si256(halves, x.a);
  _mm256_storeu_si256(halves + 1, x.b);
}
[[gnu::always_inline]] inline Bytes broadcast_byte(std::uint8_t x) {
  const __m256i v = _mm256_set1_epi8(static_cast<char>(x));
  return {v, v};
}
[[gnu::always_inline]] inline Bytes add_saturated(Bytes a, Bytes b) {
  return {_mm256_adds_epu8(a.a, b.a), _mm256_adds_epu8(a.b, b.b)};
}
[[gnu::always_inline]] inline Bytes subtract_saturated(Bytes a, Bytes b) {
  return {_mm256_subs_epu8(a.a, b.a), _mm256_subs_epu8(a.b, b.b)};
}
[[gnu::always_inline]] inline Bytes larger(Bytes a, Bytes b) {
  return {_mm256_max_epu8(a.a, b.a), _mm256_max_epu8(a.b, b.b)};
}
[[gnu::always_inline]] inline Bytes both(Bytes a, Bytes b) {
  return {_mm256_and_si256(a.a, b.a), _mm256_and_si256(a.b, b.b)};
}
[[gnu::always_inline]] inline Bytes either(Bytes a, Bytes b) {
  return {_mm256_or_si256(a.a, b.a), _mm256_or_si256(a.b, b.b)};
}
[[gnu::always_inline]] inline Bytes without(Bytes a, Bytes b) {
  return {_mm256_andnot_si256(b.a, a.a), _mm256_andnot_si256(b.b, a.b)};
}
[[gnu::always_inline]] inline Bytes shift_right(Bytes x, int shift, Bytes left) {
  const __m128i by = _mm_cvtsi32_si128(shift);
  return {_mm256_and_si256(_mm256_srl_epi16(x.a, by), left.a),
          _mm256_and_si256(_mm256_srl_epi16(x.b, by), left.b)};
}
[[gnu::always_inline]] inline Bytes odd_of(Bytes a, Bytes b, Bytes c) {
  return {_mm256_xor_si256(_mm256_xor_si256(a.a, b.a), c.a),
          _mm256_xor_si256(_mm256_xor_si256(a.b, b.b), c.b)};
}
[[gnu::always_inline]] inline Bytes two_of(Bytes a, Bytes b, Bytes c) {
  return either(both(a, b), both(either(a, b), c));
}
[[gnu::always_inline]] inline std::uint32_t sum_of(Bytes x) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i four = _mm256_add_epi64(_mm256_sad_epu8(x.a, zero), _mm256_sad_epu8(x.b, zero));
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two))));
}
[[gnu::always_inline]] inline Bytes where_different(Bytes a, Bytes b, Bytes x) {
  return {_mm256_andnot_si256(_mm256_cmpeq_epi8(a.a, b.a), x.a),
          _mm256_andnot_si256(_mm256_cmpeq_epi8(a.b, b.b), x.b)};
}
[[gnu::always_inline]] inline Bytes where_equal(Bytes a, Bytes b, Bytes x) {
  return {_mm256_and_si256(_mm256_cmpeq_epi8(a.a, b.a), x.a),
          _mm256_and_si256(_mm256_cmpeq_epi8(a.b, b.b), x.b)};
}
[[gnu::always_inline]] inline std::uint64_t at_most(Bytes x, Bytes limit) {
  const auto half = [](__m256i value, __m256i most) {
    return static_cast<std::uint32_t>(
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(value, most), most)));
  };
  return (std::uint64_t{half(x.b, limit.b)} << 32) | half(x.a, limit.a);
}

#else

struct Bytes {
  std::uint8_t v[kByteLanes];
};
template <class Operation>
[[gnu::always_inline]] inline Bytes each_byte(Operation operation) {
  Bytes out;
  for (int i = 0; i < kByteLanes; ++i) out.v[i] = static_cast<std::uint8_t>(operation(i));
  return out;
}
[[gnu::always_inline]] inline Bytes load_bytes(const std::uint8_t* from) {
  Bytes out;
  std::memcpy(out.v, from, kByteLanes);
  return out;
}
[[gnu::always_inline]] inline void store(Bytes x, std::uint8_t* to) {
  std::memcpy(to, x.v, kByteLanes);
}
[[gnu::always_inline]] inline Bytes broadcast_byte(std::uint8_t x) {
  return each_byte([&](int) { return x; });
}
[[gnu::always_inline]] inline Bytes add_saturated(Bytes a, Bytes b) {
  return each_byte([&](int i) {
    const auto sum = static_cast<std::uint8_t>(a.v[i] + b.v[i]);
    return sum < a.v[i] ? std::uint8_t{255} : sum;
  });
}
[[gnu::always_inline]] inline Bytes subtract_saturated(Bytes a, Bytes b) {
  return each_byte([&](int i) { return a.v[i] > b.v[i] ? a.v[i] - b.v[i] : 0; });
}
[[gnu::always_inline]] inline Bytes larger(Bytes a, Bytes b) {
  return each_byte([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
[[gnu::always_inline]] inline Bytes both(Bytes a, Bytes b) {
  return each_byte([&](int i) { return a.v[i] & b.v[i]; });
}
[[gnu::always_inline]] inline Bytes either(Bytes a, Bytes b) {
  return each_byte([&](int i) { return a.v[i] | b.v[i]; });
}
[[gnu::always_inline]] inline Bytes without(Bytes a, Bytes b) {
  return each_byte([&](int i) { return a.v[i] & ~b.v[i]; });
}
[[gnu::always_inline]] inline Bytes shift_right(Bytes x, int shift, Bytes) {
  return each_byte([&](int i) { return x.v[i] >> shift; });
}
[[gnu::always_inline]] inline Bytes odd_of(Bytes a, Bytes b, Bytes c) {
  return each_byte([&](int i) { return a.v[i] ^ b.v[i] ^ c.v[i]; });
}
[[gnu::always_inline]] inline Bytes two_of(Bytes a, Bytes b, Bytes c) {
  return either(both(a, b), both(either(a, b), c));
}
[[gnu::always_inline]] inline std::uint32_t sum_of(Bytes x) {
  std::uint32_t out = 0;
  for (int i = 0; i < kByteLanes; ++i) out += x.v[i];
  return out;
}
[[gnu::always_inline]] inline Bytes where_different(Bytes a, Bytes b, Bytes x) {
  return each_byte([&](int i) { return a.v[i] != b.v[i] ? x.v[i] : 0; });
}
[[gnu::always_inline]] inline Bytes where_equal(Bytes a, Bytes b, Bytes x) {
  return each_byte([&](int i) { return a.v[i] == b.v[i] ? x.v[i] : 0; });
}
[[gnu::always_inline]] inline std::uint64_t at_most(Bytes x, Bytes limit) {
  std::uint64_t out = 0;
  for (int i = 0; i < kByteLanes; ++i) out |= std::uint64_t{x.v[i] <= limit.v[i]} << i;
  return out;
}

#endif

}  // namespace
}  // namespace synthema::cpu
