#include "src/generate/tabular/ruled_cell.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/generate/tabular/model_arrays.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint64_t kDraws = 8;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kNever = -std::numeric_limits<double>::infinity();

}  // namespace

bool RuledCell::admits(double cell) const {
  if (whole && std::isnan(cell)) return false;
  return !rules.touches(column) || rules.admits(column, cell, row, columns);
}

OwnedCounts RuledCell::left_of(const CodeCounts& from) const {
  const ColumnCoding& coding = columns[column];
  OwnedCounts out;
  std::uint32_t before = 0, total = 0;
  for (std::size_t i = 0; i < from.codes.size(); ++i) {
    const std::uint32_t code = from.codes[i], rows = from.cumulative[i] - before;
    before = from.cumulative[i];
    const double cell = code >= coding.codes() ? kMissing
                        : coding.is_category() ? static_cast<double>(code)
                                               : coding.values[code];
    if (rows == 0 || !admits(cell)) continue;
    out.codes.push_back(code);
    out.cumulative.push_back(total += rows);
  }
  return out;
}

std::optional<double> RuledCell::draw(std::span<const CodeCounts> from, double free, const Random& random,
                                      std::uint64_t number_of_row) const {
  const ColumnCoding& coding = columns[column];
  for (const CodeCounts& counts : from) {
    const OwnedCounts left = left_of(counts);
    if (left.codes.empty()) continue;
    // Numbers between two that are allowed may still be refused; a frequent one is drawn as it is.
    for (std::uint64_t i = 1; i <= kDraws; ++i) {
      const double cell = draw_cell(coding, left.view(), random.block(number_of_row, column + (i << 32)));
      if (admits(cell)) return cell;
    }
  }
  if (const auto range = rules.range(column, row, columns)) {
    const double nearest = std::clamp(std::isnan(free) ? range->first : free, range->first, range->second);
    if (admits(nearest)) return nearest;
  }
  return coding.missing && admits(kMissing) ? std::optional(kMissing) : std::nullopt;
}

double RuledCell::log_density(std::span<const CodeCounts> from, double cell) const {
  const ColumnCoding& coding = columns[column];
  const double free = synthema::log_density(coding, from.front(), cell);
  if (!rules.touches(column) || std::isinf(cell)) return free;
  if (!admits(cell)) return kNever;
  double refused = 1;
  for (const CodeCounts& counts : from) {
    const OwnedCounts left = left_of(counts);
    if (&counts == from.data() && counts.total() > 0)
      refused = 1 - static_cast<double>(left.view().total()) / counts.total();
    if (left.codes.empty()) continue;
    return std::log(std::exp(free) + refused * std::exp(synthema::log_density(coding, left.view(), cell)));
  }
  // An end of the range, or missing where there is none.
  const auto range = rules.range(column, row, columns);
  const bool forced = range ? cell == range->first || cell == range->second : std::isnan(cell);
  return forced ? -std::log(measure_width(coding)) : free;
}

void fail_row(const ColumnCoding& stuck, std::uint64_t row) {
  throw GenerationError(
      {.field = stuck.field.name},
      message("Row ", row, " was drawn ", kMostAttempts,
              " times, and each time the rules of the schema and the conditions left no value for this "
              "column; they contradict each other, or the real table has no such rows."));
}

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
                              message("Condition ", i, " contradicts the ranges or rules of the schema."));
  }
}

RowRules loaded_rules(const ModelArrays& file, const CodedTable& coded,
                      std::vector<Combinations> combinations) {
  try {
    return RowRules(coded.schema, coded.columns, std::move(combinations));
  } catch (const GenerationError&) {
    file.fail("The schema of the model leaves nothing to draw.");
  }
}

}  // namespace synthema::detail
