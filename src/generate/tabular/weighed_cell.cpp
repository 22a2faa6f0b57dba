#include "src/generate/tabular/weighed_cell.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNever = -kInfinity;
constexpr double kHardlyEver = -1000;  // logarithm: taken where all candidates are like that
constexpr std::size_t kLookedAt = 64;  // values of a number, at even distances among its rows

// Entries in a row, from the first to before the last.
using Run = std::pair<std::size_t, std::size_t>;

// Of the numbers among the entries, which the rules may leave.
Run run_within(const RuledCell& ruled, const CodeCounts& counts) {
  const ColumnCoding& coding = ruled.columns[ruled.column];
  const auto entry_of = [&](std::ptrdiff_t code) {
    return static_cast<std::size_t>(
        std::ranges::lower_bound(counts.codes,
                                 static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(code, 0))) -
        counts.codes.begin());
  };
  const auto range = ruled.rules.range(ruled.column, ruled.row, ruled.columns);
  if (!range) return {0, 0};
  // One more on each side: the ends of a range are rounded.
  const auto low = std::ranges::lower_bound(coding.values, range->first) - coding.values.begin() - 1,
             high = std::ranges::upper_bound(coding.values, range->second) - coding.values.begin() + 1;
  const auto codes = static_cast<std::ptrdiff_t>(coding.codes());
  return {entry_of(low), entry_of(std::min(high, codes))};
}

// Entries of a run that are looked at, its ends among them.
std::vector<std::size_t> looked_at(const CodeCounts& counts, const Run& run) {
  std::vector<std::size_t> out;
  const auto [begin, end] = run;
  if (end - begin <= kLookedAt) {
    for (std::size_t i = begin; i < end; ++i) out.push_back(i);
    return out;
  }
  const std::uint64_t before = begin == 0 ? 0 : counts.cumulative[begin - 1];
  const std::uint64_t rows = counts.cumulative[end - 1] - before;
  out.push_back(begin);
  for (std::size_t i = 0; i < kLookedAt; ++i) {
    const std::uint64_t place = before + (2 * i + 1) * rows / (2 * kLookedAt);
    const auto at = static_cast<std::size_t>(std::ranges::upper_bound(counts.cumulative, place) -
                                             counts.cumulative.begin());
    if (at > out.back()) out.push_back(at);
  }
  if (out.back() + 1 < end) out.push_back(end - 1);
  return out;
}

// The parts of a run that the rules leave; where one begins or ends between two entries that are looked at is
// found by halving.
std::vector<Run> runs_left(const CodeCounts& counts, const Run& run, const auto& is_left) {
  std::vector<Run> out;
  const std::vector<std::size_t> at = looked_at(counts, run);
  bool now = !at.empty() && is_left(at.front());
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::size_t from = at[i], to = i + 1 < at.size() ? at[i + 1] : run.second;
    const bool then = i + 1 < at.size() && is_left(to);
    std::size_t change = to;
    if (now != then) {
      const auto between = std::views::iota(from + 1, to);
      change = from + 1 +
               static_cast<std::size_t>(
                   std::ranges::partition_point(between, [&](std::size_t e) { return is_left(e) == now; }) -
                   between.begin());
    }
    if (now) out.emplace_back(from, change);
    if (then && !now) out.emplace_back(change, to);
    now = then;
  }
  return out;
}

// Of a number that is not drawn as it is: the scores of the entries around it, and its own if somebody has
// it, so that it goes with the others as they do; as much of them as is spread to it, or as would be if half
// a person's value was spread between the nearest two.
Piece piece_around(const ColumnCoding& coding, const CodeCounts& counts, std::span<const double> bounds,
                   double cell, std::span<const EntryDensity> spread_to_it) {
  const auto numbers = counts.codes.first(static_cast<std::size_t>(
      std::ranges::lower_bound(counts.codes, coding.codes()) - counts.codes.begin()));
  if (numbers.empty()) return {bounds.front(), bounds.back(), 0.5 / counts.total()};
  const auto value = [&](std::uint32_t code) { return coding.values[code]; };
  const auto at = std::ranges::lower_bound(numbers, cell, {}, value) - numbers.begin(),
             behind = std::ranges::upper_bound(numbers, cell, {}, value) - numbers.begin();
  const auto first = static_cast<std::size_t>(std::max<std::ptrdiff_t>(at - 1, 0)),
             last = std::min(static_cast<std::size_t>(behind), numbers.size() - 1);
  const auto rows = [&](std::size_t from, std::size_t to) {
    return static_cast<double>(counts.cumulative[to] - (from == 0 ? 0 : counts.cumulative[from - 1]));
  };
  const double unit = unit_at(coding, cell) / measure_width(coding);
  double own = 0;
  for (const EntryDensity& one : spread_to_it) own += one.density * rows(one.entry, one.entry);
  if (own == 0) own = 0.5 * std::min(1.0, unit / (value(numbers[last]) - value(numbers[first])));
  return {bounds[first], bounds[last + 1], own / rows(first, last)};
}

}  // namespace

// The scores of what the rules leave.
std::vector<Piece> WeighedCell::left(const RuledCell& ruled) const {
  const ColumnCoding& coding = ruled.columns[ruled.column];
  const auto is_left = [&](std::size_t entry) {
    const std::uint32_t code = counts.codes[entry];
    return ruled.admits(code >= coding.codes() ? kMissing
                        : coding.is_category() ? static_cast<double>(code)
                                               : coding.values[code]);
  };
  std::vector<Piece> out;
  const auto add = [&](std::size_t from, std::size_t to) {
    if (!out.empty() && out.back().high == bounds[from])
      out.back().high = bounds[to];
    else
      out.push_back({bounds[from], bounds[to], 1});
  };
  if (coding.is_category() || ruled.is_listed()) {
    for (std::size_t entry = 0; entry < counts.codes.size(); ++entry)
      if (is_left(entry)) add(entry, entry + 1);
    return placed(std::move(out));
  }
  for (const auto& [from, to] : runs_left(counts, run_within(ruled, counts), is_left)) add(from, to);
  if (const std::size_t last = counts.codes.size(); last > 0 && counts.codes.back() >= coding.codes())
    if (is_left(last - 1)) add(last - 1, last);
  return placed(std::move(out));
}

// The scores from which the cell may be drawn. A fixed number that few people have stands for all around it.
std::vector<Piece> WeighedCell::behind(double cell, bool is_fixed) const {
  const ColumnCoding& coding = now.columns[now.column];
  std::vector<EntryDensity> entries;
  bool as_it_is = coding.is_category() || std::isnan(cell);
  if (const auto entry = as_it_is ? std::nullopt : listed_entry(coding, counts, cell)) {
    as_it_is = now.is_listed() || coding.protection[counts.codes[*entry]] == Protection::none;
    if (now.is_listed()) entries.push_back({*entry, 1});
  }
  if (!now.is_listed()) undisplaced_densities(coding, counts, cell, entries);
  std::vector<Piece> out;
  for (const EntryDensity& one : entries)
    if (as_it_is) out.push_back({bounds[one.entry], bounds[one.entry + 1], one.density});
  if (!as_it_is) {
    out.push_back(piece_around(coding, counts, bounds, cell, entries));
    if (is_fixed) out.back().density = 1;
  }
  return placed(std::move(out));
}

std::vector<Piece> WeighedCell::placed(std::vector<Piece> pieces) const {
  if (room)
    for (Piece& piece : pieces) {
      piece.low = room->score_of(normal_share(piece.low));
      piece.high = room->score_of(normal_share(piece.high));
    }
  std::erase_if(pieces, [](const Piece& piece) { return !(piece.low < piece.high); });
  return pieces;
}

// Whether the cells before it leave one value.
bool WeighedCell::is_given(std::span<const Piece> before) const {
  if (!past.columns[past.column].is_category()) return past.determined().has_value();
  if (before.size() != 1) return false;
  const auto at = std::ranges::lower_bound(bounds, before.front().low);
  return *(at + 1) == before.front().high;
}

double WeighedCell::weight_of(double log_mass, std::span<const Piece> before, double most) const {
  return std::clamp(log_mass - std::log(mass(before) + half_person()), kHardlyEver, most);
}

double WeighedCell::mass(std::span<const Piece> pieces) const {
  return std::exp(log_mass_of(pieces, mean, spread));
}

double WeighedCell::noise_within(std::span<const Piece> pieces, double share) const {
  return std::isfinite(log_mass_of(pieces, mean, spread)) ? confined_to(pieces, mean, spread, share)
                                                          : normal_quantile_of(share);
}

// What the others may know of a noise; as told_noise.
double WeighedCell::told(double noise, bool given, double share) const {
  if (given || spread * spread < least_told) return normal_quantile_of(share);
  return std::clamp(noise, -kFarthestTold, kFarthestTold);
}

WeighedCell::Taken WeighedCell::fixed(double cell, const PhiloxBlock& random) const {
  const double share = unit_of(random[0]);
  if (!past.admits(cell)) return {cell, 0, kNever};
  const std::vector<Piece> before = left(past), own = behind(cell, true);
  const bool given = is_given(before);
  return {cell, told(noise_within(own, share), given, share),
          given ? 0 : weight_of(log_mass_of(own, mean, spread), before)};
}

WeighedCell::Taken WeighedCell::draw(PhiloxBlock random, const Random& more,
                                     std::uint64_t number_of_row) const {
  const ColumnCoding& coding = now.columns[now.column];
  const double share = unit_of(random[0]);
  const std::vector<Piece> before = left(past);
  const bool given = is_given(before);
  const std::optional<double> value = now.determined();
  const double missing_from =
      value && !counts.codes.empty() && counts.codes.back() >= coding.codes() && now.admits(kMissing)
          ? bounds[bounds.size() - 2]
          : kInfinity;
  std::vector<Piece> own = value ? behind(*value, false) : left(now);
  if (missing_from < kInfinity) own.push_back({missing_from, kInfinity, 1});
  if (value && given) own = {{-kInfinity, kInfinity, 1}};
  const double noise = noise_within(own, share), score = mean + spread * noise;
  const double kept = value ? log_mass_of(own, mean, spread) : std::log(mass(own) + half_person());
  Taken out{0, told(noise, given, share),
            given ? 0 : weight_of(kept, before, value && !coding.grid ? kDensest : 0)};
  if (value) {
    out.cell = score >= missing_from ? kMissing : *value;
    return out;
  }
  const double drawn = room ? room->share_of(score) : normal_share(score);
  random[0] = static_cast<std::uint32_t>(std::clamp(drawn * 4294967296.0, 0.0, 4294967295.0));
  out.cell = now.draw_freely(counts, random);
  if (now.admits(out.cell)) return out;
  const CodeCounts from[] = {counts};
  const std::optional<double> found = now.draw(from, out.cell, more, number_of_row);
  return found ? Taken{*found, out.noise, out.weight} : Taken{out.cell, out.noise, kNever};
}

}  // namespace synthema::detail
