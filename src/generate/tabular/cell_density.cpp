// A cell drawn, and how likely it was: side by side, since the second must follow the first.
#include "synthema/generate/tabular/cell_density.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "src/generate/tabular/column_zone.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema {

namespace {

using detail::kInfinity;
using detail::kMissing;
constexpr int kFarthestStep = 256;
// How far entries are smoothed. Between the next one alone, draws would lie twice as near to real values as
// fresh ones do, which fall into wide gaps more often than into narrow ones.
constexpr std::size_t kNeighbours = 2;

// --- drawing

double between(double a, double b, std::uint32_t bits) {
  return a + (b - a) * ((bits + 0.5) / 4294967296.0);
}

// The nearest values on both sides that are frequent, one of them at random so that the mean stays.
double from_list(const ColumnCoding& coding, std::uint32_t code, std::uint32_t bits) {
  std::ptrdiff_t below = code;
  while (below >= 0 && coding.protection[static_cast<std::size_t>(below)] != Protection::none) --below;
  std::size_t above = code;
  while (above < coding.values.size() && coding.protection[above] != Protection::none) ++above;
  if (below < 0) return coding.values[above];
  const double low = coding.values[static_cast<std::size_t>(below)];
  if (above == coding.values.size()) return low;
  const double high = coding.values[above], x = coding.values[code];
  return (bits + 0.5) / 4294967296.0 < (x - low) / (high - low) ? high : low;
}

bool is_single(const ColumnCoding& coding, double x) {
  const auto at = std::lower_bound(coding.values.begin(), coding.values.end(), x);
  return at != coding.values.end() && *at == x &&
         coding.protection[static_cast<std::size_t>(at - coding.values.begin())] == Protection::single;
}

// The nearest other place between the ends that no single person has; which side is looked at first
// depends on `down`. The place itself where there is none.
double displaced(const ColumnCoding& coding, double x, bool down, std::pair<double, double> ends) {
  const auto [low, high] = ends;
  double unit = coding.grid ? 1.0 : std::max(std::abs(x), 1.0) * 0x1p-40;
  if (down) unit = -unit;
  for (int i = 1; i <= kFarthestStep; ++i)
    for (const double other : {x + unit * i, x - unit * i})
      if (other >= low && other <= high && !is_single(coding, other)) return other;
  return x;
}

// The codes between which and its own an entry is smoothed, and the share of draws that go up.
struct Sides {
  std::size_t down, up;
  double share_up;  // 0, one half or 1
};

// Entries of counts that are numbers; missing is the last.
std::size_t numbers_in(const ColumnCoding& coding, const CodeCounts& counts) {
  return counts.codes.size() - (!counts.codes.empty() && counts.codes.back() >= coding.values.size() ? 1 : 0);
}

// The first and the last code between the gaps around this one.
std::pair<std::size_t, std::size_t> codes_between_gaps(const ColumnCoding& coding, std::uint32_t code) {
  const auto above = std::ranges::upper_bound(coding.behind_gaps, code);
  return {above == coding.behind_gaps.begin() ? 0 : *(above - 1),
          (above == coding.behind_gaps.end() ? coding.values.size() : *above) - 1};
}

Sides sides_of(const ColumnCoding& coding, const CodeCounts& counts, std::size_t entry) {
  const std::uint32_t code = counts.codes[entry];
  const std::size_t numbers = numbers_in(coding, counts);
  // Neighbours in the leaf, or among all values where these are `reach` or more places away.
  const std::size_t reach = std::max<std::size_t>(8, coding.values.size() / 20);
  const auto [front, last] = codes_between_gaps(coding, code);
  // Not beyond one that is given as it is: what people round to, or have often.
  const auto exact = [&](std::size_t e) { return coding.is_exact(counts.codes[e], counts.rows_of(e)); };
  std::size_t first = entry, end = entry;
  while (first > 0 && entry - first < kNeighbours && (first == entry || !exact(first))) --first;
  while (end + 1 < numbers && end - entry < kNeighbours && (end == entry || !exact(end))) ++end;
  const std::size_t low = std::max<std::size_t>(
      {entry > 0 ? std::size_t{counts.codes[first]} : front, code > reach ? code - reach : 0, front});
  const std::size_t high = std::min<std::size_t>(
      {entry + 1 < numbers ? std::size_t{counts.codes[end]} : last, last, code + reach});
  // The highest and the lowest of a leaf look inwards only, and so do those beside a gap.
  const bool has_low = (entry > 0 || numbers == 1) && (front == 0 || code > front);
  const bool has_high =
      (entry + 1 < numbers || numbers == 1) && (last + 1 == coding.values.size() || code < last);
  const double share_up = low == code ? 1.0 : !has_high ? 0.0 : has_low ? 0.5 : 1.0;
  return {low, high != code ? high : low, share_up};
}

bool tails_meet(const ColumnCoding& coding) {
  return coding.low_tail > coding.high_tail;
}

// What is drawn in place of a value of the people at one end: evenly from here to there.
std::optional<std::pair<double, double>> tail_of(const ColumnCoding& coding, std::uint32_t code) {
  if (tails_meet(coding)) return std::pair(coding.lowest, coding.highest);
  if (code < coding.low_tail) return std::pair(coding.lowest, coding.values[coding.low_tail - 1]);
  if (code >= coding.high_tail) return std::pair(coding.values[coding.high_tail], coding.highest);
  return std::nullopt;
}

// The value of a neighbour, no farther than what is drawn at the ends.
double reached(const ColumnCoding& coding, std::size_t code) {
  double x = coding.values[code];
  if (coding.low_tail > 0) x = std::max(x, coding.lowest);
  return coding.high_tail < coding.values.size() ? std::min(x, coding.highest) : x;
}

double smoothed(const ColumnCoding& coding, const CodeCounts& counts, std::size_t entry,
                const PhiloxBlock& random) {
  if (const auto tail = tail_of(coding, counts.codes[entry]))
    return settled_cell(coding, between(tail->first, tail->second, random[2]), random[3]);
  const Sides sides = sides_of(coding, counts, entry);
  const bool up = sides.share_up == 1 || (sides.share_up == 0.5 && (random[1] & 1) != 0);
  const double other = reached(coding, up ? sides.up : sides.down);
  return settled_cell(coding, between(coding.values[counts.codes[entry]], other, random[2]), random[3]);
}

// --- how likely

// Collects densities entry by entry.
class Densities {
 public:
  explicit Densities(std::vector<EntryDensity>& out) : out_(out) { out_.clear(); }
  void add(std::size_t entry, double density) {
    if (!(density > 0)) return;
    const auto at = std::ranges::find(out_, entry, &EntryDensity::entry);
    if (at == out_.end())
      out_.push_back({entry, density});
    else
      at->density += density;
  }

 private:
  std::vector<EntryDensity>& out_;
};

std::size_t place_of(std::span<const double> values, double x) {
  return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), x) - values.begin());
}

// from_list backwards: the replaced codes between this frequent value and its frequent neighbours.
void listed_densities(const ColumnCoding& coding, const CodeCounts& counts, double x, Densities& out) {
  const std::size_t code = place_of(coding.values, x);
  const auto frequent = [&](std::size_t at) { return coding.protection[at] == Protection::none; };
  if (code == coding.values.size() || coding.values[code] != x || !frequent(code)) return;
  std::size_t from = code, to = code + 1;
  while (from > 0 && !frequent(from - 1)) --from;
  while (to < coding.values.size() && !frequent(to)) ++to;
  const auto first = std::lower_bound(counts.codes.begin(), counts.codes.end(), from);
  for (auto at = first; at != counts.codes.end() && *at < to; ++at) {
    if (!coding.is_replaced(*at)) continue;
    const double rare = coding.values[*at];
    double share = 1;
    if (*at < code && from > 0) {
      const double low = coding.values[from - 1];
      share = (rare - low) / (x - low);
    } else if (*at > code && to < coding.values.size()) {
      const double high = coding.values[to];
      share = 1 - (rare - x) / (high - x);
    }
    out.add(static_cast<std::size_t>(at - counts.codes.begin()), share);
  }
}

// Whether a real without a grid has a probability of its own there.
bool is_point(const ColumnCoding& coding, double x) {
  const std::size_t code = place_of(coding.values, x);
  return !coding.grid && code < coding.values.size() && coding.values[code] == x &&
         coding.protection[code] == Protection::none;
}

// What an entry gives at x before places of single people are left.
double spread(const ColumnCoding& coding, const CodeCounts& counts, std::size_t entry, double x,
              bool at_point) {
  const std::uint32_t code = counts.codes[entry];
  const double own = coding.values[code];
  if (coding.is_exact(code, counts.rows_of(entry))) return x == own ? 1.0 : 0.0;
  if (coding.is_replaced(code)) return 0;
  // Rounding gives the ends half of what the places between them get.
  const auto even = [&](double from, double to) {
    if (from == to) return x == from ? 1.0 : 0.0;
    if (at_point || x < from || x > to) return 0.0;
    return (coding.grid && (x == from || x == to) ? 0.5 : 1.0) / (to - from);
  };
  if (const auto tail = tail_of(coding, code)) return even(tail->first, tail->second);
  const Sides sides = sides_of(coding, counts, entry);
  double out = 0;
  for (const bool up : {false, true}) {
    const double share = up ? sides.share_up : 1 - sides.share_up;
    const double other = reached(coding, up ? sides.up : sides.down);
    if (share > 0) out += share * even(std::min(own, other), std::max(own, other));
  }
  return out;
}

void add_spread(const ColumnCoding& coding, const CodeCounts& counts, double x, double share,
                Densities& out) {
  const std::size_t numbers = numbers_in(coding, counts), code = place_of(coding.values, x);
  const bool exact = code < coding.values.size() && coding.values[code] == x;
  const bool at_point = is_point(coding, x);
  const auto own = counts.codes.first(numbers);
  // An entry reaches to two neighbours at most; those of an end, all over it.
  const auto above = static_cast<std::size_t>(std::lower_bound(own.begin(), own.end(), code) - own.begin());
  std::size_t begin = above - std::min(above, kNeighbours),
              end = std::min(numbers,
                             above + kNeighbours + (exact && above < numbers && own[above] == code ? 1 : 0));
  const auto first_from = [&](std::uint32_t from) {
    return static_cast<std::size_t>(std::lower_bound(own.begin(), own.end(), from) - own.begin());
  };
  if (coding.low_tail > 0 && x <= coding.values[coding.low_tail - 1])
    begin = 0, end = std::max(end, first_from(coding.low_tail));
  if (coding.high_tail < coding.values.size() && x >= coding.values[coding.high_tail])
    begin = std::min(begin, first_from(coding.high_tail)), end = numbers;
  if (tails_meet(coding)) begin = 0, end = numbers;
  for (std::size_t entry = begin; entry < end; ++entry)
    out.add(entry, share * spread(coding, counts, entry, x, at_point));
}

void smoothed_densities(const ColumnCoding& coding, const CodeCounts& counts, double x, Densities& out) {
  if (!coding.grid) return add_spread(coding, counts, x, 1, out);
  // A grid point that a single person has is left for one beside it: x gets what comes from there.
  const auto ends = reach_of(coding);
  const auto moved_here = [&](double from) {
    return 0.5 * (displaced(coding, from, false, ends) == x) +
           0.5 * (displaced(coding, from, true, ends) == x);
  };
  const double stays = is_single(coding, x) ? moved_here(x) : 1.0;
  if (stays > 0) add_spread(coding, counts, x, stays, out);
  for (const double unit : {-1.0, 1.0})
    for (int i = 1; i <= kFarthestStep && is_single(coding, x + unit * i); ++i)
      if (const double share = moved_here(x + unit * i); share > 0)
        add_spread(coding, counts, x + unit * i, share, out);
}

// Over the rows of the counts.
double mean_of(const CodeCounts& counts, std::span<const EntryDensity> entries) {
  double sum = 0;
  for (const EntryDensity& one : entries) sum += one.density * counts.rows_of(one.entry);
  return sum / counts.total();
}

double cell_of_whole(const ColumnCoding& coding, std::int64_t value) {
  const bool below = value < coding.origin;
  const auto a = static_cast<std::uint64_t>(value), b = static_cast<std::uint64_t>(coding.origin);
  const std::uint64_t far = below ? b - a : a - b, step = static_cast<std::uint64_t>(coding.step);
  if (far % step != 0) return kInfinity;
  const std::uint64_t steps = far / step;
  return below ? -static_cast<double>(steps) : static_cast<double>(steps);
}

bool is_label(Kind kind) {
  return kind == Kind::text || kind == Kind::category;
}
bool is_number(Kind kind) {
  return kind == Kind::real || kind == Kind::integer;
}

}  // namespace

std::pair<double, double> reach_of(const ColumnCoding& coding) {
  return {coding.low_tail > 0 ? coding.lowest : coding.values.front(),
          coding.high_tail < coding.values.size() ? coding.highest : coding.values.back()};
}

double settled_cell(const ColumnCoding& coding, double x, std::uint32_t bits) {
  if (coding.grid) x = std::nearbyint(x);
  return is_single(coding, x) ? displaced(coding, x, (bits & 1) != 0, reach_of(coding)) : x;
}

double settled_cell(const ColumnCoding& coding, double x, std::uint32_t bits,
                    std::pair<double, double> preferred) {
  if (coding.grid) x = std::nearbyint(x);
  if (!is_single(coding, x)) return x;
  const auto [low, high] = reach_of(coding);
  const double near = displaced(coding, x, (bits & 1) != 0,
                                {std::max(low, preferred.first), std::min(high, preferred.second)});
  return near == x ? settled_cell(coding, x, bits) : near;
}

double measure_width(const ColumnCoding& coding) {
  if (!coding.grid || coding.field.kind == Kind::integer) return 1;
  return static_cast<double>(coding.step) / std::pow(10.0, coding.decimals);
}

double unit_at(const ColumnCoding& coding, double cell) {
  const std::vector<double>& values = coding.values;
  if (coding.grid || values.size() < 2 || is_point(coding, cell)) return measure_width(coding);
  return (values.back() - values.front()) / static_cast<double>(values.size() - 1);
}

double draw_cell(const ColumnCoding& coding, const CodeCounts& counts, const PhiloxBlock& random) {
  const std::uint32_t total = counts.total();
  if (total == 0) return kMissing;
  const auto place = static_cast<std::uint32_t>(std::uint64_t{random[0]} * total >> 32);
  const auto entry =
      static_cast<std::size_t>(std::upper_bound(counts.cumulative.begin(), counts.cumulative.end(), place) -
                               counts.cumulative.begin());
  const std::uint32_t code = counts.codes[entry];
  if (code >= coding.codes()) return kMissing;
  if (coding.is_category()) return code;
  if (coding.is_exact(code, counts.rows_of(entry))) return coding.values[code];
  if (coding.is_replaced(code)) return from_list(coding, code, random[2]);
  return smoothed(coding, counts, entry, random);
}

void entry_densities(const ColumnCoding& coding, const CodeCounts& counts, double cell,
                     std::vector<EntryDensity>& out) {
  Densities found(out);
  if (counts.codes.empty() || std::isinf(cell)) return;
  if (std::isnan(cell)) {
    if (counts.codes.back() >= coding.codes()) found.add(counts.codes.size() - 1, 1);
    return;
  }
  if (coding.is_category()) {
    const auto at =
        std::lower_bound(counts.codes.begin(), counts.codes.end(), static_cast<std::uint32_t>(cell));
    if (at != counts.codes.end() && *at == cell)
      found.add(static_cast<std::size_t>(at - counts.codes.begin()), 1);
    return;
  }
  smoothed_densities(coding, counts, cell, found);
  if (!coding.replaced.empty()) listed_densities(coding, counts, cell, found);
  const double width = measure_width(coding);
  for (EntryDensity& one : out) one.density /= width;
}

void undisplaced_densities(const ColumnCoding& coding, const CodeCounts& counts, double cell,
                           std::vector<EntryDensity>& out) {
  if (coding.is_category() || std::isnan(cell)) return entry_densities(coding, counts, cell, out);
  Densities found(out);
  add_spread(coding, counts, cell, 1, found);
  if (!coding.replaced.empty()) listed_densities(coding, counts, cell, found);
  const double unit = coding.grid ? 1.0 : unit_at(coding, cell);
  for (EntryDensity& one : out) one.density *= unit;
}

double log_density(const ColumnCoding& coding, const CodeCounts& counts, double cell) {
  if (counts.total() == 0) return std::isnan(cell) ? 0.0 : -kInfinity;
  std::vector<EntryDensity> entries;
  entry_densities(coding, counts, cell, entries);
  return std::log(mean_of(counts, entries));
}

double share_at(const ColumnCoding& coding, const CodeCounts& counts, double cell) {
  if (counts.total() == 0) return std::isnan(cell) ? 1 : 0;
  std::vector<EntryDensity> entries;
  undisplaced_densities(coding, counts, cell, entries);
  return mean_of(counts, entries);
}

std::vector<double> cells_of(const ColumnCoding& coding, const Column& column) {
  const Kind kind = column.kind(), own = coding.field.kind;
  if (kind != own && !(is_label(kind) && is_label(own)) && !(is_number(kind) && is_number(own)))
    throw SchemaError({.field = coding.field.name},
                      message("The column is of kind ", name_of(kind),
                              ", but the generator was fitted to one of kind ", name_of(own), "."));
  if (column.null_count() < column.size()) detail::check_zone(coding, column);
  std::vector<double> out(column.size(), kMissing);
  const auto fill = [&](const auto& cell) {
    for (std::size_t row = 0; row < out.size(); ++row)
      if (!column.is_null(row)) out[row] = cell(row);
  };
  if (coding.form == CodingForm::absent) {
    fill([](std::size_t) { return kInfinity; });
  } else if (kind == Kind::boolean) {
    fill([&](std::size_t row) { return column.boolean_at(row) ? 1.0 : 0.0; });
  } else if (coding.is_category()) {
    std::unordered_map<std::string_view, double> codes;
    for (std::size_t i = 0; i < coding.labels.size(); ++i) codes.emplace(coding.labels[i], i);
    fill([&](std::size_t row) {
      const auto at = codes.find(column.text_at(row));
      return at == codes.end() ? kInfinity : at->second;
    });
  } else if (own != Kind::real && kind != Kind::real) {
    fill([&](std::size_t row) { return cell_of_whole(coding, column.integers()[row]); });
  } else {
    fill([&](std::size_t row) {
      const double x = coding.cell_of_number(column.number_at(row));
      return std::isfinite(x) && (!coding.grid || x == std::nearbyint(x)) ? x : kInfinity;
    });
  }
  return out;
}

std::vector<std::vector<double>> cells_of(std::span<const ColumnCoding> columns, const Table& table) {
  std::vector<std::vector<double>> out(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].form == CodingForm::fresh) continue;
    if (!table.has(columns[c].field.name))
      throw SchemaError({.field = columns[c].field.name},
                        "The table lacks this column, which the generator was fitted to.");
    out[c] = cells_of(columns[c], table.column(columns[c].field.name));
  }
  return out;
}

}  // namespace synthema
