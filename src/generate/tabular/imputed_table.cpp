#include "src/generate/tabular/imputed_table.hpp"

#include <algorithm>
#include <cmath>
#include <string>

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

// The label that a condition with this value asks for.
std::string label_of(const Value& value) {
  const double* const real = value.get_if<double>();
  if (real && *real == std::nearbyint(*real) && std::abs(*real) < 0x1p53)
    return std::to_string(static_cast<std::int64_t>(*real));  // holes make reals of integers
  return value.display();
}

// 0, 1 and "true", "false" in any case, as holes and text files make of booleans.
Value truth_of(const Field& field, const Value& value) {
  std::string label = label_of(value);
  for (char& c : label)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (label == "1" || label == "true") return true;
  if (label == "0" || label == "false") return false;
  throw SchemaError({.field = field.name},
                    "The generator was fitted to true and false, but a value is none of these, nor 0 or 1.");
}

Value in_kind_of(const Field& field, const Value& value) {
  if (value.is_null()) return value;
  if (field.kind == Kind::boolean) return truth_of(field, value);
  return is_label(field.kind) ? Value(label_of(value)) : value;
}

Column converted(const ColumnCoding& coding, const Column& column) {
  const Field& fitted = coding.field;
  const bool empty = column.null_count() == column.size();
  if (!empty && !convertible(column.kind(), fitted.kind))
    throw SchemaError({.field = fitted.name},
                      message("The column is of kind ", name_of(column.kind()),
                              ", but the generator was fitted to one of kind ", name_of(fitted.kind), "."));
  Field field = fitted;
  field.nullable = true;
  field.categories.clear();
  ColumnBuilder builder(field);
  for (std::size_t row = 0; row < column.size(); ++row) {
    builder.append(in_kind_of(field, column.value_at(row)));
  }
  return builder.finish(coding.zone);
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
  if (table.columns() != columns.size())
    throw SchemaError(message("The table has ", table.columns(), " columns, but the generator was fitted to ",
                              columns.size(), "; it needs the same ones."));
  for (const ColumnCoding& coding : columns) (void)table.column(coding.field.name);  // it is there
  Schema schema = table.schema();
  std::vector<Column> out;
  for (Field& field : schema.fields) {
    const Column& column = table.column(field.name);
    const auto coding =
        std::ranges::find(columns, field.name, [](const ColumnCoding& c) { return c.field.name; });
    const Field& fitted = coding->field;
    if (column.kind() == fitted.kind || (is_label(column.kind()) && is_label(fitted.kind))) {
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
