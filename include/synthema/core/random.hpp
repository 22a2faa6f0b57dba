// Counter-based randomness: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011). A Random is a value: a 64-bit key and a counter. Streams are derived, never shared; there is no
// global state, so the same (seed, row, attempt, call, token) gives the same bits on any thread and in any
// order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema {

using PhiloxBlock = std::array<std::uint32_t, 4>;

// One Philox4x32-10 block. Pure; checked against the published known-answer vectors (Random123 kat_vectors).
constexpr PhiloxBlock philox(PhiloxBlock counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

class Random {
 public:
  using result_type = std::uint32_t;  // satisfies std::uniform_random_bit_generator

  explicit constexpr Random(std::uint64_t seed = 0) : key_(seed) {}

  // The stream of one model call: key = hash(run seed, row, attempt, call).
  static constexpr Random for_call(std::uint64_t seed, std::uint64_t row, std::uint64_t attempt,
                                   std::uint64_t call) {
    return Random(seed).stream(row).stream(attempt).stream(call);
  }

  // A child stream, independent of this one and of its siblings; does not touch this counter.
  constexpr Random stream(std::uint64_t index) const {
    const PhiloxBlock out = philox(halves(index, kStreamTag), halves(key_));
    return Random(std::uint64_t{out[0]} | (std::uint64_t{out[1]} << 32));
  }

  // Random access: block `block` of token `token`. A vocabulary id uses lane id % 4 of block id / 4.
  constexpr PhiloxBlock block(std::uint64_t token, std::uint64_t block) const {
    return philox(halves(token, block), halves(key_));
  }
  // The uniform of (token, lane), in the open interval (0, 1), with 32 bits of resolution.
  constexpr double uniform_at(std::uint64_t token, std::uint64_t lane) const {
    return open_unit(block(token, lane / 4)[lane % 4]);
  }

  // Sequential draws; only this value's counter moves.
  constexpr std::uint32_t operator()() {
    if (position_ % 4 == 0) buffer_ = philox(halves(position_ / 4, kSequenceTag), halves(key_));
    return buffer_[position_++ % 4];
  }
  static constexpr std::uint32_t min() { return 0; }
  static constexpr std::uint32_t max() { return std::numeric_limits<std::uint32_t>::max(); }

  // Uniform in [0, 1) with 53 bits.
  constexpr double uniform() {
    const std::uint64_t high = (*this)() >> 5, low = (*this)() >> 6;
    return static_cast<double>((high << 26) | low) / 9007199254740992.0;
  }

  // Uniform integer in [0, n) without modulo bias; n must be positive.
  constexpr std::uint64_t below(std::uint64_t n) {
    if (n == 0) throw ConfigError("Random::below needs a positive bound, but it was given 0.");
    const std::uint64_t limit =
        std::numeric_limits<std::uint64_t>::max() - std::numeric_limits<std::uint64_t>::max() % n;
    for (;;) {
      const std::uint64_t high = (*this)(), low = (*this)();
      const std::uint64_t draw = (high << 32) | low;
      if (draw < limit) return draw % n;
    }
  }

  // Index drawn in proportion to non-negative weights of positive sum.
  std::size_t weighted(std::span<const double> weights) {
    double total = 0;
    for (const double w : weights) {
      if (!(w >= 0)) throw ConfigError("Random::weighted needs weights that are zero or positive.");
      total += w;
    }
    if (!(total > 0)) throw ConfigError("Random::weighted needs at least one positive weight.");
    double left = uniform() * total;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) last = i;
      if (left < weights[i]) return i;
      left -= weights[i];
    }
    return last;  // rounding left a sliver behind the last weight
  }

  // Fisher-Yates; the same permutation on every platform (std::shuffle promises none).
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

  constexpr std::uint64_t key() const { return key_; }

 private:
  static constexpr std::uint64_t kStreamTag = 0x73747265616D0001;    // keeps derived keys,
  static constexpr std::uint64_t kSequenceTag = 0x73657175656E0002;  // sequences and blocks apart

  static constexpr std::array<std::uint32_t, 2> halves(std::uint64_t a) {
    return {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32)};
  }
  static constexpr PhiloxBlock halves(std::uint64_t a, std::uint64_t b) {
    return {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32), static_cast<std::uint32_t>(b),
            static_cast<std::uint32_t>(b >> 32)};
  }
  static constexpr double open_unit(std::uint32_t bits) { return (bits + 0.5) / 4294967296.0; }

  std::uint64_t key_;
  std::uint64_t position_ = 0;
  PhiloxBlock buffer_{};
};

}  // namespace synthema
