#include "src/model/json_scalars.hpp"

#include <algorithm>
#include <cmath>

#include "src/model/json_text.hpp"
#include "src/model/regex.hpp"
#include "src/model/text_sets.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

namespace {

// 1.0 is an integer, and the same value as 1.
bool is_whole(const Json& value) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  return value.is_number_float() && std::abs(value.get<double>()) <= kExact &&
         std::floor(value.get<double>()) == value.get<double>();
}

bool is_of(const Json& value, const Json& type) {
  return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
         (type == "null" && value.is_null()) || (type == "number" && value.is_number()) ||
         (type == "integer" && (value.is_number_integer() || is_whole(value)));
}

Expression patterned(Expressions& pool, const Json& pattern, std::uint32_t least, std::uint32_t most,
                     const Keywords& in) {
  try {
    const Expression any = regex(pool, pattern.is_string() ? pattern.get<std::string>() : "", true);
    return pool.of_length(any, least, most);
  } catch (const ConfigError& error) {
    throw ConfigError({.field = in.path() + "/pattern"}, error.what());
  }
}

Expression formatted(Expressions& pool, const std::string& format, Keywords& in) {
  if (format == "date" || format == "date-time")
    return time_text(pool, {time_bound(in, "formatMinimum"), time_bound(in, "formatMaximum")},
                     format == "date");
  if (format == "time") return quoted(pool, times(pool, 0, 86'399));
  if (format == "duration")
    return quoted(pool, regex(pool, R"(P(0|[1-9]\d{0,3})D(T(\d|1\d|2[0-3])H((\d|[1-5]\d)M)?)?)"));
  // RFC 9562: the version is a digit, the variant the two bits 10.
  if (const bool any = format == "uuid"; any || (format.size() == 5 && format.starts_with("uuid") &&
                                                 format.back() >= '1' && format.back() <= '8'))
    return quoted(pool, regex(pool, message("[0-9a-f]{8}-[0-9a-f]{4}-", any ? "[1-8]" : format.substr(4),
                                            "[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
  in.refuse_keyword("format",
                    message("has the format '", format,
                            "'; masks know date, date-time, time, duration, uuid and binary, and 'pattern' "
                            "for all else"));
}

}  // namespace

std::string spelt(const Json& json) {
  if (json.is_string()) return json_quoted(json.get<std::string>());
  if (is_whole(json)) return std::to_string(static_cast<std::int64_t>(json.get<double>()));
  if (!json.is_structured()) return json.dump();
  std::string out;
  for (const auto& [name, value] : json.items()) {
    if (!out.empty()) out += ", ";
    if (json.is_object()) out += json_quoted(name) + ": ";
    out += spelt(value);
  }
  return json.is_object() ? "{" + out + "}" : "[" + out + "]";
}

std::vector<std::string> enumerated(const Json& listed, Keywords& in, const char* keyword) {
  const Json* type = in.find("type");
  std::vector<std::string> texts;
  in.need_list(listed, keyword);
  for (const Json& one : listed) {
    const bool fits =
        !type || (type->is_array() ? std::ranges::any_of(*type, [&](const Json& t) { return is_of(one, t); })
                                   : is_of(one, *type));
    if (fits) texts.push_back(spelt(one));
  }
  if (texts.empty())
    in.refuse(message("has ", keyword == std::string_view("enum") ? "an 'enum'" : "a 'const'",
                      " without a value of its 'type'"));
  return texts;
}

std::optional<double> time_bound(Keywords& in, const char* name) {
  const Json* bound = in.find(name);
  if (!bound) return std::nullopt;
  const auto parsed = bound->is_string() ? parse_iso8601(bound->get<std::string>()) : std::nullopt;
  if (!parsed) in.refuse_keyword(name, message("has a '", name, "' that is no date in ISO 8601"));
  return static_cast<double>(parsed->time.microseconds);
}

Expression string_value(Expressions& pool, Keywords& in) {
  const auto least = in.count("minLength"), most = in.count("maxLength");
  const Json* pattern = in.find("pattern");
  const Json* format = in.find("format");
  if (pattern && format) in.refuse("has both 'pattern' and 'format'; use one");
  if (format && *format != "binary") {
    const Expression out =
        formatted(pool, format->is_string() ? format->get<std::string>() : format->dump(), in);
    if (least || most)
      in.refuse_keyword("format",
                        "has a 'format' beside a length; remove the length, the format has its own");
    return out;
  }
  const std::uint32_t from = least.value_or(0);
  if (!pattern) return string_text(pool, from, most.value_or(std::max(from, kLongestText)));
  return quoted(pool, patterned(pool, *pattern, from, most.value_or(Expressions::kUnbounded), in));
}

Expression number_value(Expressions& pool, Keywords& in, bool real) {
  ValueRange range{in.number("minimum"), in.number("maximum")};
  if (const auto bound = in.number("exclusiveMinimum"); bound && (!range.minimum || *bound >= *range.minimum))
    range.minimum = bound, range.open_minimum = true;
  if (const auto bound = in.number("exclusiveMaximum"); bound && (!range.maximum || *bound <= *range.maximum))
    range.maximum = bound, range.open_maximum = true;
  const auto step = in.number("multipleOf");
  if (!step) return number_text(pool, range, real ? std::optional(kDecimals) : std::nullopt);
  // step = digits * 10^-places
  unsigned places = 0;
  double digits = *step;
  while (places < 9 && std::abs(digits - std::round(digits)) > 1e-9 * digits)
    digits = *step * std::pow(10, ++places);
  digits = std::round(digits);
  if (!(digits >= 1) || digits > 1e15 || std::abs(digits / std::pow(10, places) - *step) > 1e-12 * *step ||
      (!real && places > 0))
    in.refuse_keyword("multipleOf",
                      real ? "has a 'multipleOf' that is no positive number of at most 9 decimals"
                           : "has an integer with a 'multipleOf' that is no positive whole number");
  const auto decimals = real ? std::optional(places) : std::nullopt;
  if (digits == 1) return number_text(pool, range, decimals);
  const auto listed = multiples_text(pool, range, static_cast<std::int64_t>(digits), decimals);
  if (!listed)
    in.refuse_keyword("multipleOf", message("leaves more than ", kMostMultiples, " multiples of ", *step,
                                            "; give a smaller range, or use 1, 0.1, 0.01, ..."));
  return *listed;
}

}  // namespace synthema::detail
