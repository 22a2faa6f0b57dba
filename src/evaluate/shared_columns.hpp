// The columns that two tables share and that can be compared.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "synthema/data/table.hpp"

namespace synthema::detail {

inline bool is_number(Kind kind) {
  return kind == Kind::real || kind == Kind::integer || kind == Kind::time;
}
inline bool is_category(Kind kind) {
  return kind == Kind::category || kind == Kind::boolean;
}
inline bool comparable(Kind a, Kind b) {
  return (is_number(a) && is_number(b)) || (is_category(a) && is_category(b));
}
inline bool is_empty(const Column& column) {
  return column.null_count() == column.size();
}
// Times with a zone are instants, those without are readings of clocks somewhere: none equals the other.
inline bool same_clock(const Column& a, const Column& b) {
  return a.kind() != Kind::time || b.kind() != Kind::time || a.zone().empty() == b.zone().empty() ||
         is_empty(a) || is_empty(b);
}
inline bool comparable(const Column& a, const Column& b) {
  return comparable(a.kind(), b.kind()) && same_clock(a, b);
}

// Names in the real schema's order; identifiers and subjects carry no distribution.
inline std::vector<std::string> shared_columns(const Table& real, const Table& synthetic) {
  std::vector<std::string> out;
  for (const Field& field : real.schema().fields) {
    if (synthetic.has(field.name) && !field.has(Role::identifier) && !field.has(Role::subject) &&
        comparable(real.column(field.name), synthetic.column(field.name)))
      out.push_back(field.name);
  }
  return out;
}

// Those that a third table has too; it may be null.
inline std::vector<std::string> shared_columns(const Table& real, const Table& synthetic,
                                               const Table* holdout) {
  std::vector<std::string> out = shared_columns(real, synthetic);
  std::erase_if(out, [&](const std::string& name) {
    return holdout && (!holdout->has(name) || !comparable(real.column(name), holdout->column(name)));
  });
  return out;
}

// Label of a category or boolean cell, which must not be null.
inline std::string category_at(const Column& column, std::size_t row) {
  if (column.kind() == Kind::boolean) return column.boolean_at(row) ? "true" : "false";
  return std::string(column.text_at(row));
}

inline std::vector<double> numbers_of(const Column& column) {
  std::vector<double> out;
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) out.push_back(column.number_at(row));
  return out;
}

}  // namespace synthema::detail
