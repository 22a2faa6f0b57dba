// Records and values as JSON text: one line, keys in the record's order, numbers in their shortest exact
// form, time as ISO 8601 with 'Z', never NaN or infinity (those are a SchemaError).
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/error.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

std::string to_json(const Value& value);
std::string to_json(const Record& record);
// ParseError with the place; integers beyond 64 bits, duplicate keys, nested objects and invalid UTF-8 are
// refused.
Value value_from_json(std::string_view json, const Location& where = {});
Record record_from_json(std::string_view json, const Location& where = {});

}  // namespace synthema
