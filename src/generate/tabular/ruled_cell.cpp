#include "src/generate/tabular/ruled_cell.hpp"

#include <algorithm>
#include <cmath>

#include "src/generate/tabular/model_arrays.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint64_t kDraws = 8;

double cell_of(const ColumnCoding& coding, std::uint32_t code) {
  if (code >= coding.codes()) return kMissing;
  return coding.is_category() ? static_cast<double>(code) : coding.values[code];
}

double drawn_as_it_is(const ColumnCoding& coding, const CodeCounts& from, std::uint32_t bits) {
  if (from.total() == 0) return kMissing;
  const auto place = static_cast<std::uint32_t>(std::uint64_t{bits} * from.total() >> 32);
  const auto at = std::ranges::upper_bound(from.cumulative, place) - from.cumulative.begin();
  return cell_of(coding, from.codes[static_cast<std::size_t>(at)]);
}

// Of exactly this number, or of missing, among the counts.
double share_of_listed(const ColumnCoding& coding, const CodeCounts& counts, double cell) {
  const auto entry = listed_entry(coding, counts, cell);
  if (!entry) return 0;
  const std::uint32_t before = *entry == 0 ? 0 : counts.cumulative[*entry - 1];
  return static_cast<double>(counts.cumulative[*entry] - before) / counts.total();
}

}  // namespace

bool RuledCell::admits(double cell) const {
  if (whole && std::isnan(cell)) return false;
  return !rules.touches(column) || rules.admits(column, cell, row, columns);
}

bool RuledCell::is_listed() const {
  const ColumnCoding& coding = columns[column];
  return rules.combined(column) && !coding.is_category() && !coding.interval;
}

double RuledCell::draw_freely(const CodeCounts& from, const PhiloxBlock& random) const {
  const ColumnCoding& coding = columns[column];
  return is_listed() ? drawn_as_it_is(coding, from, random[0]) : draw_cell(coding, from, random);
}

OwnedCounts RuledCell::left_of(const CodeCounts& from) const {
  return left_of(from, false);
}

OwnedCounts RuledCell::redrawn_of(const CodeCounts& from) const {
  return left_of(from, !mixing && !rules.combined(column));
}

OwnedCounts RuledCell::left_of(const CodeCounts& from, bool present) const {
  const ColumnCoding& coding = columns[column];
  OwnedCounts out;
  std::uint32_t before = 0, total = 0;
  for (std::size_t i = 0; i < from.codes.size(); ++i) {
    const std::uint32_t code = from.codes[i], rows = from.cumulative[i] - before;
    before = from.cumulative[i];
    if (rows == 0 || (present && code >= coding.codes()) || !admits(cell_of(coding, code))) continue;
    out.codes.push_back(code);
    out.cumulative.push_back(total += rows);
  }
  return out;
}

std::optional<double> RuledCell::draw(std::span<const CodeCounts> from, double free, const Random& random,
                                      std::uint64_t number_of_row) const {
  const ColumnCoding& coding = columns[column];
  const auto range = rules.range(column, row, columns);
  if (range && range->first == range->second && admits(range->first)) return range->first;
  for (const CodeCounts& counts : from) {
    const OwnedCounts left = redrawn_of(counts);
    if (left.codes.empty()) continue;
    if (rules.combined(column)) {
      // Listed, or many people's: as they are.
      return drawn_as_it_is(coding, left.view(),
                            random.block(number_of_row, column + (std::uint64_t{1} << 32))[0]);
    }
    // Numbers between two that are allowed may still be refused; a frequent one is drawn as it is.
    for (std::uint64_t i = 1; i <= kDraws; ++i) {
      const double cell = draw_cell(coding, left.view(), random.block(number_of_row, column + (i << 32)));
      if (admits(cell)) return cell;
    }
  }
  if (range) {
    const double nearest = std::clamp(std::isnan(free) ? range->first : free, range->first, range->second);
    if (admits(nearest)) return nearest;
    for (const double next : {nearest + 1, nearest - 1})
      if (forced && coding.grid && admits(next)) return next;
  }
  if (forced) return kMissing;
  return coding.missing && admits(kMissing) ? std::optional(kMissing) : std::nullopt;
}

std::optional<double> RuledCell::determined() const {
  if (!rules.touches(column)) return std::nullopt;
  const auto range = rules.range(column, row, columns);
  return range && range->first == range->second && admits(range->first) ? std::optional(range->first)
                                                                        : std::nullopt;
}

double RuledCell::share_left(const CodeCounts& from, std::size_t most, std::uint32_t first,
                             std::uint32_t last) const {
  if (from.total() == 0) return 0;
  const ColumnCoding& coding = columns[column];
  const auto entry_of = [&](std::uint64_t code) {
    return static_cast<std::size_t>(std::ranges::lower_bound(from.codes, code) - from.codes.begin());
  };
  const auto before = [&](std::size_t entry) { return entry == 0 ? 0U : from.cumulative[entry - 1]; };
  const std::size_t values = entry_of(coding.codes());
  double rows = 0;
  std::size_t begin = entry_of(first), end = entry_of(last);
  for (std::size_t entry = std::max(values, begin); entry < end; ++entry)
    if (admits(kMissing)) rows += from.cumulative[entry] - before(entry);
  end = std::min(values, end);
  if (!coding.is_category()) {
    // One more on each side: the ends of a range are rounded.
    const auto range = rules.range(column, row, columns);
    if (!range) return rows / from.total();
    const auto low = std::ranges::lower_bound(coding.values, range->first) - coding.values.begin(),
               high = std::ranges::upper_bound(coding.values, range->second) - coding.values.begin();
    begin = std::max(begin, entry_of(static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(low - 1, 0))));
    end = std::min(end, entry_of(static_cast<std::uint64_t>(high + 1)));
  }
  const auto left = [&](std::size_t entry) {
    const std::uint32_t code = from.codes[entry];
    return admits(coding.is_category() ? static_cast<double>(code) : coding.values[code]);
  };
  if (begin >= end) return rows / from.total();
  if (coding.is_category() || end - begin <= most) {
    for (std::size_t entry = begin; entry < end; ++entry)
      if (left(entry)) rows += from.cumulative[entry] - before(entry);
    return rows / from.total();
  }
  const std::uint64_t all = from.cumulative[end - 1] - before(begin);
  std::size_t found = 0;
  for (std::size_t i = 0; i < most; ++i) {
    const auto place = static_cast<std::uint32_t>(before(begin) + (2 * i + 1) * all / (2 * most));
    found += left(
        static_cast<std::size_t>(std::ranges::upper_bound(from.cumulative, place) - from.cumulative.begin()));
  }
  rows += static_cast<double>(all) * static_cast<double>(found) / static_cast<double>(most);
  return rows / from.total();
}

double RuledCell::log_density(std::span<const CodeCounts> from, double cell) const {
  const ColumnCoding& coding = columns[column];
  const double free = synthema::log_density(coding, from.front(), cell);
  if (!rules.touches(column) || std::isinf(cell)) return free;
  if (!admits(cell)) return kNever;
  const auto range = rules.range(column, row, columns);
  if (range && range->first == range->second) {  // determined, or missing as often as ever
    const double missing = std::exp(synthema::log_density(coding, from.front(), kMissing));
    return std::isnan(cell) ? std::log(missing) : std::log1p(-missing) - std::log(measure_width(coding));
  }
  if (is_listed())
    for (const CodeCounts& counts : from)
      if (const OwnedCounts left = left_of(counts); !left.codes.empty())
        return std::log(share_of_listed(coding, left.view(), cell)) -
               (std::isnan(cell) ? 0.0 : std::log(measure_width(coding)));
  const CodeCounts& first = from.front();
  double left = first.total() > 0 ? static_cast<double>(left_of(first).view().total()) / first.total() : 0;
  if (!is_reached()) left = admits(kMissing) ? std::exp(synthema::log_density(coding, first, kMissing)) : 0;
  const double refused = 1 - left;
  return std::log(std::exp(free) + refused * density_redrawn(from, cell));
}

bool RuledCell::is_reached() const {
  const ColumnCoding& coding = columns[column];
  if (coding.is_category() || coding.values.empty() || rules.combined(column)) return true;
  const auto range = rules.range(column, row, columns);
  if (!range) return true;
  const auto [low, high] = reach_of(coding);
  return range->first <= high && range->second >= low;
}

double RuledCell::density_redrawn(std::span<const CodeCounts> from, double cell) const {
  const ColumnCoding& coding = columns[column];
  const auto range = rules.range(column, row, columns);
  if (is_reached())
    for (const CodeCounts& counts : from)
      if (const OwnedCounts left = redrawn_of(counts); !left.codes.empty())
        return std::exp(synthema::log_density(coding, left.view(), cell));
  // An end of the range, or missing where there is none.
  if (!range) return std::isnan(cell) && coding.missing ? 1 : 0;
  return cell == range->first || cell == range->second ? 1 / measure_width(coding) : 0;
}

std::optional<std::size_t> listed_entry(const ColumnCoding& coding, const CodeCounts& counts, double cell) {
  if (std::isnan(cell)) {
    const bool misses = !counts.codes.empty() && counts.codes.back() >= coding.codes();
    return misses ? std::optional(counts.codes.size() - 1) : std::nullopt;
  }
  const auto at = std::ranges::lower_bound(counts.codes, cell, {}, [&](std::uint32_t code) {
    return code < coding.codes() ? coding.values[code] : -kNever;
  });
  if (at == counts.codes.end() || *at >= coding.codes() || coding.values[*at] != cell) return std::nullopt;
  return static_cast<std::size_t>(at - counts.codes.begin());
}

void fail_row(const ColumnCoding& stuck, std::uint64_t row) {
  throw GenerationError(
      {.field = stuck.field.name},
      message("Row ", row, " was drawn ", kMostAttempts,
              " times, and each time the rules of the schema and the conditions left no value for this "
              "column; they contradict each other, or the real table has no such rows."));
}

std::vector<std::size_t> modelled_order(const RowRules& rules, std::span<const ColumnCoding> columns) {
  std::vector<std::size_t> out;
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c].modelled()) out.push_back(c);
  return rules.ordered(out);
}

std::string key_of_row(std::span<const std::size_t> key, const std::vector<std::vector<double>>& cells,
                       std::size_t row) {
  std::string out;
  for (const std::size_t column : key) {
    const double cell = std::isnan(cells[column][row]) ? -1 : cells[column][row] + 0.0;
    out.append(reinterpret_cast<const char*>(&cell), sizeof cell);
  }
  return out;
}

void fail_key(std::span<const std::size_t> key, std::span<const ColumnCoding> columns, std::size_t row) {
  std::string names;
  for (const std::size_t column : key)
    names += (names.empty() ? "'" : ", '") + columns[column].field.name + "'";
  throw GenerationError(
      {.field = columns[key.front()].field.name},
      message("Row ", row, " was drawn 1000 times, and each time an earlier row had its key ", names,
              "; ask for fewer rows, or add a column to the key."));
}

namespace {

std::string asked_of(const ColumnCoding& coding, double cell) {
  const std::string name = "'" + coding.field.name + "' is ";
  return coding.is_category() ? name + "'" + coding.labels[static_cast<std::size_t>(cell)] + "'"
                              : name + "what the condition asks for";
}

// What the cell of a condition cannot stand beside: another one, several together, or none.
std::string contradiction(std::size_t column, const KnownCells& row, const RowRules& rules,
                          std::span<const ColumnCoding> columns) {
  std::vector<std::uint8_t> known(columns.size());
  known[column] = 1;
  const auto stands = [&] { return rules.admits(column, row.cells[column], {row.cells, known}, columns); };
  if (!stands()) return "its range, labels or groups leave no such value.";
  std::string names;
  for (const std::size_t other : rules.bound_to(column)) {
    if (!row.known[other] || other == column) continue;
    known[other] = 1;
    if (!stands())
      return message("its rules or groups let no row be so that ",
                     asked_of(columns[column], row.cells[column]), " and ",
                     asked_of(columns[other], row.cells[other]), ".");
    known[other] = 0;
    names += (names.empty() ? "'" : ", '") + columns[other].field.name + "'";
  }
  return message("its rules or groups bind the column to ", names,
                 ", and leave no such value beside theirs.");
}

}  // namespace

void refuse_contradictions(const RowRules& rules, std::span<const ColumnCoding> columns,
                           const CellConditions& conditions) {
  std::vector<double> cells(columns.size());
  std::vector<std::uint8_t> known(columns.size());
  for (std::size_t i = 0; i < conditions.rows(); ++i) {
    conditions.row(i, cells);
    for (std::size_t c = 0; c < columns.size(); ++c) known[c] = std::isnan(cells[c]) ? 0 : 1;
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (known[c] && rules.touches(c) && !rules.admits(c, cells[c], {cells, known}, columns))
        throw GenerationError({.field = columns[c].field.name},
                              message("Condition ", i, " contradicts the schema: ",
                                      contradiction(c, {cells, known}, rules, columns)));
  }
}

RowRules loaded_rules(const ModelArrays& file, const CodedTable& coded) {
  try {
    return RowRules(coded.schema, coded.columns);
  } catch (const GenerationError&) {
    file.fail("The schema of the model leaves nothing to draw.");
  }
}

}  // namespace synthema::detail
