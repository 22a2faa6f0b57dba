#include "src/model/json_fit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/data/written_range.hpp"
#include "src/model/expressions.hpp"
#include "src/model/json_keywords.hpp"
#include "src/model/json_scalars.hpp"
#include "src/model/json_schema.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kDeepest = 1000;  // references and values, each inside the one before

class Fit {
 public:
  Fit(AnswerForms& forms, const Json& root) : forms_(forms), root_(root) {}

  bool fits(const Json& schema, const Json& value, std::size_t depth = 0) const {
    if (!schema.is_object() || depth > kDeepest) return schema == true;
    const auto below = [&](const Json& part) { return fits(part, value, depth + 1); };
    if (const Json* to = find(schema, "$ref"); to && to->is_string())
      if (!below(root_.at(Json::json_pointer(to->get<std::string>().substr(1))))) return false;
    if (const Json* same = find(schema, "const"); same && *same != value) return false;
    if (const Json* listed = find(schema, "enum"); listed && std::ranges::count(*listed, value) == 0)
      return false;
    if (const Json* any = find(schema, "anyOf"); any && std::ranges::none_of(*any, below)) return false;
    if (const Json* one = find(schema, "oneOf"); one && std::ranges::count_if(*one, below) != 1) return false;
    if (const Json* all = find(schema, "allOf"); all && !std::ranges::all_of(*all, below)) return false;
    if (const Json* type = find(schema, "type"))
      if (type->is_array() ? std::ranges::none_of(*type, [&](const Json& t) { return is_of(value, t); })
                           : !is_of(value, *type))
        return false;
    if (value.is_number()) return fits_number(schema, value.get<double>());
    if (value.is_string()) return fits_string(schema, value.get<std::string>());
    if (value.is_array()) return fits_array(schema, value, depth);
    return !value.is_object() || fits_object(schema, value, depth);
  }

 private:
  static const Json* find(const Json& schema, const char* name) {
    const auto found = schema.find(name);
    return found == schema.end() ? nullptr : &*found;
  }
  static bool is_of(const Json& value, const Json& type) {
    if (type == "integer")
      return value.is_number_integer() ||
             (value.is_number() && std::floor(value.get<double>()) == value.get<double>());
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "null" && value.is_null()) || (type == "number" && value.is_number());
  }
  // Between the least and the most that these keywords allow.
  static bool counts(const Json& schema, std::size_t size, const char* least, const char* most) {
    const Json *low = find(schema, least), *high = find(schema, most);
    return (!low || size >= low->get<std::size_t>()) && (!high || size <= high->get<std::size_t>());
  }

  static bool fits_number(const Json& schema, double value) {
    const auto bound = [&](const char* name, const auto& holds) {
      const Json* given = find(schema, name);
      return !given || holds(given->get<double>());
    };
    return bound("minimum", [&](double b) { return value >= b; }) &&
           bound("maximum", [&](double b) { return value <= b; }) &&
           bound("exclusiveMinimum", [&](double b) { return value > b; }) &&
           bound("exclusiveMaximum", [&](double b) { return value < b; }) &&
           bound("multipleOf", [&](double step) {
             const double times = value / step;
             return std::abs(times - std::round(times)) <= 1e-9 * std::max(1.0, std::abs(times));
           });
  }

  bool fits_string(const Json& schema, const std::string& text) const {
    const auto length = static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (!counts(schema, length, "minLength", "maxLength")) return false;
    if (const Json* pattern = find(schema, "pattern"))
      if (!matches(forms_, pattern->get<std::string>(), text)) return false;
    const Json* format = find(schema, "format");
    if (!format || !format->is_string()) return true;
    const auto name = format->get<std::string>();
    if (name != "date" && name != "date-time") return fits_format(name, text);
    const auto parsed = parse_iso8601(text);
    const bool is_day = text.size() == kFirstDate.size();
    if (!parsed || is_day != (name == "date")) return false;
    const auto time = static_cast<double>(parsed->time.microseconds);
    Keywords in(schema, "#");
    return time >= time_bound(in, "formatMinimum").value_or(time) &&
           time <= time_bound(in, "formatMaximum").value_or(time);
  }

  bool fits_format(const std::string& name, const std::string& text) const {
    if (name == "time")
      return matches(
          forms_, R"(([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?)", text);
    if (name == "duration")
      return !text.ends_with('P') && !text.ends_with('T') &&
             matches(forms_, R"([+-]?P(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?))", text);
    if (!name.starts_with("uuid")) return true;
    const std::string version = name.size() > 4 ? name.substr(4) : "", hex = "[0-9a-fA-F]";
    return matches(forms_,
                   message(hex, "{8}-", hex, "{4}-", version.empty() ? hex : version, hex, "{3}-",
                           version.empty() ? hex : "[89abAB]", hex, "{3}-", hex, "{12}"),
                   text);
  }

  bool fits_array(const Json& schema, const Json& value, std::size_t depth) const {
    if (!counts(schema, value.size(), "minItems", "maxItems")) return false;
    const Json *first = find(schema, "prefixItems"), *items = find(schema, "items"),
               *unique = find(schema, "uniqueItems");
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Json* part = first && i < first->size() ? &(*first)[i] : items;
      if (part && !fits(*part, value[i], depth + 1)) return false;
      if (unique && *unique == true && std::count(value.begin(), value.end(), value[i]) > 1) return false;
    }
    return true;
  }

  bool fits_object(const Json& schema, const Json& value, std::size_t depth) const {
    if (!counts(schema, value.size(), "minProperties", "maxProperties")) return false;
    const Json *properties = find(schema, "properties"), *required = find(schema, "required"),
               *more = find(schema, "additionalProperties"), *names = find(schema, "propertyNames");
    if (required)
      for (const Json& name : *required)
        if (!value.contains(name.get<std::string>())) return false;
    for (const auto& [name, one] : value.items()) {
      const Json* part = properties && properties->contains(name) ? &properties->at(name) : more;
      if (names && !fits(*names, Json(name), depth + 1)) return false;
      if (part && !fits(*part, one, depth + 1)) return false;
    }
    return true;
  }

  AnswerForms& forms_;
  const Json& root_;
};

// Only what masks can keep to has rules.
Schema rules_of(const std::string& schema) {
  if (schema.find("x-rules") == std::string::npos) return {};
  Expressions::Bytes all;
  all.set();
  Expressions pool(all);
  return json_schema_chain(pool, schema).schema;
}

Json parsed(const std::string& schema) {
  try {
    return strict_json(schema);
  } catch (const ParseError& error) {
    throw ConfigError({.field = "json_schema"}, error.what());
  }
}

}  // namespace

JsonFit::JsonFit(const std::string& schema) : root_(parsed(schema)), rules_(rules_of(schema)) {}

std::optional<Json> JsonFit::read(AnswerForms& forms, std::string_view text) const {
  Json value;
  try {
    value = strict_json(text);
  } catch (const ParseError&) {
    return std::nullopt;
  }
  try {
    return Fit(forms, root_).fits(root_, value) ? std::optional(std::move(value)) : std::nullopt;
  } catch (const Json::exception&) {  // a keyword of a wrong type
    throw ConfigError({.field = "json_schema"}, "The JSON Schema has a keyword of a wrong type.");
  }
}

}  // namespace synthema::detail
