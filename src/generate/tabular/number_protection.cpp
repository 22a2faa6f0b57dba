#include "src/generate/tabular/number_protection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace synthema::detail {

namespace {

using Side = CodePeople::Side;

constexpr double kListedShare = 0.95;  // of rows with frequent values in a list of particular numbers
constexpr std::size_t kMeasured = 20;  // more frequent values may be a measurement
constexpr std::size_t kAlike = 3;      // neighbours of a measurement, one within this factor of the other
constexpr int kAround = 5;  // steps of the grid on both sides, which say how frequent values are there
constexpr std::size_t kMostOfFrequent =
    2;  // rows that may pile up on frequent values, as a multiple of theirs

// Whether the frequent values are those of something measured and rounded, rather than a list.
bool is_measured(const ColumnCoding& coding, std::span<const std::size_t> rows) {
  std::size_t frequent = 0, adjacent = 0, alike = 0, before = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (coding.protection[i] != Protection::none) continue;
    if (frequent++ > 0 && coding.values[i] - coding.values[before] == 1) {
      ++adjacent;
      alike += rows[i] <= kAlike * rows[before] && rows[before] <= kAlike * rows[i];
    }
    before = i;
  }
  return coding.grid && frequent > kMeasured && 2 * adjacent >= frequent && 2 * alike >= adjacent;
}

// `least` for frequent values that are about as frequent as what lies around them on the grid: all but those
// that people round to, and those at the ends. Empty where there are none.
std::vector<std::uint32_t> exact_from(const ColumnCoding& coding, std::span<const std::size_t> rows,
                                      std::size_t least) {
  std::vector<std::uint32_t> out(rows.size());
  std::vector<std::size_t> around;  // rows at each place of the grid
  for (std::size_t i = coding.low_tail; i < std::min<std::size_t>(coding.high_tail, rows.size()); ++i) {
    if (coding.protection[i] != Protection::none) continue;
    around.clear();
    for (std::size_t k = i; k > 0 && coding.values[i] - coding.values[k - 1] <= kAround; --k)
      around.push_back(rows[k - 1]);
    for (std::size_t k = i + 1; k < rows.size() && coding.values[k] - coding.values[i] <= kAround; ++k)
      around.push_back(rows[k]);
    around.resize(std::size_t{2} * kAround);  // nobody has the others
    std::ranges::nth_element(around, around.begin() + kAround);
    if (rows[i] <= kAlike * around[kAround]) out[i] = static_cast<std::uint32_t>(least);
  }
  if (std::ranges::none_of(out, [](std::uint32_t from) { return from > 0; })) out.clear();
  return out;
}

// For which rare values a frequent one stands in: run by run of those that follow each other.
std::vector<std::uint8_t> replaced_in_list(const ColumnCoding& coding, std::span<const std::size_t> rows) {
  std::vector<std::uint8_t> out(rows.size());
  const auto frequent = [&](std::size_t i) { return coding.protection[i] == Protection::none; };
  for (std::size_t from = 0, to; from < rows.size(); from = to) {
    for (to = from + 1; to < rows.size() && frequent(to) == frequent(from);) ++to;
    if (frequent(from)) continue;
    const std::size_t own = std::accumulate(rows.begin() + static_cast<std::ptrdiff_t>(from),
                                            rows.begin() + static_cast<std::ptrdiff_t>(to), std::size_t{0});
    const std::size_t ends = (from > 0 ? rows[from - 1] : 0) + (to < rows.size() ? rows[to] : 0);
    if (own <= kMostOfFrequent * ends)
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(from),
                out.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{1});
  }
  return out;
}

// Where an even distribution ends that begins at the inner edge of a tail, `codes` from the end: it has the
// mean of the people there, each with the farthest of their values, but goes no farther than the mean of the
// farthest half of them. The farthest, if one person has it, counts as the one before it. So the end is no
// single person's value, and not made by one that lies far out.
double end_of_tail(const ColumnCoding& coding, const CodePeople& people, std::size_t codes, Side side) {
  const std::size_t n = coding.values.size(), from = side == Side::low ? 0 : n - codes;
  const double edge = coding.values[side == Side::low ? codes - 1 : from];
  std::vector<std::pair<double, double>> away;  // from the edge, how many people; the farthest first
  double all = 0, sum = 0;
  people.visit_new(from, from + codes, side, [&](std::size_t code, std::size_t more) {
    if (more > 0) away.emplace_back(std::abs(coding.values[code] - edge), static_cast<double>(more));
    return true;
  });
  if (away.size() > 1 && away.front().second == 1) away.front().first = away[1].first;
  for (const auto& [distance, more] : away) all += more, sum += more * distance;
  const double half = std::ceil(all / 2);
  double left = half, of_half = 0;
  for (const auto& [distance, more] : away) {
    of_half += std::min(left, more) * distance;
    left -= std::min(left, more);
  }
  double width = std::min(2 * sum / all, of_half / half);
  if (coding.grid) width = std::floor(width);
  return side == Side::low ? edge - width : edge + width;
}

// Both together are at least `rare_below` people, so each end is there.
void learn_tails(const CodePeople& people, ColumnCoding& out) {
  const std::size_t n = out.values.size(), low = people.shortest(0, n, Side::low).value_or(n),
                    high = people.shortest(0, n, Side::high).value_or(n);
  out.low_tail = static_cast<std::uint32_t>(low);
  out.high_tail = static_cast<std::uint32_t>(n - high);
  out.lowest = end_of_tail(out, people, low, Side::low);
  out.highest = end_of_tail(out, people, high, Side::high);
  if (out.lowest <= out.highest) return;
  const double middle = std::midpoint(out.lowest, out.highest);
  out.lowest = out.highest = out.grid ? std::floor(middle) : middle;
}

}  // namespace

void protect(const CodingLearner& learner, const CodePeople& people, std::span<const std::size_t> rows,
             ColumnCoding& out) {
  std::size_t present = 0, frequent = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool rare = people.count(i) < learner.options.rare_below;
    out.protection.push_back(!rare                  ? Protection::none
                             : people.count(i) == 1 ? Protection::single
                                                    : Protection::rare);
    present += rows[i];
    frequent += rare ? 0 : rows[i];
  }
  if (frequent < present) learn_tails(people, out);
  if (out.grid && rows.size() > kMeasured) out.exact_from = exact_from(out, rows, learner.options.rare_below);
  if (frequent == present || static_cast<double>(frequent) < kListedShare * static_cast<double>(present) ||
      is_measured(out, rows))
    return;
  out.replaced = replaced_in_list(out, rows);
  if (std::ranges::find(out.replaced, 1) == out.replaced.end())
    out.replaced.clear();
  else
    out.exact_from.clear();  // no new number joins a list
}

}  // namespace synthema::detail
