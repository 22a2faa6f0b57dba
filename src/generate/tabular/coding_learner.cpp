#include "src/generate/tabular/coding_learner.hpp"

#include <algorithm>
#include <unordered_set>

namespace synthema::detail {

std::vector<std::uint32_t> CodingLearner::count(std::span<const std::uint32_t> codes, std::size_t n) const {
  std::vector<std::uint32_t> out(n);
  if (rows_are_people) {
    for (const std::uint32_t code : codes)
      if (code < n) ++out[code];
    return out;
  }
  std::vector<std::uint64_t> pairs;
  pairs.reserve(codes.size());
  for (std::size_t row = 0; row < codes.size(); ++row)
    if (codes[row] < n) pairs.push_back(std::uint64_t{codes[row]} << 32 | who[row]);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const std::uint64_t pair : pairs) ++out[pair >> 32];
  return out;
}

std::size_t CodingLearner::codes_of_end(std::span<const std::uint32_t> codes,
                                        std::span<const std::uint32_t> people, bool high) const {
  const std::size_t n = people.size();
  std::size_t out = 0, sum = 0;
  while (out < n && sum < options.rare_below) sum += people[high ? n - ++out : out++];
  if (rows_are_people) return out;
  for (;; out = std::min(n, 2 * out)) {
    std::unordered_set<std::uint32_t> different;
    for (std::size_t row = 0; row < codes.size(); ++row)
      if (codes[row] < n && (high ? codes[row] >= n - out : codes[row] < out)) different.insert(who[row]);
    if (different.size() >= options.rare_below || out == n) return out;
  }
}

}  // namespace synthema::detail
