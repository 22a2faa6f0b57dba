#include "synthema/data/row_numbers.hpp"

#include <algorithm>

namespace synthema {

namespace {
constexpr std::size_t kEnoughRows = 50;
}

bool numbers_rows(const Column& column) {
  if (column.kind() != Kind::integer || column.null_count() > 0 || column.size() < kEnoughRows) return false;
  std::vector<std::int64_t> values(column.integers().begin(), column.integers().end());
  std::ranges::sort(values);
  if (values.front() < 0 || std::ranges::adjacent_find(values) != values.end()) return false;
  return static_cast<std::uint64_t>(values.back() - values.front()) < 2 * values.size();
}

std::vector<std::string> row_number_columns(const Table& table) {
  std::vector<std::string> out;
  for (const Field& field : table.schema().fields)
    if (field.roles.empty() && numbers_rows(table.column(field.name))) out.push_back(field.name);
  return out;
}

}  // namespace synthema
