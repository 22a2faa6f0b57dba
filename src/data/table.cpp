#include "synthema/data/table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/data/record_cells.hpp"
#include "synthema/core/counted.hpp"

namespace synthema {

namespace {

void check_finite(const Field& field, const Column& column) {
  const auto values = column.reals();
  for (std::size_t row = 0; row < values.size(); ++row)
    if (!std::isfinite(values[row]) && !column.is_null(row))
      throw SchemaError({.field = field.name},
                        message("Row ", row, " holds NaN or an infinity; mark missing numbers as null."));
}

void check_column(const Field& field, const Column& column) {
  if (column.kind() != field.kind)
    throw SchemaError({.field = field.name}, message("The schema says ", name_of(field.kind),
                                                     ", but the column is ", name_of(column.kind()), "."));
  if (field.kind == Kind::list && column.items().kind() != field.item)
    throw SchemaError({.field = field.name},
                      message("The schema says lists of ", name_of(field.item), ", but the items are ",
                              name_of(column.items().kind()), "."));
  if (field.kind == Kind::real) check_finite(field, column);
  if (field.kind == Kind::list && field.item == Kind::real) check_finite(field, column.items());
}

}  // namespace

Table::Table(Schema schema, std::vector<Column> columns)
    : schema_(std::move(schema)), columns_(std::move(columns)) {
  schema_.check();
  if (schema_.fields.size() != columns_.size())
    throw SchemaError(message("The schema has ", counted(schema_.fields.size(), "field"),
                              ", but the table has ", counted(columns_.size(), "column"), "."));
  rows_ = columns_.empty() ? 0 : columns_.front().size();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].size() != rows_)
      throw SchemaError({.field = schema_.fields[i].name},
                        message("The column has ", counted(columns_[i].size(), "row"),
                                ", but the first column has ", rows_, "."));
    check_column(schema_.fields[i], columns_[i]);
  }
  by_name_.resize(columns_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::uint32_t{0});
  std::ranges::sort(by_name_, {},
                    [this](std::uint32_t place) { return std::string_view(schema_.fields[place].name); });
}

const Field* Table::find(std::string_view name) const {
  const auto name_at = [this](std::uint32_t place) -> std::string_view { return schema_.fields[place].name; };
  const auto at = std::ranges::lower_bound(by_name_, name, {}, name_at);
  return at != by_name_.end() && name_at(*at) == name ? &schema_.fields[*at] : nullptr;
}

Table Table::from_records(Schema schema, std::span<const Record> records,
                          std::span<const std::string> without_zone) {
  schema.check();
  std::vector<ColumnBuilder> builders(schema.fields.begin(), schema.fields.end());
  detail::RecordCells cells(schema);
  for (std::size_t row = 0; row < records.size(); ++row) {
    const auto values = cells.of(records[row], [row](const std::string& name) {
      throw SchemaError({.field = name},
                        message("Record ", row, " has this entry, but the schema has no such field."));
    });
    try {
      for (std::size_t i = 0; i < values.size(); ++i) builders[i].append(*values[i]);
    } catch (const SchemaError& error) {
      throw SchemaError(message("Record ", row, ", ", error.what()));
    }
  }
  std::vector<Column> columns;
  for (std::size_t i = 0; i < builders.size(); ++i) {
    const bool has_none = std::ranges::find(without_zone, schema.fields[i].name) != without_zone.end();
    columns.push_back(builders[i].finish(has_none ? "" : "UTC"));
  }
  return Table(std::move(schema), std::move(columns));
}

const Column& Table::column(std::string_view name) const {
  const Field* const found = find(name);
  const Field& field = found ? *found : schema_.at(name);
  return columns_[static_cast<std::size_t>(&field - schema_.fields.data())];
}

Record Table::record(std::size_t row) const {
  if (row >= rows_)
    throw SchemaError(message("Row ", row, " was asked for, but the table has only ", rows_, "."));
  Record out;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    out.append(schema_.fields[i].name, columns_[i].value_at(row));
  return out;
}

Table Table::take(std::span<const std::size_t> rows) const {
  std::vector<Column> columns;
  for (const Column& column : columns_) columns.push_back(column.take(rows));
  return Table(schema_, std::move(columns));
}

Table Table::select(std::span<const std::string> names) const {
  Schema schema = schema_;
  schema.fields.clear();
  std::vector<Column> columns;
  for (const std::string& name : names) {
    columns.push_back(column(name));
    schema.fields.push_back(*find(name));
  }
  std::erase_if(schema.rules,
                [&](const FieldRule& rule) {  // those between columns that are gone, or turned round
                  const Field *field = schema.find(rule.field), *given = schema.find(rule.given);
                  return !field || !given || given > field;
                });
  std::erase_if(schema.groups, [&](const GroupRule& group) {
    const auto gone = [&](const std::string& name) { return schema.find(name) == nullptr; };
    return std::ranges::any_of(group.fields, gone) || (!group.total.empty() && gone(group.total));
  });
  return Table(std::move(schema), std::move(columns));
}

Table Table::head(std::size_t rows) const {
  std::vector<std::size_t> first(std::min(rows, rows_));
  std::iota(first.begin(), first.end(), std::size_t{0});
  return take(first);
}

}  // namespace synthema
