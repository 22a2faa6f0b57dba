#include "src/generate/tabular/dominant_people.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
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

  std::size_t count() const { return missing_ + std::size_t{1}; }
  bool has(std::uint32_t code) const { return code < of_code_.size(); }
  std::uint32_t of(std::uint32_t code) const { return of_code_[code]; }
  std::size_t equals(std::uint64_t place) const { return place == missing_ ? equals_ : equals_of_value_; }

 private:
  std::uint32_t missing_;
  std::vector<std::uint32_t> of_code_;
  std::size_t equals_ = 1, equals_of_value_ = 1;
};

// Of these rows those which are too many of their person, that is, of one with more than one in `equals` of
// them.
std::vector<std::uint32_t> surplus_of(std::span<const std::uint32_t> who, std::size_t equals,
                                      std::span<const std::uint32_t> rows) {
  std::vector<std::uint64_t> pairs;  // person, row
  for (const std::uint32_t row : rows) pairs.push_back(std::uint64_t{who[row]} << 32 | row);
  std::ranges::sort(pairs);
  std::vector<std::pair<std::size_t, std::size_t>> people;  // rows of each, the first pair
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i] >> 32 != pairs[i - 1] >> 32) people.emplace_back(0, i);
    ++people.back().first;
  }
  std::ranges::sort(people, std::greater());
  std::vector<std::size_t> counts;
  for (const auto& [own, first] : people) counts.push_back(own);
  const std::size_t most = most_rows(counts, equals);
  const Random random(0);
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < people.size() && people[i].first > most; ++i) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> drawn;  // what was drawn for a row, the row
    for (const std::uint64_t pair : std::span(pairs).subspan(people[i].second, people[i].first)) {
      const auto row = static_cast<std::uint32_t>(pair);
      drawn.emplace_back(random.block(row, 0)[0], row);
    }
    std::ranges::sort(drawn);
    for (const auto& [unused, row] : std::span(drawn).subspan(most)) out.push_back(row);
  }
  return out;
}

}  // namespace

void hide_surplus(const CodingLearner& learner, ColumnCoding& coding, std::vector<std::uint32_t>& codes) {
  if (learner.rows_are_people || !coding.modelled()) return;
  const Places places(coding, learner.options.rare_below);
  std::vector<std::vector<std::uint32_t>> rows(places.count());
  for (std::uint32_t row = 0; row < codes.size(); ++row)
    if (places.has(codes[row])) rows[places.of(codes[row])].push_back(row);
  for (std::size_t place = 0; place < rows.size(); ++place)
    for (const std::uint32_t row : surplus_of(learner.who, places.equals(place), rows[place])) {
      codes[row] = coding.pooled_code();
      coding.pooled = true;
    }
}

void drop_surplus(std::span<const std::uint32_t> who, std::size_t rare_below,
                  std::vector<std::uint32_t>& rows) {
  std::vector<std::uint32_t> surplus = surplus_of(who, rare_below, rows);
  std::ranges::sort(surplus);
  std::erase_if(rows, [&](std::uint32_t row) { return std::ranges::binary_search(surplus, row); });
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
