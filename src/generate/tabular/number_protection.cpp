#include "src/generate/tabular/number_protection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace synthema::detail {

namespace {

constexpr double kListedShare = 0.95;  // of rows with frequent values in a list of particular numbers
constexpr std::size_t kMeasured = 20;  // more frequent values may be a measurement
constexpr std::size_t kAlike = 3;      // neighbours of a measurement, one within this factor of the other
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

// The end of an even distribution that begins at the inner edge of a tail and has the mean of its rows. Not
// beyond the last value, nor at it where it is a single person's.
double end_of_tail(const ColumnCoding& coding, std::span<const std::size_t> rows, std::size_t codes,
                   bool high) {
  const std::size_t n = rows.size();
  const auto code = [&](std::size_t i) { return high ? n - 1 - i : i; };
  const double edge = coding.values[code(codes - 1)];
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < codes; ++i) {
    sum += static_cast<double>(rows[code(i)]) * std::abs(coding.values[code(i)] - edge);
    all += static_cast<double>(rows[code(i)]);
  }
  const std::size_t last = codes > 1 && coding.protection[code(0)] == Protection::single ? 1 : 0;
  double width = std::min(2 * sum / all, std::abs(coding.values[code(last)] - edge));
  if (coding.grid) width = std::floor(width);
  return high ? edge + width : edge - width;
}

void learn_tails(const CodingLearner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes,
                 std::span<const std::uint32_t> people, std::span<const std::size_t> rows) {
  const std::size_t n = rows.size(), low = learner.codes_of_end(codes, people, false),
                    high = learner.codes_of_end(codes, people, true);
  if (low + high > n) return;
  out.low_tail = static_cast<std::uint32_t>(low);
  out.high_tail = static_cast<std::uint32_t>(n - high);
  out.lowest = end_of_tail(out, rows, low, false);
  out.highest = end_of_tail(out, rows, high, true);
}

}  // namespace

void protect(const CodingLearner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes,
             std::span<const std::size_t> rows) {
  const std::vector<std::uint32_t> count = learner.count(codes, out.values.size());
  std::size_t present = 0, frequent = 0;
  for (std::size_t i = 0; i < count.size(); ++i) {
    const bool rare = count[i] < learner.options.rare_below;
    out.protection.push_back(!rare           ? Protection::none
                             : count[i] == 1 ? Protection::single
                                             : Protection::rare);
    present += rows[i];
    frequent += rare ? 0 : rows[i];
  }
  if (frequent < present) learn_tails(learner, out, codes, count, rows);
  if (frequent == present || static_cast<double>(frequent) < kListedShare * static_cast<double>(present) ||
      is_measured(out, rows))
    return;
  out.replaced = replaced_in_list(out, rows);
  if (std::ranges::find(out.replaced, 1) == out.replaced.end()) out.replaced.clear();
}

}  // namespace synthema::detail
