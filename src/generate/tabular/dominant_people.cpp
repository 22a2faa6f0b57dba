#include "src/generate/tabular/dominant_people.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

#include "synthema/core/random.hpp"

namespace synthema::detail {

namespace {

// As many people who are equals in a part of a number. More would cost ordinary tables too much: a part may
// hold no more than `rare_below` people, who would each keep as many rows as the one with the fewest.
constexpr std::size_t kEqualsInPart = 3;

// Most rows that a person may have, such that they are at most one in `equals` of all rows once nobody has
// more. `rows` of each person, the most first.
std::size_t most_rows(std::span<const std::size_t> rows, std::size_t equals) {
  std::size_t rest = std::accumulate(rows.begin(), rows.end(), std::size_t{0});
  for (std::size_t cut = 0; cut < std::min(equals, rows.size()); ++cut) {
    const std::size_t most = rest / (equals - cut);
    if (rows[cut] <= most) return most;
    rest -= rows[cut];
  }
  return 1;  // fewer people than that
}

// What cells share that tell the same: a label, a part of a number, or that there is none.
class Places {
 public:
  Places(const ColumnCoding& coding, std::size_t rare_below) : missing_(coding.missing_code()) {
    for (std::uint32_t code = 0; code < missing_; ++code)
      of_code_.push_back(
          coding.is_category() ? code : static_cast<std::uint32_t>(coding.part_of(coding.values[code])));
    of_code_.push_back(missing_);
    equals_ = rare_below;
    equals_of_value_ = coding.is_category() ? rare_below : std::min(rare_below, kEqualsInPart);
  }

  bool has(std::uint32_t code) const { return code < of_code_.size(); }
  std::uint32_t of(std::uint32_t code) const { return of_code_[code]; }
  std::size_t equals(std::uint64_t place) const { return place == missing_ ? equals_ : equals_of_value_; }

 private:
  std::uint32_t missing_;
  std::vector<std::uint32_t> of_code_;
  std::size_t equals_ = 1, equals_of_value_ = 1;
};

// Of a person with too many rows of a place.
struct Dominant {
  std::size_t most;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> rows;  // what was drawn for it, the row
};

// `pairs` of place and person, one for each row, ascending.
std::unordered_map<std::uint64_t, Dominant> dominant_in(std::span<const std::uint64_t> pairs,
                                                        const Places& places) {
  std::unordered_map<std::uint64_t, Dominant> out;
  std::vector<std::pair<std::size_t, std::uint64_t>> people;  // rows of each of a place, the pair
  for (std::size_t from = 0, to; from < pairs.size(); from = to) {
    const std::uint64_t place = pairs[from] >> 32;
    people.clear();
    for (to = from; to < pairs.size() && pairs[to] >> 32 == place; ++to) {
      if (to == from || pairs[to] != pairs[to - 1]) people.emplace_back(0, pairs[to]);
      ++people.back().first;
    }
    std::ranges::sort(people, std::greater());
    std::vector<std::size_t> rows;
    for (const auto& [own, pair] : people) rows.push_back(own);
    const std::size_t most = most_rows(rows, places.equals(place));
    for (std::size_t i = 0; i < people.size() && people[i].first > most; ++i)
      out.emplace(people[i].second, Dominant{most, {}});
  }
  return out;
}

}  // namespace

void hide_surplus(const CodingLearner& learner, ColumnCoding& coding, std::vector<std::uint32_t>& codes) {
  if (learner.rows_are_people || !coding.modelled()) return;
  const Places places(coding, learner.options.rare_below);
  const auto pair_of = [&](std::size_t row) {
    return std::uint64_t{places.of(codes[row])} << 32 | learner.who[row];
  };
  std::vector<std::uint64_t> pairs;
  for (std::size_t row = 0; row < codes.size(); ++row)
    if (places.has(codes[row])) pairs.push_back(pair_of(row));
  std::ranges::sort(pairs);
  std::unordered_map<std::uint64_t, Dominant> dominant = dominant_in(pairs, places);
  if (dominant.empty()) return;
  const Random random(0);
  for (std::size_t row = 0; row < codes.size(); ++row) {
    if (!places.has(codes[row])) continue;
    if (const auto at = dominant.find(pair_of(row)); at != dominant.end())
      at->second.rows.emplace_back(random.block(row, 0)[0], static_cast<std::uint32_t>(row));
  }
  for (auto& [pair, one] : dominant) {
    std::ranges::sort(one.rows);
    for (std::size_t i = one.most; i < one.rows.size(); ++i) codes[one.rows[i].second] = coding.pooled_code();
  }
  coding.pooled = true;
}

void spread_evenly(std::vector<std::uint32_t>& codes, std::uint32_t hidden, std::uint32_t end) {
  constexpr double kEven =
      0.6180339887498949;  // the golden ratio's part: each place far from those before it
  std::vector<std::uint32_t> known;
  for (const std::uint32_t code : codes)
    if (code < end) known.push_back(code);
  std::ranges::sort(known);
  double place = 0.5;
  for (std::uint32_t& code : codes) {
    if (code != hidden) continue;
    code = known[static_cast<std::size_t>(place * static_cast<double>(known.size()))];
    place = std::fmod(place + kEven, 1.0);
  }
}

}  // namespace synthema::detail
