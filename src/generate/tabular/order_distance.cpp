#include "src/generate/tabular/order_distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>

#include "src/data/bits.hpp"
#include "src/generate/tabular/coded_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostSpread = 0.5;  // of the distances, against the column's own

// The first column that a rule without conditions orders this one against, of the same kind.
std::optional<std::size_t> measured_from(const CodedTable& table, std::size_t column) {
  const Field& field = table.schema.fields[column];
  for (const FieldRule& rule : table.schema.rules) {
    if (rule.field != field.name || rule.relation.empty() || rule.lowest || rule.highest ||
        !rule.labels.empty())
      continue;
    const auto from = static_cast<std::size_t>(&table.schema.at(rule.given) - table.schema.fields.data());
    const ColumnCoding& base = table.columns[from];
    if (base.form == CodingForm::number && base.field.kind == field.kind) return from;
  }
  return std::nullopt;
}

std::vector<double> numbers_of(const CodedTable& table, std::size_t column) {
  const ColumnCoding& coding = table.columns[column];
  std::vector<double> out;
  out.reserve(table.codes[column].size());
  for (const std::uint32_t code : table.codes[column])
    out.push_back(code < coding.codes() ? coding.number(coding.values[code]) : kMissing);
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

std::optional<OrderDistance> learn_distance(const CodedTable& table, const RowRules& rules,
                                            std::size_t column, const CodingOptions& options,
                                            std::vector<std::uint32_t>& codes) {
  const ColumnCoding& own = table.columns[column];
  if (own.form != CodingForm::number || !own.replaced.empty() || rules.combined(column)) return std::nullopt;
  const auto from = measured_from(table, column);
  if (!from) return std::nullopt;
  const std::vector<double> base = numbers_of(table, *from), numbers = numbers_of(table, column);
  std::vector<double> distances(numbers.size());
  for (std::size_t row = 0; row < numbers.size(); ++row) distances[row] = numbers[row] - base[row];
  const auto is_there = [&](std::size_t row) { return !std::isnan(distances[row]); };
  const std::size_t enough = std::max<std::size_t>(options.rare_below, 1);
  if (people_with(table.people, enough, is_there) < enough ||
      spread_of(distances, distances) > kMostSpread * spread_of(numbers, distances))
    return std::nullopt;
  OrderDistance out;
  out.from = *from;
  const bool is_real = own.field.kind == Kind::real;
  out.coding.field = {.name = own.field.name, .kind = is_real ? Kind::real : Kind::integer};
  out.coding.form = CodingForm::number;
  const Column measured = column_of(distances, out.coding.field.kind);
  out.coding.missing = measured.null_count() > 0;
  const CodingLearner learner{options, table.people, table.schema.subject() == nullptr};
  if (is_real)
    learn_reals(learner, measured, out.coding, codes);
  else
    learn_whole(learner, measured, out.coding, codes);
  return out;
}

std::optional<double> cell_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                       const OrderDistance& distance, double base, double cell_of_distance,
                                       std::uint32_t bits) {
  const ColumnCoding& coding = columns[column];
  const double number = columns[distance.from].number(base) + distance.coding.number(cell_of_distance);
  const double cell = settled_cell(coding, coding.cell_of_number(number), bits);
  const auto [low, high] = reach_of(coding);
  return cell >= low && cell <= high ? std::optional(cell) : std::nullopt;
}

}  // namespace synthema::detail
