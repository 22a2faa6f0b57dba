#include "src/generate/tabular/imputed_table.hpp"

namespace synthema::detail {

namespace {

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

void require_columns(std::span<const ColumnCoding> columns, const Table& table) {
  if (table.columns() != columns.size())
    throw SchemaError(message("The table has ", table.columns(), " columns, but the generator was fitted to ",
                              columns.size(), "; it needs the same ones."));
  for (const ColumnCoding& coding : columns)
    if (table.column(coding.field.name).kind() != coding.field.kind)
      throw SchemaError(
          {.field = coding.field.name},
          message("The column is of kind ", name_of(table.column(coding.field.name).kind()),
                  ", but the generator was fitted to one of kind ", name_of(coding.field.kind), "."));
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
