// JSON text as expressions, from a JSON Schema (json_schema.hpp) or from our own Schema. One value has one
// spelling: keys in the schema's order, one space after ':' and ',', no other white space, characters
// unescaped where JSON lets them be. Where a schema leaves a size open, the limits below hold, so that every
// text ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/data/written_range.hpp"
#include "src/model/expressions.hpp"
#include "synthema/data/schema.hpp"

namespace synthema::detail {

inline constexpr std::uint32_t kLongestText = 256;      // characters
inline constexpr std::uint32_t kLongestList = 8;        // elements
inline constexpr std::int64_t kMostMultiples = 20'000;  // that can be listed

Expression quoted(Expressions& pool, Expression content);
Expression string_text(Expressions& pool, std::uint32_t least, std::uint32_t most);
Expression list_text(Expressions& pool, Expression item, std::uint32_t least, std::uint32_t most);
Expression boolean_text(Expressions& pool);
// One of these, as they stand.
Expression labels_text(Expressions& pool, const std::vector<std::string>& texts);
// `places`: decimals at most; none: a whole number.
Expression number_text(Expressions& pool, const ValueRange& range, std::optional<unsigned> places);
// Multiples of step * 10^-places, without trailing zeros; nothing if there are more than kMostMultiples.
std::optional<Expression> multiples_text(Expressions& pool, const ValueRange& range, std::int64_t step,
                                         std::optional<unsigned> places);
// A date, or a date and time, with the range in microseconds since 1970.
Expression time_text(Expressions& pool, const ValueRange& range, bool date_only);

// One member of an object, or one element of a set.
struct Member {
  Expression text;
  bool required = false;
};
// Some of the members in their order between two brackets, at least so many and at most so many of them.
Expression members_text(Expressions& pool, const std::vector<Member>& members, std::uint32_t least,
                        std::uint32_t most, std::string_view open, std::string_view close);

// One value of a field, or null where it may be missing. A time is a date, or a date and time where the
// field's unit is "s". ConfigError if nothing can be written.
Expression field_text(Expressions& pool, const Field& field);

std::string json_quoted(std::string_view text);

}  // namespace synthema::detail
