#include "synthema/data/json.hpp"

#include <cmath>

#include "src/data/number_text.hpp"
#include "src/data/strict_json.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

using detail::Json;

std::string quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    throw SchemaError("The text is not valid UTF-8, so it cannot be written as JSON.");
  }
}

struct Writer {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return detail::number_text(v); }
  std::string operator()(double v) const {
    if (!std::isfinite(v))
      throw SchemaError("JSON has no NaN and no infinity; use null where a number is missing.");
    return detail::number_text(v);
  }
  std::string operator()(Timestamp v) const { return '"' + to_iso8601(v) + '"'; }
  std::string operator()(const std::string& v) const { return quoted(v); }
  std::string operator()(const ValueList& v) const {
    std::string out = "[";
    for (const Value& item : v) out += (out.size() > 1 ? ", " : "") + to_json(item);
    return out + "]";
  }
};

Value value_from(const Json& json, const Location& where, bool inside_list = false) {
  switch (json.type()) {
    case Json::value_t::null:
      return {};
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return json.get<std::int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string:
      return json.get<std::string>();
    case Json::value_t::array:
      break;
    default:
      throw ParseError(where, "The value is an object; a record holds single values and flat lists only.");
  }
  if (inside_list) throw ParseError(where, "The list holds a list; a record holds flat lists only.");
  ValueList items;
  for (const Json& item : json) items.push_back(value_from(item, where, true));
  return items;
}

}  // namespace

std::string to_json(const Value& value) {
  return std::visit(Writer{}, value.variant());
}

std::string to_json(const Record& record) {
  std::string out = "{";
  for (const auto& [name, value] : record) {
    if (out.size() > 1) out += ", ";
    try {
      out += quoted(name) + ": " + to_json(value);
    } catch (const SchemaError& error) {
      throw SchemaError({.field = name}, error.what());
    }
  }
  return out + "}";
}

Value value_from_json(std::string_view text, const Location& where) {
  return value_from(detail::strict_json(text, where), where);
}

Record record_from_json(std::string_view text, const Location& where) {
  const Json json = detail::strict_json(text, where);
  if (!json.is_object())
    throw ParseError(where,
                     "A record must be a JSON object, for example {\"age\": 63, \"sex\": \"female\"}.");
  Record record;
  for (const auto& [name, value] : json.items()) {
    Location place = where;
    place.field = name;
    record.append(name, value_from(value, place));
  }
  return record;
}

}  // namespace synthema
