#include "synthema/data/row_numbers.hpp"

#include <algorithm>
#include <span>

namespace synthema {

namespace {
constexpr std::size_t kEnoughRows = 50;
// Of values drawn from a range no two are alike with a chance of at most exp(-rows^2 / (2 range)).
constexpr double kLikeliest = 14;  // 1 in a million

// In steps of one, so that a clock that ticks evenly is not meant.
bool are_numbered(std::span<const std::int64_t> sorted) {
  const auto rows = static_cast<double>(sorted.size());
  const auto range = static_cast<double>(sorted.back() - sorted.front());
  if (range < 2 * rows) return true;
  const auto is_next = [](std::int64_t a, std::int64_t b) { return b - a == 1; };
  return rows * rows > 2 * kLikeliest * range && std::ranges::adjacent_find(sorted, is_next) != sorted.end();
}

bool is_ruled(const Schema& schema, const std::string& name) {
  return std::ranges::any_of(
             schema.rules, [&](const FieldRule& rule) { return rule.field == name || rule.given == name; }) ||
         std::ranges::any_of(schema.groups, [&](const GroupRule& group) {
           return group.kind != "unique" &&
                  (group.total == name || std::ranges::find(group.fields, name) != group.fields.end());
         });
}

}  // namespace

bool numbers_rows(const Column& column) {
  if (column.kind() != Kind::integer || column.null_count() > 0 || column.size() < kEnoughRows) return false;
  std::vector<std::int64_t> values(column.integers().begin(), column.integers().end());
  std::ranges::sort(values);
  if (values.front() < 0 || std::ranges::adjacent_find(values) != values.end()) return false;
  return are_numbered(values);
}

bool numbers_rows(const Schema& schema, const Field& field, const Column& column) {
  return field.roles.empty() && !field.maximum && !is_ruled(schema, field.name) && numbers_rows(column);
}

std::vector<std::string> row_number_columns(const Table& table) {
  std::vector<std::string> out;
  for (const Field& field : table.schema().fields)
    if (numbers_rows(table.schema(), field, table.column(field.name))) out.push_back(field.name);
  return out;
}

}  // namespace synthema
