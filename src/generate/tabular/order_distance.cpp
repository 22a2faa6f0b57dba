#include "src/generate/tabular/order_distance.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include "src/data/bits.hpp"
#include "src/generate/tabular/coded_numbers.hpp"
#include "src/generate/tabular/coded_rule.hpp"
#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/dominant_people.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint64_t kAdmittedStream = 6;
constexpr double kMostSpread = 0.5;  // of the distances, against the column's own

// The columns before this one, of its kind, that rules without conditions order it against, ascending.
std::vector<std::size_t> ordered_against(const CodedTable& table, std::size_t column,
                                         std::span<const std::size_t> before) {
  const Field& field = table.schema.fields[column];
  std::vector<std::size_t> out;
  for (const FieldRule& rule : table.schema.rules) {
    if (rule.field != field.name || rule.relation.empty() || rule.lowest || rule.highest ||
        !rule.labels.empty())
      continue;
    const std::size_t from = number_of_field(table.schema, rule.given);
    const ColumnCoding& base = table.columns[from];
    if (base.form == CodingForm::number && base.field.kind == field.kind &&
        std::ranges::find(before, from) != before.end())
      out.push_back(from);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Whether each number of `other` is a place of the column's grid.
bool has_places_of(const ColumnCoding& coding, const ColumnCoding& other) {
  return !coding.grid || std::ranges::all_of(other.values, [&](double value) {
    const double cell = coding.cell_of_number(other.number(value));
    return cell == std::nearbyint(cell);
  });
}

struct Numbers {
  std::vector<double> values;  // by row; NaN where they are missing or unknown
  std::vector<bool> unknown;
};

Numbers numbers_of(const CodedTable& table, std::size_t column) {
  const ColumnCoding& coding = table.columns[column];
  Numbers out;
  out.values.reserve(table.codes[column].size());
  for (const std::uint32_t code : table.codes[column]) {
    out.values.push_back(code < coding.codes() ? coding.number(coding.values[code]) : kMissing);
    out.unknown.push_back(code == coding.pooled_code());
  }
  return out;
}

double spread_of(std::span<const double> values, std::span<const double> beside) {
  double n = 0, mean = 0, squares = 0;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (std::isnan(values[row]) || std::isnan(beside[row])) continue;
    const double before = values[row] - mean;
    mean += before / ++n;
    squares += before * (values[row] - mean);
  }
  return n > 0 ? std::sqrt(squares / n) : 0;
}

struct Measured {
  std::size_t from = 0;
  Numbers base;
  std::vector<double> distances;  // by row; NaN where either number is
};

Measured measured_from(const CodedTable& table, std::size_t from, const Numbers& numbers) {
  Measured out{from, numbers_of(table, from), {}};
  for (std::size_t row = 0; row < table.rows; ++row)
    out.distances.push_back(numbers.values[row] - out.base.values[row]);
  return out;
}

bool says_more(const CodedTable& table, const Measured& by, const Numbers& numbers, std::size_t enough) {
  const auto is_there = [&](std::size_t row) { return !std::isnan(by.distances[row]); };
  return people_with(table.people, enough, is_there) >= enough &&
         spread_of(by.distances, by.distances) <= kMostSpread * spread_of(numbers.values, by.distances);
}

// What is left of the numbers' variance where distances are drawn, and the number itself where the other one
// is missing.
double variance_left(const Measured& by, const Numbers& numbers) {
  double beside = 0, alone = 0;
  for (std::size_t row = 0; row < numbers.values.size(); ++row) {
    if (std::isnan(numbers.values[row]) || by.base.unknown[row]) continue;
    ++(std::isnan(by.base.values[row]) ? alone : beside);
  }
  const double of_distances = spread_of(by.distances, by.distances),
               of_numbers = spread_of(numbers.values, numbers.values);
  return (beside * of_distances * of_distances + alone * of_numbers * of_numbers) / (beside + alone);
}

// By which most is told of the column; the first of those that tell as much.
std::optional<Measured> best_measured(const CodedTable& table, std::size_t column,
                                      std::span<const std::size_t> before, const Numbers& numbers,
                                      std::size_t enough) {
  std::optional<Measured> out;
  double least = kInfinity;
  for (const std::size_t from : ordered_against(table, column, before)) {
    if (!has_places_of(table.columns[column], table.columns[from])) continue;
    Measured by = measured_from(table, from, numbers);
    if (!says_more(table, by, numbers, enough)) continue;
    const double left = variance_left(by, numbers);
    if (left < least) least = left, out = std::move(by);
  }
  return out;
}

Column column_of(std::span<const double> values, Kind kind) {
  BitWriter there;
  for (const double value : values) there.push(!std::isnan(value));
  if (kind == Kind::real) {
    std::vector<double> reals(values.begin(), values.end());
    for (double& value : reals) value = std::isnan(value) ? 0 : value;
    return Column::reals(Buffer<double>::from(std::move(reals)), there.validity());
  }
  std::vector<std::int64_t> whole;
  for (const double value : values)
    whole.push_back(std::isnan(value) ? 0 : static_cast<std::int64_t>(std::nearbyint(value)));
  return Column::integers(Buffer<std::int64_t>::from(std::move(whole)), there.validity());
}

}  // namespace

bool may_be_measured(const CodedTable& table, std::size_t column, std::size_t from,
                     std::span<const std::size_t> before) {
  return table.columns[column].form == CodingForm::number &&
         std::ranges::binary_search(ordered_against(table, column, before), from);
}

OwnedCounts present_of(const ColumnCoding& coding, const CodeCounts& counts) {
  OwnedCounts out{{counts.codes.begin(), counts.codes.end()},
                  {counts.cumulative.begin(), counts.cumulative.end()}};
  if (!out.codes.empty() && out.codes.back() >= coding.codes()) {
    out.codes.pop_back();
    out.cumulative.pop_back();
  }
  return out;
}

double OrderDistance::units(const ColumnCoding& own) const {
  return own.grid && coding.grid ? measure_width(coding) / measure_width(own) : 1;
}

OwnedCounts LearntDistance::counts() const {
  std::vector<std::uint32_t> own;
  for (std::size_t row = 0; row < codes.size(); ++row)
    if (open[row] != 0) own.push_back(codes[row]);
  return count_codes(coding, std::move(own));
}

std::optional<LearntDistance> learn_distance(const CodedTable& table, const RowRules& rules,
                                             std::size_t column, std::span<const std::size_t> before,
                                             const CodingOptions& options) {
  const ColumnCoding& own = table.columns[column];
  if (own.form != CodingForm::number || !own.replaced.empty() || rules.combined(column)) return std::nullopt;
  const auto has_column = [&](const std::vector<std::size_t>& group) {
    return std::ranges::find(group, column) != group.end();
  };
  if (std::ranges::any_of(rules.exclusive(), has_column)) return std::nullopt;  // learnt by its group
  const Numbers numbers = numbers_of(table, column);
  const auto by = best_measured(table, column, before, numbers, std::max<std::size_t>(options.rare_below, 1));
  if (!by) return std::nullopt;
  const Numbers& base = by->base;
  const auto is_unknown = [&](std::size_t row) { return base.unknown[row] || numbers.unknown[row]; };
  const auto is_there = [&](std::size_t row) { return !std::isnan(by->distances[row]); };
  LearntDistance out;
  out.from = by->from;
  for (std::size_t row = 0; row < table.rows; ++row) {
    const bool is_open = base.unknown[row] || !std::isnan(base.values[row]);
    out.open.push_back(is_open ? 1 : 0);
    out.coding.missing = out.coding.missing || (!is_there(row) && !is_unknown(row));
  }
  const bool is_real = own.field.kind == Kind::real;
  out.coding.field = {.name = own.field.name, .kind = is_real ? Kind::real : Kind::integer};
  out.coding.form = CodingForm::number;
  const Column measured = column_of(by->distances, out.coding.field.kind);
  const CodingLearner learner{options, table.people, table.schema.subject() == nullptr};
  if (is_real)
    learn_reals(learner, measured, out.coding, out.codes);
  else
    learn_whole(learner, measured, out.coding, out.codes);
  for (std::size_t row = 0; row < table.rows; ++row)
    if (is_unknown(row)) out.codes[row] = out.coding.pooled_code(), out.coding.pooled = true;
  hide_surplus(learner, out.coding, out.codes);
  return out;
}

Distances learn_distances(const CodedTable& table, const RowRules& rules, std::span<const std::size_t> order,
                          const CodingOptions& options) {
  Distances out(table.columns.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    if (const auto learnt = learn_distance(table, rules, order[i], order.first(i), options))
      out[order[i]] = std::make_shared<const DistanceCounts>(DistanceCounts{*learnt, learnt->counts()});
  return out;
}

void put_distances(ModelArrays& file, const Distances& distances) {
  ArrayJson measured = ArrayJson::array();
  CodedTable codings;
  for (std::size_t c = 0; c < distances.size(); ++c) {
    if (!distances[c]) continue;
    measured.push_back({{"column", c}, {"from", distances[c]->from}});
    codings.schema.fields.push_back(distances[c]->coding.field);
    codings.columns.push_back(distances[c]->coding);
    put_counts(file, std::to_string(c) + ".distance", distances[c]->counts);
  }
  if (measured.empty()) return;
  file.about["distances"] = measured;
  put_codings(file, codings, "distances.");
}

Distances get_distances(const ModelArrays& file, const CodedTable& coded,
                        std::span<const std::size_t> order) {
  Distances out(coded.columns.size());
  if (!file.about.contains("distances")) return out;
  const CodedTable codings = get_codings(file, "distances.");
  const auto measured = file.value<ArrayJson>(file.about, "distances");
  file.require(measured.is_array() && measured.size() == codings.columns.size(), "distances of no column");
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const auto column = file.value<std::size_t>(measured[i], "column"),
               from = file.value<std::size_t>(measured[i], "from");
    const ColumnCoding& coding = codings.columns[i];
    const auto at = std::ranges::find(order, column);
    file.require(at != order.end() && coding.form == CodingForm::number, "a distance of no column");
    file.require(may_be_measured(coded, column, from, {order.begin(), at}),
                 "a distance from a column that no rule puts before it");
    OwnedCounts counts = get_counts(file, std::to_string(column) + ".distance", coding);
    file.require(counts.view().total() > 0 && counts.codes.front() < coding.codes(),
                 "distances without a row");
    out[column] = std::make_shared<const DistanceCounts>(DistanceCounts{{from, coding}, std::move(counts)});
  }
  return out;
}

namespace {

std::pair<double, double> distances_of_samples(const OrderDistance& distance) {
  const auto [shortest, longest] = reach_of(distance.coding);
  return {distance.coding.number(shortest), distance.coding.number(longest)};
}

// Only what is known of a row that is imputed may be.
bool is_beyond_samples(const ColumnCoding& coding, double cell) {
  const auto [low, high] = reach_of(coding);
  return cell < low || cell > high;
}

// In numbers: what is at distances that samples have. One that a single person has gives way to another one
// there; else the shortest distances would be lost where it gives way to one beyond.
std::optional<double> cell_of_samples(const ColumnCoding& coding, double number, std::uint32_t bits,
                                      std::pair<double, double> at_distance, bool may_be_beyond) {
  const double cell =
      settled_cell(coding, coding.cell_of_number(number), bits,
                   {coding.cell_of_number(at_distance.first), coding.cell_of_number(at_distance.second)});
  return may_be_beyond || !is_beyond_samples(coding, cell) ? std::optional(cell) : std::nullopt;
}

}  // namespace

std::optional<double> cell_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                       const OrderDistance& distance, double base, double cell_of_distance,
                                       std::uint32_t bits) {
  const double start = columns[distance.from].number(base);
  const auto [shortest, longest] = distances_of_samples(distance);
  return cell_of_samples(columns[column], start + distance.coding.number(cell_of_distance), bits,
                         {start + shortest, start + longest},
                         is_beyond_samples(columns[distance.from], base));
}

std::optional<double> cell_of_entry(const OrderDistance& distance, const RuledCell& ruled,
                                    std::uint32_t code) {
  auto [low, high] = reach_of(distance.coding);
  if (distance.coding.grid) low = std::ceil(low), high = std::floor(high);
  const double drawn = std::clamp(distance.coding.values[code], std::min(low, high), std::max(low, high));
  return cell_at_distance(ruled.columns, ruled.column, distance, ruled.row.cells[distance.from], drawn, 0);
}

double present_distance(const OrderDistance& distance, const CodeCounts& counts, PhiloxBlock block) {
  const auto end = std::ranges::lower_bound(counts.codes, distance.coding.codes()) - counts.codes.begin();
  const double present = end == 0 ? 0.0 : counts.cumulative[static_cast<std::size_t>(end - 1)];
  block[0] = static_cast<std::uint32_t>(block[0] * (present / counts.total()));
  return draw_cell(distance.coding, counts, block);
}

std::optional<double> base_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                       const OrderDistance& distance, double cell, double cell_of_distance,
                                       std::uint32_t bits) {
  const double end = columns[column].number(cell);
  const auto [shortest, longest] = distances_of_samples(distance);
  return cell_of_samples(columns[distance.from], end - distance.coding.number(cell_of_distance), bits,
                         {end - longest, end - shortest}, is_beyond_samples(columns[column], cell));
}

std::optional<double> draw_at_distance(const OrderDistance& distance, std::span<const CodeCounts> counts,
                                       const RuledCell& ruled, const Random& random,
                                       std::uint64_t number_of_row) {
  std::optional<double> out;
  for (std::size_t level = 0; !out && level < counts.size(); ++level) {
    OwnedCounts present;
    const auto draw = [&](std::uint64_t i, const PhiloxBlock& block) -> std::optional<double> {
      if (i > 0 && present.codes.empty()) present = present_of(distance.coding, counts[level]);
      if (i > 0 && present.codes.empty()) return std::nullopt;
      return draw_cell(distance.coding, i == 0 ? counts[level] : present.view(), block);
    };
    // Whether it is missing, the first counts have said.
    out = draw_at_distance(distance, ruled, level == 0 ? random : random.stream(level), number_of_row, draw,
                           level == 0 ? 0 : 1);
  }
  if (!out && !counts.empty())
    out = admitted_at_distance(distance, ruled, counts.back(), random, number_of_row);
  return out ? out : end_at_distance(distance, ruled);
}

OwnedCounts admitted_of(const OrderDistance& distance, const RuledCell& ruled, const CodeCounts& counts) {
  OwnedCounts out;
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    if (counts.codes[i] >= distance.coding.codes()) continue;
    const auto there = cell_of_entry(distance, ruled, counts.codes[i]);
    if (!there || !ruled.admits(*there)) continue;
    out.codes.push_back(counts.codes[i]);
    out.cumulative.push_back(total += counts.rows_of(i));
  }
  return out;
}

std::optional<double> admitted_at_distance(const OrderDistance& distance, const RuledCell& ruled,
                                           const CodeCounts& counts, const Random& random,
                                           std::uint64_t number_of_row) {
  const OwnedCounts left = admitted_of(distance, ruled, counts);
  if (left.codes.empty()) return std::nullopt;
  const auto draw = [&](std::uint64_t, const PhiloxBlock& block) {
    return std::optional(draw_cell(distance.coding, left.view(), block));
  };
  return draw_at_distance(distance, ruled, random.stream(kAdmittedStream), number_of_row, draw);
}

std::optional<double> end_at_distance(const OrderDistance& distance, const RuledCell& ruled) {
  const ColumnCoding &own = ruled.columns[ruled.column], &other = ruled.columns[distance.from];
  const double base = ruled.row.cells[distance.from];
  if (is_beyond_samples(other, base)) return std::nullopt;  // then they go beyond too
  const double start = other.number(base);
  const auto [shortest, longest] = distances_of_samples(distance);
  auto [low, high] = reach_of(own);
  if (own.grid) low = std::ceil(low), high = std::floor(high);
  if (const auto left = ruled.rules.range(ruled.column, ruled.row, ruled.columns))
    low = std::max(low, left->first), high = std::min(high, left->second);
  const double from = own.cell_of_number(start + shortest), to = own.cell_of_number(start + longest);
  if (from >= low && to <= high) return std::nullopt;
  const double end = from < low ? low : high, settled = settled_cell(own, end, 0);
  if (ruled.admits(settled)) return settled;
  return ruled.admits(end) ? std::optional(end) : std::nullopt;
}

std::vector<EntryDensity> densities_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                                const OrderDistance& distance, double base,
                                                const CodeCounts& counts, double cell) {
  const ColumnCoding& own = columns[column];
  const double start = columns[distance.from].number(base);
  const auto [shortest, longest] = distances_of_samples(distance);
  const bool may_be_beyond = is_beyond_samples(columns[distance.from], base);
  std::vector<EntryDensity> out, there;
  // What would come to the place, as far as it comes to the cell; whether any does. Off a grid it always
  // does, as for other numbers: what is moved there is moved by next to nothing.
  const auto add = [&](double place) {
    double share = 0;
    for (const std::uint32_t side : {0U, 1U})
      if (!own.grid || cell_of_samples(own, own.number(place), side, {start + shortest, start + longest},
                                       may_be_beyond) == cell)
        share += 0.5;
    if (share == 0) return false;
    entry_densities(distance.coding, counts, distance.cell_of(columns, column, place, base), there);
    for (const EntryDensity& one : there) {
      const double density = one.density * share * distance.units(own);
      const auto known = std::ranges::find(out, one.entry, &EntryDensity::entry);
      if (known == out.end())
        out.push_back({one.entry, density});
      else
        known->density += density;
    }
    return true;
  };
  add(cell);
  if (!own.grid) return out;
  // A run of places beside it, and what a few people have beyond the samples.
  for (const double unit : {-1.0, 1.0})
    for (double place = cell + unit; !is_beyond_samples(own, place) && add(place);) place += unit;
  const auto [low, high] = reach_of(own);
  for (std::size_t i = 0; i < own.values.size() && own.values[i] < low; ++i)
    if (own.values[i] != cell) add(own.values[i]);
  for (std::size_t i = own.values.size(); i > 0 && own.values[i - 1] > high; --i)
    if (own.values[i - 1] != cell) add(own.values[i - 1]);
  return out;
}

DistanceShares shares_of_distances(const OrderDistance& distance, const CodeCounts& counts,
                                   const RuledCell& ruled, double cell) {
  const double base = ruled.row.cells[distance.from];
  DistanceShares out;
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    const double share =
        static_cast<double>(counts.cumulative[i] - (i == 0 ? 0U : counts.cumulative[i - 1])) / counts.total();
    if (counts.codes[i] >= distance.coding.codes()) {
      out.missing += share;
      continue;
    }
    const auto there = cell_of_entry(distance, ruled, counts.codes[i]);
    (there && ruled.admits(*there) ? out.taken : out.refused) += share;
  }
  if (std::isnan(cell)) return out;
  out.end = end_at_distance(distance, ruled);
  for (const EntryDensity& one :
       densities_at_distance(ruled.columns, ruled.column, distance, base, counts, cell))
    out.density += one.density * counts.rows_of(one.entry) / counts.total();
  return out;
}

namespace {

// `shares_of(level)` are those of the first, and then of the next counts, of which there are `levels`.
template <class Shares>
double log_density_of(const Shares& shares_of, std::size_t levels, std::span<const CodeCounts> own,
                      const RuledCell& ruled, double cell) {
  constexpr double kHardly = 1e-9;  // what comes after this is not worth the time
  const auto [missing, taken, refused, density, end] = shares_of(0);
  if (std::isinf(cell) || !ruled.admits(cell)) return kNever;
  const bool may_miss = ruled.admits(kMissing);
  if (std::isnan(cell)) return taken + refused > 0 ? std::log(missing) : 0.0;
  const double present = may_miss ? std::log1p(-missing) : 0.0;
  if (ruled.determined()) return present - std::log(measure_width(ruled.columns[ruled.column]));
  // All draws are refused; of the last counts one that is not is then taken, if it comes: the farthest of few
  // people may not.
  const double once = taken + refused > 0 ? refused / (taken + refused) : 1;
  double never = std::pow(once, kDistanceDraws + 1);
  if (!may_miss) never += missing * (std::pow(once, kDistanceDraws) - never);
  if (levels == 1 && taken > 0 && density > 0) never = 0;
  double out = taken > 0 ? (1 - never) * density / taken : 0;
  for (std::size_t level = 1; level < levels && never > kHardly; ++level) {
    const DistanceShares shares = shares_of(level);
    const double all = shares.taken + shares.refused;
    const bool is_last = level + 1 == levels && shares.taken > 0 && shares.density > 0;
    const double left = is_last ? 0 : all > 0 ? std::pow(shares.refused / all, kDistanceDraws) : 1;
    if (shares.taken > 0) out += never * (1 - left) * shares.density / shares.taken;
    never *= left;
  }
  const auto left = [&] {
    if (!end) return ruled.density_redrawn(own, cell);
    return cell == *end ? 1 / measure_width(ruled.columns[ruled.column]) : 0.0;
  };
  if (never > 0) out += never * left();
  return std::log(out) + present;
}

}  // namespace

double log_density_at_distance(const OrderDistance& distance, std::span<const CodeCounts> counts,
                               std::span<const CodeCounts> own, const RuledCell& ruled, double cell) {
  const auto shares_of = [&](std::size_t level) {
    return shares_of_distances(distance, counts[level], ruled, cell);
  };
  return log_density_of(shares_of, counts.size(), own, ruled, cell);
}

double log_density_at_distance(const DistanceShares& shares, std::span<const CodeCounts> own,
                               const RuledCell& ruled, double cell) {
  return log_density_of([&](std::size_t) { return shares; }, 1, own, ruled, cell);
}

}  // namespace synthema::detail
