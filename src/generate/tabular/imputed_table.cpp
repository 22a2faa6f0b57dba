#include "src/generate/tabular/imputed_table.hpp"

#include <algorithm>
#include <string>

#include "src/generate/tabular/column_zone.hpp"
#include "src/generate/tabular/written_labels.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

bool is_label(Kind kind) {
  return kind == Kind::text || kind == Kind::category;
}
bool is_number(Kind kind) {
  return kind == Kind::real || kind == Kind::integer;
}

bool convertible(Kind from, Kind to) {
  if (is_label(to)) return is_number(from) || from == Kind::boolean;
  if (is_number(to)) return is_number(from);
  if (to == Kind::boolean) return is_number(from) || is_label(from);
  return to == Kind::time && from == Kind::text;
}

Value given_truth(const Field& field, const Value& value) {
  if (const auto truth = truth_of(value)) return *truth;
  throw SchemaError({.field = field.name},
                    "The generator was fitted to true and false, but a value is none of these, nor 0 or 1.");
}

Value in_kind_of(const Field& field, const Value& value) {
  if (value.is_null()) return value;
  if (field.kind == Kind::boolean) return given_truth(field, value);
  return is_label(field.kind) ? Value(label_of(value)) : value;
}

const ColumnCoding* find(std::span<const ColumnCoding> columns, const std::string& name) {
  const auto at = std::ranges::find(columns, name, [](const ColumnCoding& c) { return c.field.name; });
  return at == columns.end() ? nullptr : &*at;
}

bool stands_empty(const Column& column) {
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!stands_for_missing(column, row)) return false;
  return true;
}

Column converted(const ColumnCoding& coding, const Column& column) {
  const Field& fitted = coding.field;
  if (!stands_empty(column) && !convertible(column.kind(), fitted.kind))
    throw SchemaError({.field = fitted.name},
                      message("The column is of kind ", name_of(column.kind()),
                              ", but the generator was fitted to one of kind ", name_of(fitted.kind), "."));
  Field field = fitted;
  field.nullable = true;
  field.categories.clear();
  ColumnBuilder builder(field);
  for (std::size_t row = 0; row < column.size(); ++row)
    builder.append(stands_for_missing(column, row) ? Value() : in_kind_of(field, column.value_at(row)));
  return builder.finish(coding.zone);
}

// First for columns that are not there: those of a file without a header line are somebody's values.
void check_names(std::span<const ColumnCoding> columns, const Table& table) {
  for (const ColumnCoding& coding : columns)
    if (!table.schema().find(coding.field.name))
      throw SchemaError({.field = coding.field.name},
                        "The generator was fitted to a table with this column, but here it is not there; "
                        "where nothing is known of it, give it without values.");
  for (const Field& field : table.schema().fields)
    if (!find(columns, field.name))
      throw SchemaError({.field = field.name},
                        "The generator was fitted to a table without this column; leave it out.");
}

// Cells of the first column where it has them, else of the second.
Column filled(const Field& field, const Column& real, const Column& drawn) {
  if (real.null_count() == 0) return real;
  Field open = field;
  open.categories.clear();
  ColumnBuilder builder(open);
  for (std::size_t row = 0; row < real.size(); ++row)
    builder.append(real.is_null(row) ? drawn.value_at(row) : real.value_at(row));
  return builder.finish(real.zone());
}

}  // namespace

Table of_fitted_kinds(std::span<const ColumnCoding> columns, const Table& table) {
  check_names(columns, table);
  Schema schema = table.schema();
  std::vector<Column> out;
  for (Field& field : schema.fields) {
    const Column& column = table.column(field.name);
    const ColumnCoding* const coding = find(columns, field.name);
    const Field& fitted = coding->field;
    const bool empty = column.null_count() == column.size();
    if (!empty) check_zone(*coding, column);
    if ((column.kind() == fitted.kind && has_zone_of(*coding, column)) ||
        (is_label(column.kind()) && is_label(fitted.kind))) {
      out.push_back(column);
      continue;
    }
    out.push_back(converted(*coding, column));
    field.kind = fitted.kind;
    field.categories.clear();
  }
  return Table(std::move(schema), std::move(out));
}

Table filled_table(const Table& real, const Table& drawn) {
  Schema schema = real.schema();
  std::vector<Column> out;
  for (Field& field : schema.fields) {
    const Column &column = real.column(field.name), &other = drawn.column(field.name);
    if (column.null_count() > 0) field.categories.clear();
    out.push_back(filled(field, column, other));
  }
  return Table(std::move(schema), std::move(out));
}

}  // namespace synthema::detail
