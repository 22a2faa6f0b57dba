#include "synthema/generate/tabular/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "synthema/core/counted.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

constexpr double kFree = std::numeric_limits<double>::quiet_NaN();

double cell_of_label(const ColumnCoding& coding, const std::string& label) {
  const auto at = std::ranges::find(coding.labels, label);
  if (at != coding.labels.end()) return static_cast<double>(at - coding.labels.begin());
  throw GenerationError(
      {.field = coding.field.name},
      message("A condition asks for '", label,
              "', which the training table did not have, or too few people to hand it on."));
}

double cell_of_number(const ColumnCoding& coding, double v) {
  const double x = coding.cell_of_number(v);
  if (coding.values.empty() || !(x >= coding.values.front() && x <= coding.values.back()))
    throw GenerationError(
        {.field = coding.field.name},
        message("A condition asks for ", v,
                ", which lies outside of what the training table had; nothing was learnt there."));
  if (coding.grid && x != std::nearbyint(x))
    throw GenerationError({.field = coding.field.name},
                          message("A condition asks for ", v,
                                  ", but the values of the column are coarser; the "
                                  "nearest one is ",
                                  coding.number(std::nearbyint(x)), "."));
  return x;
}

double cell_of(const ColumnCoding& coding, const Column& column, std::size_t row) {
  if (column.is_null(row)) return kFree;
  const Kind kind = column.kind();
  if (coding.is_category() && (kind == Kind::text || kind == Kind::category))
    return cell_of_label(coding, std::string(column.text_at(row)));
  if (coding.is_category() && kind == Kind::boolean)
    return cell_of_label(coding, column.boolean_at(row) ? "true" : "false");
  if (coding.is_category()) return cell_of_label(coding, column.value_at(row).display());
  const bool time = coding.field.kind == Kind::time;
  if (time && kind == Kind::text) {
    if (const auto parsed = parse_iso8601(column.text_at(row)))
      return cell_of_number(coding, static_cast<double>(parsed->time.microseconds));
  } else if (time ? kind == Kind::time : kind == Kind::real || kind == Kind::integer) {
    return cell_of_number(coding, column.number_at(row));
  }
  throw GenerationError({.field = coding.field.name},
                        message("A condition is of kind ", name_of(kind), ", but the column is of kind ",
                                name_of(coding.field.kind), "."));
}

}  // namespace

CellConditions::CellConditions(const Table* conditions, std::span<const ColumnCoding> columns,
                               std::string_view generator) {
  if (!conditions || conditions->rows() == 0) return;
  rows_ = conditions->rows();
  for (std::size_t i = 0; i < conditions->columns(); ++i) {
    const std::string& name = conditions->schema().fields[i].name;
    const auto at = std::ranges::find(columns, name, [](const ColumnCoding& c) { return c.field.name; });
    if (at == columns.end())
      throw GenerationError({.field = name}, message("There is a condition on this column, but ", generator,
                                                     " was fitted to a table without it."));
    if (conditions->column(i).null_count() == rows_) continue;
    if (!at->modelled())
      throw GenerationError({.field = name},
                            at->form == CodingForm::fresh
                                ? "The column is drawn afresh for every row and cannot be fixed."
                                : "The column has no value in the training table, so there is "
                                  "nothing that could be asked for.");
    columns_.push_back(static_cast<std::size_t>(at - columns.begin()));
    std::vector<double>& cells = cells_.emplace_back();
    for (std::size_t row = 0; row < rows_; ++row) cells.push_back(cell_of(*at, conditions->column(i), row));
  }
}

void CellConditions::row(std::uint64_t row, std::span<double> cells) const {
  std::fill(cells.begin(), cells.end(), kFree);
  for (std::size_t i = 0; i < columns_.size(); ++i) cells[columns_[i]] = cells_[i][row % rows_];
}

}  // namespace synthema
