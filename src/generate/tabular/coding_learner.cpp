#include "src/generate/tabular/coding_learner.hpp"

#include <algorithm>
#include <numeric>

namespace synthema::detail {

std::vector<std::uint32_t> rows_by_person(std::span<const std::uint32_t> who) {
  std::vector<std::uint32_t> out(who.size());
  std::iota(out.begin(), out.end(), 0U);
  std::ranges::stable_sort(out, {}, [&](std::uint32_t row) { return who[row]; });
  return out;
}

CodePeople::CodePeople(const CodingLearner& learner, std::span<const std::uint32_t> codes, std::size_t n)
    : enough_(learner.options.rare_below), counts_(n) {
  if (learner.rows_are_people) {
    for (const std::uint32_t code : codes)
      if (code < n) ++counts_[code];
    return;
  }
  std::vector<std::uint64_t> pairs;
  pairs.reserve(codes.size());
  for (std::size_t row = 0; row < codes.size(); ++row)
    if (codes[row] < n) pairs.push_back(std::uint64_t{codes[row]} << 32 | learner.who[row]);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  begin_.assign(n + 1, 0);
  for (const std::uint64_t pair : pairs) {
    ++counts_[pair >> 32];
    who_.push_back(static_cast<std::uint32_t>(pair));
  }
  for (std::size_t code = 0; code < n; ++code) begin_[code + 1] = begin_[code] + counts_[code];
}

std::optional<std::size_t> CodePeople::shortest(std::size_t from, std::size_t to, Side side) const {
  std::size_t codes = 0, people = 0;
  visit_new(from, to, side, [&](std::size_t, std::size_t more) {
    ++codes;
    people += more;
    return people < enough_;
  });
  return codes > 0 && people >= enough_ ? std::optional(codes) : std::nullopt;
}

}  // namespace synthema::detail
