#include "synthema/data/label_columns.hpp"

#include <algorithm>

#include "src/data/text_reading.hpp"

namespace synthema {

namespace {

Column rebuilt(const Column& texts, const Field& field) {
  ColumnBuilder builder(field);
  for (std::size_t row = 0; row < texts.size(); ++row) builder.append(texts.value_at(row));
  return builder.finish();
}

}  // namespace

bool holds_labels(const Column& column) {
  if (column.kind() != Kind::text || column.size() == column.null_count()) return false;
  detail::LabelCount labels;
  for (std::size_t row = 0; row < column.size() && labels.plausible(); ++row)
    if (!column.is_null(row)) labels.see(column.text_at(row));
  return labels.are_labels();
}

std::vector<std::string> label_columns(const Table& table) {
  std::vector<std::string> out;
  for (const Field& field : table.schema().fields)
    if (!field.has(Role::identifier) && !field.has(Role::subject) && holds_labels(table.column(field.name)))
      out.push_back(field.name);
  return out;
}

Table with_categories(const Table& table, std::span<const std::string> names) {
  Schema schema = table.schema();
  std::vector<Column> columns;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    Field& field = schema.fields[i];
    const bool wanted = field.kind == Kind::text && field.categories.empty() &&
                        std::ranges::find(names, field.name) != names.end();
    if (wanted) field.kind = Kind::category;
    columns.push_back(wanted ? rebuilt(table.column(i), field) : table.column(i));
  }
  return {std::move(schema), std::move(columns)};
}

}  // namespace synthema
