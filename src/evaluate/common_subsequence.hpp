// Length of the longest common subsequence of one sequence with many others, 64 places at a time (Hyyrö,
// "Bit-parallel LCS-length computation revisited", AWOCA 2004).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace synthema::detail {

class CommonSubsequence {
 public:
  explicit CommonSubsequence(std::span<const std::uint32_t> sequence)
      : length_(sequence.size()), words_((sequence.size() + 63) / 64) {
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      std::vector<std::uint64_t>& places = places_[sequence[i]];
      places.resize(words_);
      places[i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }

  std::size_t with(std::span<const std::uint32_t> other) const {
    std::vector<std::uint64_t> open(words_, ~std::uint64_t{0});  // a zero bit: one more place is matched
    for (const std::uint32_t one : other) {
      const auto found = places_.find(one);
      if (found == places_.end()) continue;
      std::uint64_t carry = 0;
      for (std::size_t w = 0; w < words_; ++w) {
        const std::uint64_t v = open[w], u = v & found->second[w];
        const std::uint64_t sum = v + u, with_carry = sum + carry;
        carry = static_cast<std::uint64_t>(sum < v) | static_cast<std::uint64_t>(with_carry < sum);
        open[w] = with_carry | (v - u);
      }
    }
    std::size_t matched = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      const std::size_t bits = w + 1 < words_ || length_ % 64 == 0 ? 64 : length_ % 64;
      const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
      matched += static_cast<std::size_t>(std::popcount(~open[w] & mask));
    }
    return matched;
  }

 private:
  std::size_t length_, words_;
  std::unordered_map<std::uint32_t, std::vector<std::uint64_t>> places_;
};

}  // namespace synthema::detail
