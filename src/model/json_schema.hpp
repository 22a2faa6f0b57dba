// JSON text that a JSON Schema allows (draft 2020-12), as an expression.
//
// Known: type (also a list of types), enum, const, anyOf, oneOf of alternatives that exclude each other,
// allOf of one, $ref to any place of the schema; properties, required, additionalProperties (true, false, or
// a schema beside propertyNames with an enumeration), minProperties, maxProperties; prefixItems, items,
// minItems, maxItems, uniqueItems of an enumeration; minLength, maxLength, pattern, format (date, date-time,
// time, duration, uuid, binary), formatMinimum and formatMaximum of dates; minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, multipleOf; and annotations.
//
// What refers to itself is unrolled: a definition stands inside itself at most kDeepestNesting times.
//
// Rules between values are a keyword of our own, "x-rules": a list of rules as in the JSON form of a Schema,
// whose `field` and `given` are keys of the object that has the keyword, or paths below it with dots.
// Numbers, dates, booleans and enumerations of texts (or one of them beside null) may stand under rules where
// they always occur: in the outermost object and in objects within it, not in lists or alternatives. In an
// object on the way to them every key is written.
#pragma once

#include <cstddef>
#include <string_view>

#include "src/data/strict_json.hpp"
#include "src/model/answer_chain.hpp"
#include "src/model/expressions.hpp"

namespace synthema::detail {

inline constexpr unsigned kDeepestNesting = 3;

// ConfigError names the keyword and its path for everything that is not known, and the place where no value
// is left; SchemaError what is wrong with a rule. Without rules it is one link of text.
AnswerChain json_schema_chain(Expressions& pool, std::string_view schema);

// The values that stand in a JSON value where the first fields of such a chain's schema say.
Record ruled_values(const Json& json, const Schema& schema, std::size_t fields);

}  // namespace synthema::detail
