// What people write for labels and for true and false, in conditions, shares and tables to fill.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "src/data/text_reading.hpp"
#include "synthema/data/column.hpp"
#include "synthema/data/value.hpp"

namespace synthema::detail {

inline std::string label_of(const Value& value) {
  const double* const real = value.get_if<double>();
  if (real && *real == std::nearbyint(*real) && std::abs(*real) < 0x1p53)
    return std::to_string(static_cast<std::int64_t>(*real));  // holes make reals of integers
  return value.display();
}

// 0, 1 and "true", "false" in any case, as holes and text files make of booleans; nothing where it is none.
inline std::optional<bool> truth_of(const Value& value) {
  std::string label = label_of(value);
  for (char& c : label)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (label == "1" || label == "true") return true;
  if (label == "0" || label == "false") return false;
  return {};
}

// Missing, or a text that stands for it where a number, a time or a boolean belongs: in a file without a
// schema a column of nothing else is one of texts.
inline bool stands_for_missing(const Column& column, std::size_t row) {
  if (column.is_null(row)) return true;
  const bool textual = column.kind() == Kind::text || column.kind() == Kind::category;
  return textual && stands_for_missing(trimmed(column.text_at(row)));
}

}  // namespace synthema::detail
