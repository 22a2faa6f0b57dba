// Whether a table can be compared with the real one in the same columns.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "src/evaluate/shared_columns.hpp"

namespace synthema::detail {

inline bool has_columns(const Table& table, const Table& real, const std::vector<std::string>& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& name) {
    return table.has(name) && comparable(real.column(name), table.column(name));
  });
}

}  // namespace synthema::detail
