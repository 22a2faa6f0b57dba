#include "synthema/generate/tabular/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "src/generate/tabular/column_zone.hpp"
#include "src/generate/tabular/written_labels.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

constexpr double kFree = std::numeric_limits<double>::quiet_NaN();

// Codes of labels; built once a column.
class LabelCodes {
 public:
  explicit LabelCodes(const ColumnCoding& coding) {
    for (std::size_t i = 0; i < coding.labels.size(); ++i) codes_.emplace(coding.labels[i], i);
  }
  double find(std::string_view label) const {
    const auto at = codes_.find(label);
    return at == codes_.end() ? kFree : static_cast<double>(at->second);
  }

 private:
  std::unordered_map<std::string_view, std::size_t> codes_;
};

double cell_of_label(const ColumnCoding& coding, const LabelCodes& codes, const std::string& label) {
  const double code = codes.find(label);
  if (!std::isnan(code)) return code;
  if (coding.field.kind == Kind::boolean) {
    if (const auto truth = detail::truth_of(label)) return codes.find(*truth ? "true" : "false");
    throw GenerationError({.field = coding.field.name},
                          "The column is boolean; a condition on it is true or false, or 1 or 0.");
  }
  throw GenerationError(
      {.field = coding.field.name},
      message("A condition asks for '", label,
              "', which the training table did not have, or too few people to hand it on."));
}

// As text, where that is how labels are given.
std::string label_at(const Column& column, std::size_t row) {
  if (column.kind() == Kind::text || column.kind() == Kind::category) return std::string(column.text_at(row));
  if (column.kind() == Kind::boolean) return column.boolean_at(row) ? "true" : "false";
  return detail::label_of(column.value_at(row));
}

// A number as people write it: a date, or a time, in place of microseconds.
std::string written(const ColumnCoding& coding, double v) {
  if (coding.field.kind == Kind::time && std::abs(v) < 0x1p62) {
    std::string out = to_iso8601({static_cast<std::int64_t>(v)}, !coding.zone.empty());
    if (const std::size_t at = out.find("T00:00:00"); at != std::string::npos && at + 10 >= out.size())
      out.resize(at);
    return out;
  }
  if (coding.field.kind == Kind::integer && v == std::nearbyint(v) && std::abs(v) < 0x1p53)
    return std::to_string(static_cast<std::int64_t>(v));
  return Value(v).display();
}

// From the lowest to the highest number that a sample can show. A single person's extreme lies outside, so
// that asking for one number after the other does not find it.
bool may_be_shown(const ColumnCoding& coding, double x) {
  const std::size_t n = coding.values.size();
  if (n == 0) return false;
  const auto single = [&](std::size_t code) {
    return code < coding.protection.size() && coding.protection[code] == Protection::single;
  };
  double low = coding.values.front(), high = coding.values.back();
  bool with_low = !single(0), with_high = !single(n - 1);
  if (coding.low_tail > 0) low = coding.lowest, with_low = true;
  if (coding.high_tail < n) high = coding.highest, with_high = true;
  if (coding.is_replaced(0)) {  // the nearest frequent one stands in
    low = coding.values[static_cast<std::size_t>(std::ranges::find(coding.replaced, 0) -
                                                 coding.replaced.begin())];
    with_low = true;
  }
  if (coding.is_replaced(n - 1)) {
    std::size_t code = n - 1;
    while (code > 0 && coding.is_replaced(code)) --code;
    high = coding.values[code];
    with_high = true;
  }
  return (with_low ? x >= low : x > low) && (with_high ? x <= high : x < high);
}

using Sums = std::optional<std::pair<double, double>>;  // what a total may be

bool lies_within(const Sums& sums, double v) {
  const double slack = sums ? 1e-9 * (std::abs(sums->first) + std::abs(sums->second)) : 0;
  return sums && v >= sums->first - slack && v <= sums->second + slack;
}

double cell_of_number(const ColumnCoding& coding, const Sums& sums, double v) {
  const double x = coding.cell_of_number(v);
  if (!may_be_shown(coding, x) && !lies_within(sums, v))
    throw GenerationError(
        {.field = coding.field.name},
        message(
            "A condition asks for ", written(coding, v),
            ", which lies outside of what samples have; ends that only a few people of the training table "
            "reach are not handed on."));
  if (coding.grid && x != std::nearbyint(x))
    throw GenerationError({.field = coding.field.name},
                          message("A condition asks for ", written(coding, v),
                                  ", but the values of the column are coarser; the nearest one is ",
                                  written(coding, coding.number(std::nearbyint(x))), "."));
  return x;
}

[[noreturn]] void refuse_zone(const ColumnCoding& coding) {
  throw GenerationError(
      {.field = coding.field.name},
      "A condition is a time with a zone, but the generator was fitted to times without; give "
      "a clock time.");
}

double cell_of(const ColumnCoding& coding, const LabelCodes& codes, const Sums& sums, const Column& column,
               std::size_t row) {
  const bool textual = coding.field.kind == Kind::text || coding.field.kind == Kind::category;
  if (textual ? column.is_null(row) : detail::stands_for_missing(column, row)) return kFree;
  const Kind kind = column.kind();
  if (coding.is_category()) return cell_of_label(coding, codes, label_at(column, row));
  const bool time = coding.field.kind == Kind::time;
  if (time && kind == Kind::text) {
    const auto parsed = parse_iso8601(column.text_at(row));
    if (parsed && parsed->zoned && coding.zone.empty()) refuse_zone(coding);
    if (parsed) return cell_of_number(coding, sums, static_cast<double>(parsed->time.microseconds));
  } else if (time ? kind == Kind::time : kind == Kind::real || kind == Kind::integer) {
    return cell_of_number(coding, sums, column.number_at(row));
  }
  throw GenerationError({.field = coding.field.name},
                        message("A condition is of kind ", name_of(kind), ", but the column is of kind ",
                                name_of(coding.field.kind), "."));
}

// Beyond it, totals and distances of whole numbers would not be whole numbers.
constexpr double kFarthestKnown = 0x1p58;

// The label where it is one that was learnt, and any number: rules hold beside one that samples do not reach,
// and beside that others are as beside the end of the column. Free otherwise.
double known_cell(const ColumnCoding& coding, const LabelCodes& codes, const Column& column,
                  std::size_t row) {
  if (column.is_null(row)) return kFree;
  if (coding.is_category()) return codes.find(label_at(column, row));
  const double x = coding.cell_of_number(column.number_at(row));
  return std::abs(column.number_at(row)) <= kFarthestKnown ? x : kFree;
}

}  // namespace

bool has_conditions(const Table* conditions) {
  if (!conditions || conditions->columns() == 0) return false;
  if (conditions->rows() == 0)
    throw ConfigError(
        {.field = "conditions"},
        "The table of conditions has no rows; give it the rows to agree with, or leave it out.");
  return true;
}

CellConditions::CellConditions(const Table* conditions, std::span<const ColumnCoding> columns,
                               const RowRules& rules, std::string_view generator, bool lenient) {
  const bool has = lenient ? conditions->rows() > 0 : has_conditions(conditions);
  if (!has) return;
  rows_ = conditions->rows();
  for (std::size_t i = 0; i < conditions->columns(); ++i) {
    const std::string& name = conditions->schema().fields[i].name;
    const auto at = std::ranges::find(columns, name, [](const ColumnCoding& c) { return c.field.name; });
    if (at == columns.end())
      throw GenerationError({.field = name}, message("There is a condition on this column, but ", generator,
                                                     " was fitted to a table without it."));
    if (conditions->column(i).null_count() == rows_) continue;
    if (!at->modelled() && lenient) continue;
    if (!at->modelled())
      throw GenerationError(
          {.field = name},
          at->form == CodingForm::fresh
              ? "The column is drawn afresh for every row and cannot be fixed."
              : "Samples have no value of the column, so there is nothing that could be asked for: the "
                "training table had none, only few people's, or none that could be told under its privacy "
                "budget. Leave the column out of the conditions.");
    if (!lenient && at->zone.empty() && !detail::has_zone_of(*at, conditions->column(i))) refuse_zone(*at);
    columns_.push_back(static_cast<std::size_t>(at - columns.begin()));
    const LabelCodes codes(*at);
    const Sums sums = rules.sums_of_parts(columns_.back(), columns);
    std::vector<double>& cells = cells_.emplace_back();
    for (std::size_t row = 0; row < rows_; ++row)
      cells.push_back(lenient ? known_cell(*at, codes, conditions->column(i), row)
                              : cell_of(*at, codes, sums, conditions->column(i), row));
  }
}

void CellConditions::row(std::uint64_t row, std::span<double> cells) const {
  std::fill(cells.begin(), cells.end(), kFree);
  for (std::size_t i = 0; i < columns_.size(); ++i) cells[columns_[i]] = cells_[i][row % rows_];
}

}  // namespace synthema
