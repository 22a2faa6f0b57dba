// JSON text as expressions, from a JSON Schema or from our own Schema. One value has one spelling: keys in
// the schema's order, one space after ':' and ',', no other white space, characters unescaped where JSON lets
// them be. Where a schema leaves a size open, the limits below hold, so that every text ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/expressions.hpp"
#include "synthema/data/schema.hpp"

namespace synthema::detail {

inline constexpr std::uint32_t kLongestText = 256;                    // characters
inline constexpr std::uint32_t kLongestList = 8;                      // elements
inline constexpr std::int64_t kLargestInteger = 999'999'999'999'999;  // either sign
inline constexpr std::int64_t kLargestReal = 999'999'999;             // either sign
inline constexpr unsigned kDecimals = 6;
inline constexpr std::string_view kFirstDate = "1900-01-01", kLastDate = "2099-12-31";

// The texts that a JSON Schema allows. ConfigError names the keyword and its path for everything outside the
// subset: type (also a list of types), properties, required, additionalProperties (true, false), items,
// minItems, maxItems, enum, const, anyOf, allOf of one, $ref to $defs or definitions, minLength, maxLength,
// pattern, format (date, date-time), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf (1,
// 0.1, 0.01, ...), and annotations.
Expression json_schema_text(Expressions& pool, std::string_view schema);

// One value of a field, or null where it may be missing. A time is a date, or a date and time where the
// field's unit is "s". ConfigError if nothing can be written.
Expression field_text(Expressions& pool, const Field& field);

std::string json_quoted(std::string_view text);

}  // namespace synthema::detail
