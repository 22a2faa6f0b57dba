// How learners read the cells of a table.
#pragma once

#include <string>

#include "synthema/data/table.hpp"

namespace synthema::detail {

inline bool is_label(Kind kind) {
  return kind == Kind::category || kind == Kind::boolean;
}
inline bool is_number(Kind kind) {
  return kind == Kind::real || kind == Kind::integer || kind == Kind::time;
}
// Label of a category or boolean cell, which must not be null.
inline std::string label_at(const Column& column, std::size_t row) {
  if (column.kind() == Kind::boolean) return column.boolean_at(row) ? "true" : "false";
  return std::string(column.text_at(row));
}

}  // namespace synthema::detail
