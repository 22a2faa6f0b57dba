#include "src/model/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>

#include "src/data/strict_json.hpp"
#include "src/model/regex.hpp"
#include "src/model/text_sets.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

namespace {

// --- what both schemas share

struct Range {
  std::optional<double> minimum, maximum;
  bool open_minimum = false, open_maximum = false;  // the bound itself is excluded
};

Expression quoted(Expressions& pool, Expression content) {
  return pool.sequence({pool.literal("\""), content, pool.literal("\"")});
}

Expression string_text(Expressions& pool, std::uint32_t least, std::uint32_t most) {
  return quoted(pool, pool.repeat(json_character(pool, CharacterSet::all()), least, most));
}

Expression list_text(Expressions& pool, Expression item, std::uint32_t least, std::uint32_t most) {
  if (least > most) return Expressions::kNothing;
  std::vector<Expression> lists;
  if (least == 0) lists.push_back(pool.literal("[]"));
  if (most > 0) {
    const Expression more = pool.sequence(pool.literal(", "), item);
    lists.push_back(
        pool.sequence({pool.literal("["), item, pool.repeat(more, least > 0 ? least - 1 : 0, most - 1),
                       pool.literal("]")}));
  }
  return pool.either(std::move(lists));
}

// A bound as a whole number of 10^-decimals: the first one inside (up: from below, else from above). Exact in
// the decimal digits of the bound.
std::int64_t whole_bound(double bound, bool open, unsigned decimals, bool up, std::int64_t largest) {
  const auto unit = static_cast<std::int64_t>(std::llround(std::pow(10, decimals)));
  const std::int64_t most = largest * unit;
  if (std::abs(bound) >= static_cast<double>(largest)) return bound < 0 ? -most : most;
  const std::string text = fmt::format("{:.20f}", bound);
  const std::string shortest = fmt::format("{}", bound);
  // The digits that were meant: the shortest text that reads as this double, if it has no exponent.
  const std::string& digits = shortest.find('e') == std::string::npos ? shortest : text;
  std::int64_t value = 0;
  unsigned places = 0;
  bool point = false, exact = true;
  for (const char c : digits) {
    if (c == '-') continue;
    if (c == '.') {
      point = true;
    } else if (!point || places < decimals) {
      value = value * 10 + (c - '0');
      places += point;
    } else {
      exact &= c == '0';
    }
  }
  for (; places < decimals; ++places) value *= 10;
  const bool negative = digits.front() == '-';
  if (negative) value = -value;
  if (exact) return open ? value + (up ? 1 : -1) : value;
  // `value` was cut towards zero.
  return value + (up && !negative ? 1 : !up && negative ? -1 : 0);
}

Expression number_text(Expressions& pool, const Range& range, std::optional<unsigned> places) {
  const std::int64_t largest = places ? kLargestReal : kLargestInteger;
  const unsigned scale = places.value_or(0);
  const auto bound = [&](const std::optional<double>& given, bool open, bool up) {
    return whole_bound(given.value_or(static_cast<double>(up ? -largest : largest)), given && open, scale, up,
                       largest);
  };
  const std::int64_t low = bound(range.minimum, range.open_minimum, true);
  const std::int64_t high = bound(range.maximum, range.open_maximum, false);
  return places ? decimals(pool, low, high, scale) : integers(pool, low, high);
}

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

std::int64_t microseconds(std::string_view date) {
  return parse_iso8601(date).value().time.microseconds;
}

// First whole unit not before, last not after.
std::int64_t units_up(double t, std::int64_t unit) {
  return static_cast<std::int64_t>(std::ceil(t / static_cast<double>(unit)));
}
std::int64_t units_down(double t, std::int64_t unit) {
  return static_cast<std::int64_t>(std::floor(t / static_cast<double>(unit)));
}

Expression time_text(Expressions& pool, const Range& range, bool date_only) {
  const double low = range.minimum.value_or(static_cast<double>(microseconds(kFirstDate)));
  const double high = range.maximum.value_or(static_cast<double>(microseconds(kLastDate) + kDay - kSecond));
  return quoted(pool, date_only ? dates(pool, units_up(low, kDay), units_down(high, kDay))
                                : date_times(pool, units_up(low, kSecond), units_down(high, kSecond)));
}

Expression boolean_text(Expressions& pool) {
  return pool.either({pool.literal("true"), pool.literal("false")});
}

Expression labels_text(Expressions& pool, const std::vector<std::string>& texts) {
  return pool.one_of({texts.begin(), texts.end()});
}

// --- JSON Schema

// Reads one object of a schema: every keyword must be asked for.
class Keywords {
 public:
  Keywords(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) refuse("must be an object that describes a value");
  }
  const Json* find(const char* name) {
    seen_.insert(name);
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  std::optional<double> number(const char* name) {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number()) refuse(message("has a '", name, "' that is no number"));
    return value->get<double>();
  }
  std::optional<std::uint32_t> count(const char* name) {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number_integer() || value->get<std::int64_t>() < 0 ||
        value->get<std::int64_t>() > 1'000'000)
      refuse(message("has a '", name, "' that is no whole number from 0 to 1000000"));
    return value->get<std::uint32_t>();
  }
  const std::string& path() const { return path_; }

  [[noreturn]] void refuse(const std::string& what) const { refuse_at(path_, what); }
  [[noreturn]] static void refuse_at(const std::string& path, const std::string& what) {
    throw ConfigError({.field = path}, message("The JSON Schema ", what, "."));
  }
  // Keywords that were not asked for and mean something.
  void no_others() const {
    static const std::set<std::string> annotations{"title",      "description", "default",   "examples",
                                                   "deprecated", "readOnly",    "writeOnly", "$comment",
                                                   "$schema",    "$id",         "$defs",     "definitions"};
    for (const auto& [name, unused] : json_.items())
      if (!seen_.contains(name) && !annotations.contains(name))
        refuse_at(
            path_ + "/" + name,
            message("has the keyword '", name,
                    "', which masks do not support here; remove it, or check the rows for it afterwards"));
  }

 private:
  const Json& json_;
  std::string path_;
  std::set<std::string> seen_;
};

class JsonSchema {
 public:
  JsonSchema(Expressions& pool, std::string_view text) : pool_(pool), root_(parsed(text)) {}
  Expression text() { return value(root_, "#"); }

 private:
  static Json parsed(std::string_view text) {
    try {
      return strict_json(text);
    } catch (const ParseError& error) {
      throw ConfigError({.field = "json_schema"}, error.what());
    }
  }

  Expression value(const Json& json, const std::string& path) {
    Keywords in(json, path);
    in.find("type");  // says nothing new beside const and enum
    Expression out = Expressions::kNothing;
    if (const Json* to = in.find("$ref"))
      out = reference(*to, in);
    else if (const Json* constant = in.find("const"))
      out = pool_.literal(scalar(*constant, in));
    else if (const Json* listed = in.find("enum"))
      out = enumeration(*listed, in);
    else if (const Json* any = in.find("anyOf"))
      out = alternatives(*any, in);
    else if (const Json* all = in.find("allOf"))
      out = single(*all, in);
    else
      out = typed(in);
    in.no_others();
    if (out == Expressions::kNothing)
      in.refuse("allows no value here (an empty range or length, or no alternative)");
    return out;
  }

  Expression reference(const Json& to, Keywords& in) {
    const std::string name = to.is_string() ? to.get<std::string>() : std::string();
    for (const std::string place : {"$defs", "definitions"}) {
      const std::string prefix = "#/" + place + "/";
      if (!name.starts_with(prefix) || !root_.contains(place) ||
          !root_[place].contains(name.substr(prefix.size())))
        continue;
      if (!under_way_.insert(name).second)
        in.refuse("refers to itself through '" + name + "'; masks need an end");
      const Expression out = value(root_[place][name.substr(prefix.size())], name);
      under_way_.erase(name);
      return out;
    }
    in.refuse("has a '$ref' to '" + name + "', which is not among its $defs");
  }

  static std::string scalar(const Json& json, const Keywords& in) {
    if (json.is_array() || json.is_object())
      in.refuse("has an 'enum' or 'const' that is a list or an object; use single values");
    return json.dump();
  }

  Expression enumeration(const Json& listed, Keywords& in) {
    if (!listed.is_array() || listed.empty()) in.refuse("has an empty 'enum'; list at least one value");
    std::vector<std::string> texts;
    for (const Json& one : listed) texts.push_back(scalar(one, in));
    return labels_text(pool_, texts);
  }

  Expression alternatives(const Json& any, Keywords& in) {
    if (!any.is_array() || any.empty()) in.refuse("has an empty 'anyOf'; list at least one alternative");
    std::vector<Expression> parts;
    for (std::size_t i = 0; i < any.size(); ++i)
      parts.push_back(value(any[i], message(in.path(), "/anyOf/", i)));
    return pool_.either(std::move(parts));
  }

  Expression single(const Json& all, Keywords& in) {
    if (!all.is_array() || all.size() != 1)
      in.refuse("has an 'allOf' of several parts; masks support one part only");
    return value(all[0], in.path() + "/allOf/0");
  }

  Expression typed(Keywords& in) {
    const Json* type = in.find("type");
    if (!type)
      in.refuse(
          "has no 'type' (nor enum, const, anyOf, $ref): any value at all cannot be masked; give it a type");
    if (type->is_string()) return of_type(type->get<std::string>(), in);
    if (!type->is_array() || type->empty())
      in.refuse("has a 'type' that is neither a name nor a list of names");
    std::vector<Expression> parts;
    for (const Json& one : *type) parts.push_back(of_type(one.is_string() ? one.get<std::string>() : "", in));
    return pool_.either(std::move(parts));
  }

  Expression of_type(const std::string& type, Keywords& in) {
    if (type == "object") return object(in);
    if (type == "array") return array(in);
    if (type == "string") return string(in);
    if (type == "integer") return number(in, false);
    if (type == "number") return number(in, true);
    if (type == "boolean") return boolean_text(pool_);
    if (type == "null") return pool_.literal("null");
    in.refuse("has the type '" + type +
              "'; known are object, array, string, integer, number, boolean and null");
  }

  Expression object(Keywords& in) {
    if (const Json* more = in.find("additionalProperties"); more && !more->is_boolean())
      Keywords::refuse_at(
          in.path() + "/additionalProperties",
          "has keys of any name ('additionalProperties' with a schema); masks need fixed keys");
    const Json none = Json::object(), nobody = Json::array();
    const Json* properties = in.find("properties");
    const Json* required = in.find("required");
    if (!properties) properties = &none;
    if (!required) required = &nobody;
    if (!properties->is_object() || !required->is_array())
      in.refuse("has 'properties' or 'required' of a wrong type");
    for (const Json& name : *required)
      if (!name.is_string() || !properties->contains(name.get<std::string>()))
        in.refuse("requires a key that is not among its 'properties'");
    struct Member {
      Expression text;
      bool required;
    };
    std::vector<Member> members;
    for (const auto& [name, schema] : properties->items()) {
      const bool needed = std::ranges::find(*required, Json(name)) != required->end();
      members.push_back({pool_.sequence(pool_.literal(json_quoted(name) + ": "),
                                        value(schema, in.path() + "/properties/" + name)),
                         needed});
    }
    // From the last to the first: what follows if nothing, or something, stands before.
    Expression first = pool_.literal("}"), later = first;
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
      const Expression with_first = pool_.sequence(member->text, later);
      const Expression with_later = pool_.sequence(pool_.literal(", "), with_first);
      first = member->required ? with_first : pool_.either({first, with_first});
      later = member->required ? with_later : pool_.either({later, with_later});
    }
    return pool_.sequence(pool_.literal("{"), first);
  }

  Expression array(Keywords& in) {
    const Json* items = in.find("items");
    if (!items) in.refuse("has an array without 'items'; say what its elements are");
    const std::uint32_t least = in.count("minItems").value_or(0);
    const std::uint32_t most = in.count("maxItems").value_or(std::max(least, kLongestList));
    return list_text(pool_, value(*items, in.path() + "/items"), least, most);
  }

  Expression string(Keywords& in) {
    const auto least = in.count("minLength"), most = in.count("maxLength");
    const Json* pattern = in.find("pattern");
    const Json* format = in.find("format");
    if ((pattern || format) && (least || most))
      in.refuse(
          "has a 'pattern' or 'format' beside a length; write the length into the pattern, as in "
          "^[a-z]{2,5}$");
    if (pattern && format) in.refuse("has both 'pattern' and 'format'; use one");
    if (pattern) return patterned(*pattern, in);
    if (format) return formatted(*format, in);
    return string_text(pool_, least.value_or(0), most.value_or(std::max(least.value_or(0), kLongestText)));
  }

  Expression patterned(const Json& pattern, const Keywords& in) {
    try {
      return quoted(pool_, regex(pool_, pattern.is_string() ? pattern.get<std::string>() : "", true));
    } catch (const ConfigError& error) {
      throw ConfigError({.field = in.path() + "/pattern"}, error.what());
    }
  }

  Expression formatted(const Json& format, const Keywords& in) {
    if (format == "date") return time_text(pool_, {}, true);
    if (format == "date-time") return time_text(pool_, {}, false);
    Keywords::refuse_at(in.path() + "/format",
                        message("has the format ", format.dump(),
                                "; masks know date and date-time, and 'pattern' for all else"));
  }

  Expression number(Keywords& in, bool real) {
    Range range{in.number("minimum"), in.number("maximum")};
    if (const auto bound = in.number("exclusiveMinimum");
        bound && (!range.minimum || *bound >= *range.minimum))
      range.minimum = bound, range.open_minimum = true;
    if (const auto bound = in.number("exclusiveMaximum");
        bound && (!range.maximum || *bound <= *range.maximum))
      range.maximum = bound, range.open_maximum = true;
    const auto step = in.number("multipleOf");
    unsigned places = real ? kDecimals : 0;
    if (step) {
      places = 0;
      while (places < 9 && std::pow(10, -static_cast<int>(places)) > *step * 1.000001) ++places;
      if (std::abs(std::pow(10, -static_cast<int>(places)) - *step) > 1e-12 || (!real && places > 0))
        Keywords::refuse_at(in.path() + "/multipleOf",
                            "has a 'multipleOf' other than 1, 0.1, 0.01, ...; masks cannot count in it");
    }
    return number_text(pool_, range, real ? std::optional(places) : std::nullopt);
  }

  Expressions& pool_;
  Json root_;
  std::set<std::string> under_way_;
};

// --- our own schema

Expression value_text(Expressions& pool, const Field& field) {
  const Range range{field.minimum, field.maximum};
  switch (field.kind) {
    case Kind::real:
      return number_text(pool, range, field.decimals.value_or(kDecimals));
    case Kind::integer:
      return number_text(pool, range, std::nullopt);
    case Kind::boolean:
      return boolean_text(pool);
    case Kind::time:
      return time_text(pool, range, field.unit != "s");
    case Kind::category:
      if (!field.categories.empty()) {
        std::vector<std::string> labels;
        for (const std::string& label : field.categories) labels.push_back(json_quoted(label));
        return labels_text(pool, labels);
      }
      return string_text(pool, 1, kLongestText);
    case Kind::text: {
      const std::uint32_t least = field.minimum_length.value_or(0);
      return string_text(pool, least, field.maximum_length.value_or(std::max(least, kLongestText)));
    }
    case Kind::list: {
      Field item = field;
      item.kind = field.item;
      item.minimum_length = item.maximum_length = std::nullopt;
      item.nullable = false;
      const std::uint32_t least = field.minimum_length.value_or(0);
      return list_text(pool, value_text(pool, item), least,
                       field.maximum_length.value_or(std::max(least, kLongestList)));
    }
  }
  return Expressions::kNothing;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    throw ConfigError("A text is not valid UTF-8, so it cannot be written as JSON.");
  }
}

Expression json_schema_text(Expressions& pool, std::string_view schema) {
  return JsonSchema(pool, schema).text();
}

Expression field_text(Expressions& pool, const Field& field) {
  Expression out = value_text(pool, field);
  if (field.nullable) out = pool.either({out, pool.literal("null")});
  if (out == Expressions::kNothing)
    throw ConfigError({.field = field.name},
                      "No value fits this field: there is none between its minimum and its maximum.");
  return out;
}

}  // namespace synthema::detail
