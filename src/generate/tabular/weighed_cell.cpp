#include "src/generate/tabular/weighed_cell.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "synthema/core/normal.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

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

// Of a number that is not drawn as it is: the scores of its part (column_coding.hpp), or of the entries
// beside it where these have none of that, so that it goes with the others as they do; as much of them as is
// spread to it, or as would be if half a person's value was spread between the nearest two.
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
  const std::size_t part = coding.part_of(cell);
  const auto [low, high] = coding.codes_in(part, part + 1);
  const auto entry_of = [&](std::uint32_t code) {
    return static_cast<std::size_t>(std::ranges::lower_bound(numbers, code) - numbers.begin());
  };
  std::size_t from = entry_of(low), to = entry_of(high);
  if (from == to) from = first, to = last + 1;
  return {bounds[from], bounds[to], own / rows(from, to - 1)};
}

}  // namespace

std::optional<double> WeighedCell::cell_of(double value, std::uint32_t bits) const {
  return distance ? cell_at_distance(now.columns, now.column, *distance, base(), value, bits) : value;
}

double WeighedCell::value_of(double cell) const {
  return distance ? distance->cell_of(now.columns, now.column, cell, base()) : cell;
}

bool WeighedCell::has_missing() const {
  return !counts.codes.empty() && counts.codes.back() >= coding().codes();
}

// Of all entries.
double WeighedCell::part_missing() const {
  if (!has_missing()) return 0;
  const std::size_t present = counts.codes.size() - 1;
  return present == 0 ? 1 : 1 - static_cast<double>(counts.cumulative[present - 1]) / counts.total();
}

double WeighedCell::share_missing(const RuledCell& ruled) const {
  return !mixes() && ruled.admits(kMissing) ? part_missing() : 0;
}

// The scores of what the rules leave.
std::vector<Piece> WeighedCell::left(const RuledCell& ruled) const {
  const ColumnCoding& of = coding();
  const auto is_left = [&](std::size_t entry) {
    const std::uint32_t code = counts.codes[entry];
    if (code >= of.codes()) return mixes() && ruled.admits(kMissing);
    const auto cell = cell_of(of.is_category() ? static_cast<double>(code) : of.values[code]);
    return cell && ruled.admits(*cell);
  };
  std::vector<Piece> out;
  const auto add = [&](std::size_t from, std::size_t to) {
    if (!out.empty() && out.back().high == bounds[from])
      out.back().high = bounds[to];
    else
      out.push_back({bounds[from], bounds[to], 1});
  };
  if (of.is_category() || ruled.is_listed()) {
    for (std::size_t entry = 0; entry < counts.codes.size(); ++entry)
      if (is_left(entry)) add(entry, entry + 1);
    return placed(std::move(out));
  }
  const std::size_t present = counts.codes.size() - (has_missing() ? 1 : 0);
  const Run all{0, present}, within = distance ? all : run_within(ruled, counts);
  for (const auto& [from, to] : runs_left(counts, within, is_left)) add(from, to);
  if (const std::size_t end = counts.codes.size(); has_missing() && is_left(end - 1)) add(end - 1, end);
  return placed(std::move(out));
}

// The scores from which the cell may be drawn. A fixed number that few people have stands for all around it;
// of a distance beyond all that there are, nothing does.
std::vector<Piece> WeighedCell::behind(double cell, bool is_fixed) const {
  const ColumnCoding& of = coding();
  const double value = value_of(cell);
  if (distance && !std::isnan(cell))
    if (const auto [low, high] = reach_of(of); value < low || value > high) return {};
  std::vector<EntryDensity> entries;
  bool as_it_is = of.is_category() || std::isnan(cell);
  if (const auto entry = as_it_is ? std::nullopt : listed_entry(of, counts, value)) {
    as_it_is = now.is_listed() || of.is_exact(counts.codes[*entry], counts.rows_of(*entry));
    if (now.is_listed()) entries.push_back({*entry, 1});
  }
  if (!now.is_listed()) undisplaced_densities(of, counts, value, entries);
  std::vector<Piece> out;
  for (const EntryDensity& one : entries)
    if (as_it_is) out.push_back({bounds[one.entry], bounds[one.entry + 1], one.density});
  if (!as_it_is) {
    out.push_back(piece_around(of, counts, bounds, value, entries));
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
                                                          : normal_quantile(share);
}

// What the others may know of a noise; as told_noise.
double WeighedCell::told(double noise, bool given, double share) const {
  if (given || spread * spread < least_told) return normal_quantile(share);
  return std::clamp(noise, -kFarthestTold, kFarthestTold);
}

// What is there, and how likely that is among what the rules leave.
WeighedCell::Taken WeighedCell::taken(double cell, std::span<const Piece> own, double share, double most,
                                      bool has_proposed) const {
  const std::vector<Piece> before = left(past);
  const bool given = is_given(before);
  const double kept = log_mass_of(own, mean, spread);
  Taken out{cell, told(noise_within(own, share), given, share), given ? 0 : weight_of(kept, before, most)};
  if (!has_proposed) return out;
  // Both of it, so that what is likely beside any other number weighs no more for it.
  const double proposed = log_mass_of(own, 0, 1) - std::log1p(-part_missing());
  const double likely = given ? 0 : kept - std::log(mass(before) + half_person());
  out.weight = std::isfinite(proposed) && std::isfinite(likely) ? likely - proposed : kHardlyEver;
  return out;
}

WeighedCell::Taken WeighedCell::fixed(double cell, const PhiloxBlock& random, bool has_proposed) const {
  if (!past.admits(cell)) return {cell, 0, kNever};
  Taken out = taken(cell, behind(cell, !measured), unit_of(random[0]), 0, has_proposed);
  out.weight += std::max(std::log1p(-share_missing(past)), kHardlyEver);
  return out;
}

WeighedCell::Taken WeighedCell::proposed(double cell, const PhiloxBlock& random, double missing,
                                         bool has_proposed) const {
  if (!past.admits(cell) || !now.admits(cell)) return {cell, 0, kNever};
  const double share = unit_of(random[0]), likely = share_missing(past);
  if (std::isnan(cell)) return {cell, normal_quantile(share), std::log(likely / missing)};
  Taken out = taken(cell, behind(cell, false), share, most(), has_proposed);
  out.weight += std::max(std::log1p(-likely), kHardlyEver) - std::log1p(-missing);
  return out;
}

WeighedCell::Taken WeighedCell::draw(PhiloxBlock random, const Random& more,
                                     std::uint64_t number_of_row) const {
  const double missing = share_missing(now);
  double share = unit_of(random[0]);
  if (share >= 1 - missing) return {kMissing, normal_quantile(share), 0};
  share /= 1 - missing;
  const double present = std::max(std::log1p(-share_missing(past)), kHardlyEver) - std::log1p(-missing);
  const std::vector<Piece> before = left(past);
  const bool given = is_given(before);
  const std::optional<double> value = now.determined();
  const double missing_from =
      mixes() && value && has_missing() && now.admits(kMissing) ? bounds[bounds.size() - 2] : kInfinity;
  std::vector<Piece> own = value ? behind(*value, false) : left(now);
  if (missing_from < kInfinity) own.push_back({missing_from, kInfinity, 1});
  if (given && own.empty()) return {kMissing, normal_quantile(share), kNever};  // refused now
  if (value && given) own = {{-kInfinity, kInfinity, 1}};
  const double noise = noise_within(own, share), score = mean + spread * noise;
  const double kept = value ? log_mass_of(own, mean, spread) : std::log(mass(own) + half_person());
  Taken out{0, told(noise, given, share),
            present + (given ? 0 : weight_of(kept, before, value ? most() : 0))};
  if (value) {
    out.cell = score >= missing_from ? kMissing : *value;
    return out;
  }
  if (distance) return draw_distance(out, noise, own, random, more, number_of_row);
  random[0] = place_of(score);
  out.cell = now.draw_freely(counts, random);
  if (now.admits(out.cell)) return out;
  const CodeCounts from[] = {counts};
  const std::optional<double> found = now.draw(from, out.cell, more, number_of_row);
  return found ? Taken{*found, out.noise, out.weight} : Taken{out.cell, out.noise, kNever};
}

// As draw_at_distance, from what the rules leave; the first draw has this noise.
WeighedCell::Taken WeighedCell::draw_distance(Taken out, double noise, std::span<const Piece> left,
                                              PhiloxBlock random, const Random& more,
                                              std::uint64_t number_of_row) const {
  for (std::uint64_t i = 0; i <= kDistanceDraws && !left.empty(); ++i) {
    if (i > 0) {
      random = more.block(number_of_row, now.column + (i << 40));
      const double share = unit_of(random[0]);
      noise = noise_within(left, share);
      out.noise = told(noise, false, share);
    }
    random[0] = place_of(mean + spread * noise);
    const double drawn = draw_cell(coding(), counts, random);
    const auto cell = std::isnan(drawn) ? std::nullopt : cell_of(drawn, random[1]);
    if (cell && now.admits(*cell)) return {*cell, out.noise, out.weight};
  }
  const CodeCounts from[] = {numbers};
  const std::optional<double> found = now.draw(from, kMissing, more, number_of_row);
  return found ? Taken{*found, out.noise, out.weight} : Taken{kMissing, out.noise, kNever};
}

// Of an entry of the counts, as draw_cell takes it.
std::uint32_t WeighedCell::place_of(double score) const {
  const double drawn = room ? room->share_of(score) : normal_share(score);
  return static_cast<std::uint32_t>(std::clamp(drawn * 4294967296.0, 0.0, 4294967295.0));
}

}  // namespace synthema::detail
