#include "src/generate/tabular/number_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

// Codes from the first to before the last: a frequent value, or some in a row that are not.
struct Part {
  std::size_t first, last;
  bool frequent;
};

// What lies between two frequent values makes parts where enough people are in it. What is left over there is
// of the part before it.
std::vector<Part> found_parts(const CodePeople& people, const ColumnCoding& coding) {
  const std::size_t n = coding.values.size();
  const auto frequent = [&](std::size_t code) { return coding.protection[code] == Protection::none; };
  std::vector<Part> out;
  for (std::size_t from = 0, to; from < n; from = to) {
    to = from + 1;
    if (frequent(from)) {
      out.push_back({from, to, true});
      continue;
    }
    while (to < n && !frequent(to)) ++to;
    const std::size_t before = out.size();
    std::optional<std::size_t> size;
    for (std::size_t at = from; (size = people.shortest(at, to, CodePeople::Side::low)); at += *size)
      out.push_back({at, at + *size, false});
    if (out.size() > before) out.back().last = to;
  }
  if (out.empty()) out.push_back({0, n, false});
  return out;
}

// At the middle, so that both have a side of their own.
double cut_between(double below, double above) {
  const double middle = std::midpoint(below, above);
  return middle < above ? middle : below;
}

// Never at a place that a single person's value decides: beside a frequent value it is at that one.
double cut_between(const ColumnCoding& coding, const Part& below, const Part& above) {
  const double last = coding.values[below.last - 1], first = coding.values[above.first];
  if (below.frequent == above.frequent) return cut_between(last, first);
  return below.frequent ? last : std::nextafter(first, -std::numeric_limits<double>::infinity());
}

// Parts in a row share a number, of at most `most`, with about equal rows.
std::vector<std::uint8_t> numbered(std::span<const std::size_t> rows, std::size_t most) {
  std::vector<std::uint8_t> out(rows.size());
  if (rows.size() <= most) {
    std::iota(out.begin(), out.end(), std::uint8_t{0});
    return out;
  }
  std::size_t left = std::accumulate(rows.begin(), rows.end(), std::size_t{0}), taken = 0, number = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // One is full once it has its share of what is left; a frequent value closes it before itself.
    const double share = static_cast<double>(left) / static_cast<double>(most - number);
    const double with = static_cast<double>(taken + rows[i]);
    const bool overshoots = with - share > share - static_cast<double>(taken);
    if (taken > 0 && overshoots && number + 1 < most) {
      left -= taken;
      taken = 0;
      ++number;
    }
    out[i] = static_cast<std::uint8_t>(number);
    taken += rows[i];
  }
  return out;
}

// Between the codes from `first` to `last`, then on both sides of what was found. Another gap than the widest
// is narrower than the side with that.
void find_gaps(const ColumnCoding& coding, std::size_t first, std::size_t last,
               std::vector<std::uint32_t>& behind) {
  const auto [lowest, highest] = reach_of(coding);
  const auto at = [&](std::size_t code) { return std::clamp(coding.values[code], lowest, highest); };
  double widest = coding.grid ? 1 : 0;  // nothing lies between two places of the grid
  std::size_t begin = first;
  for (std::size_t code = first + 1; code <= last; ++code)
    if (at(code) - at(code - 1) > widest &&
        coding.part_of(coding.values[code]) != coding.part_of(coding.values[code - 1]))
      widest = at(code) - at(code - 1), begin = code;
  if (begin == first || widest <= at(begin - 1) - at(first) || widest <= at(last) - at(begin)) return;
  find_gaps(coding, first, begin - 1, behind);
  behind.push_back(static_cast<std::uint32_t>(begin));
  find_gaps(coding, begin, last, behind);
}

}  // namespace

void find_gaps(ColumnCoding& out) {
  out.behind_gaps.clear();
  if (!out.values.empty()) find_gaps(out, 0, out.values.size() - 1, out.behind_gaps);
}

void learn_parts(const CodingLearner& learner, const CodePeople& people, std::span<const std::size_t> rows,
                 ColumnCoding& out) {
  const std::vector<Part> parts = found_parts(people, out);
  // Without those that are few between two parts: they move no bin.
  std::vector<std::size_t> rows_of_parts;
  for (const Part& part : parts)
    rows_of_parts.push_back(std::accumulate(rows.begin() + static_cast<std::ptrdiff_t>(part.first),
                                            rows.begin() + static_cast<std::ptrdiff_t>(part.last),
                                            std::size_t{0}));
  for (std::size_t i = 1; i < parts.size(); ++i) out.cuts.push_back(cut_between(out, parts[i - 1], parts[i]));
  out.part_bins = numbered(rows_of_parts, learner.options.bins);
  out.part_classes = numbered(rows_of_parts, learner.options.classes - (out.missing ? 1 : 0));
  if (out.missing)
    for (std::uint8_t& number : out.part_classes) ++number;  // missing is class 0
  out.bins = out.part_bins.back() + std::size_t{2};
  out.classes = out.part_classes.back() + std::size_t{1};
  find_gaps(out);
}

void cut_between_all(ColumnCoding& out) {
  out.cuts.clear();
  for (std::size_t i = 1; i < out.values.size(); ++i)
    out.cuts.push_back(cut_between(out.values[i - 1], out.values[i]));
}

}  // namespace synthema::detail
