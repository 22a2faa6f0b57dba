#include "src/model/json_schema.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "src/data/strict_json.hpp"
#include "src/model/json_keywords.hpp"
#include "src/model/json_scalars.hpp"
#include "src/model/json_values.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/schema.hpp"

namespace synthema::detail {

namespace {

Value scalar(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  return json.is_string() ? Value(json.get<std::string>()) : Value();
}

// A schema without rules is one value; rules cut it into a chain of text and the values they hold between.
class JsonSchema {
 public:
  JsonSchema(Expressions& pool, std::string_view text)
      : pool_(pool), root_(parsed(text)), values_(pool, root_) {}
  AnswerChain chain() {
    AnswerChain out;
    Json rules = Json::array();
    collect_rules(root_, "#", "", rules);
    add_links(root_, "#", "", out);
    if (rules.empty()) return out;
    for (const std::string& name : ruled_)
      if (!out.schema.find(name))
        throw ConfigError(
            {.field = name},
            "The JSON Schema has a rule for a value that does not always occur; rules hold between "
            "keys of an object and of objects within it, not in lists or alternatives.");
    Json described = strict_json(to_json(out.schema));
    described["rules"] = std::move(rules);
    out.schema = schema_from_json(described.dump());
    out.values = [schema = out.schema](std::string_view text, std::size_t field) {
      return values_before(text, schema, field);
    };
    return out;
  }

 private:
  static Json parsed(std::string_view text) {
    try {
      return strict_json(text);
    } catch (const ParseError& error) {
      throw ConfigError({.field = "json_schema"}, error.what());
    }
  }

  // --- rules: see json_schema.hpp

  // What a schema is after its references, and where it stands.
  std::pair<const Json*, std::string> resolved(const Json& json, std::string path) const {
    const Json* at = &json;
    for (std::size_t i = 0; at->is_object() && at->contains("$ref") && i < kDeepestReferences; ++i) {
      const Json& to = (*at)["$ref"];
      const std::string name = to.is_string() ? to.get<std::string>() : std::string();
      at = &values_.target(name, Keywords(*at, path));
      path = name;
    }
    return {at, path};
  }
  static std::string below(const std::string& prefix, const std::string& name) {
    return prefix.empty() ? name : prefix + "." + name;
  }

  void collect_rules(const Json& given, const std::string& path, const std::string& prefix, Json& out) {
    const auto [json, here] = resolved(given, path);
    const Json properties = json->is_object() ? json->value("properties", Json()) : Json();
    if (!properties.is_object() ||
        static_cast<std::size_t>(std::ranges::count(prefix, '.')) > kDeepestReferences)
      return;
    if (const auto rules = json->find("x-rules"); rules != json->end()) {
      const Keywords in(*json, here);
      if (!rules->is_array()) in.refuse_keyword("x-rules", "has 'x-rules' that are no list");
      for (Json rule : *rules) {
        for (const char* key : {"field", "given"}) {
          if (!rule.is_object() || !rule.value(key, Json()).is_string())
            in.refuse_keyword("x-rules", message("has a rule without the name of its '", key, "'"));
          rule[key] = below(prefix, rule[key].get<std::string>());
          ruled_.insert(rule[key].get<std::string>());
        }
        out.push_back(std::move(rule));
      }
    }
    const Json required = json->value("required", Json::array());
    for (const auto& [name, schema] : properties.items())
      if (std::ranges::find(required, Json(name)) != required.end())
        collect_rules(schema, message(here, "/properties/", name), below(prefix, name), out);
  }

  bool leads_to_rules(const std::string& prefix) const {
    return std::ranges::any_of(
        ruled_, [&](const std::string& name) { return prefix.empty() || name.starts_with(prefix + "."); });
  }

  void add_links(const Json& given, const std::string& path, const std::string& prefix, AnswerChain& out) {
    if (!prefix.empty() && ruled_.contains(prefix)) {
      out.links.push_back({.field = out.schema.fields.size()});
      out.schema.fields.push_back(ruled_field(given, path, prefix));
      return;
    }
    const auto [json, here] = resolved(given, path);
    if (!leads_to_rules(prefix) || !json->is_object() || !json->contains("properties")) {
      out.links.push_back({values_.whole(given, path)});
      return;
    }
    Keywords in(*json, here);
    for (const char* known : {"type", "x-rules", "required", "additionalProperties"}) in.find(known);
    const Json& properties = *in.find("properties");
    in.no_others();
    std::string before = "{";
    for (const auto& [name, schema] : properties.items()) {
      if (name.find_first_of("./~") != std::string::npos && ruled_.contains(below(prefix, name)))
        in.refuse("has a rule for the key '" + name + "'; rules cannot name keys with '.', '/' or '~'");
      out.links.push_back({pool_.literal(before + json_quoted(name) + ": ")});
      add_links(schema, message(here, "/properties/", name), below(prefix, name), out);
      before = ", ";
    }
    out.links.push_back({pool_.literal("}")});
  }

  Field ruled_field(const Json& given, const std::string& path, const std::string& name) {
    const auto [json, here] = resolved(given, path);
    Keywords in(*json, here);
    Field field{.name = name, .nullable = false};
    if (const Json* parts = in.find("anyOf")) {  // a value or null
      const auto is_null = [](const Json& part) { return part == Json{{"type", "null"}}; };
      const auto value = std::ranges::find_if_not(*parts, is_null);
      if (parts->size() != 2 || std::ranges::count_if(*parts, is_null) != 1) refuse_ruled(in);
      in.no_others();
      field = ruled_field(*value, here + "/anyOf", name);
      field.nullable = true;
      return field;
    }
    const Json* type = in.find("type");
    const Json* listed = in.find("enum");
    const Json* constant = in.find("const");
    if (listed || constant)
      read_labels(field, in, listed ? *listed : Json::array({*constant}));
    else if (type && *type == "boolean")
      field.kind = Kind::boolean;
    else if (type && (*type == "integer" || *type == "number"))
      read_number(field, in, *type == "number");
    else
      read_time(field, in);
    in.no_others();
    return field;
  }
  static void read_labels(Field& field, const Keywords& in, const Json& labels) {
    in.need_list(labels, "enum");
    field.kind = Kind::category;
    for (const Json& one : labels) {
      if (!one.is_string()) refuse_ruled(in);
      field.categories.push_back(one.get<std::string>());
    }
  }
  static void read_number(Field& field, Keywords& in, bool real) {
    field.kind = real ? Kind::real : Kind::integer;
    field.minimum = in.number("minimum"), field.maximum = in.number("maximum");
    if (real) return;  // bounds that are excluded stay unknown keywords
    if (const auto bound = in.number("exclusiveMinimum"))
      field.minimum = std::max(field.minimum.value_or(*bound), std::floor(*bound) + 1);
    if (const auto bound = in.number("exclusiveMaximum"))
      field.maximum = std::min(field.maximum.value_or(*bound), std::ceil(*bound) - 1);
  }
  static void read_time(Field& field, Keywords& in) {
    const Json* format = in.find("format");
    if (!format || (*format != "date" && *format != "date-time")) refuse_ruled(in);
    field.kind = Kind::time;
    field.unit = *format == "date" ? "" : "s";
    field.minimum = time_bound(in, "formatMinimum"), field.maximum = time_bound(in, "formatMaximum");
  }
  [[noreturn]] static void refuse_ruled(const Keywords& in) {
    in.refuse(
        "has a rule for this value; rules know numbers, dates, booleans and enumerations of texts, or one of "
        "them beside null");
  }

  static Record values_before(std::string_view text, const Schema& schema, std::size_t field) {
    const auto open = static_cast<std::size_t>(std::ranges::count(schema.fields[field].name, '.')) + 1;
    return ruled_values(strict_json(std::string(text) + "null" + std::string(open, '}')), schema, field);
  }

  Expressions& pool_;
  Json root_;
  JsonValues values_;
  std::set<std::string> ruled_;  // values that rules name, by their paths
};

}  // namespace

Record ruled_values(const Json& json, const Schema& schema, std::size_t fields) {
  Record out;
  for (std::size_t i = 0; i < fields; ++i) {
    std::string path = "/" + schema.fields[i].name;
    std::ranges::replace(path, '.', '/');
    if (const Json::json_pointer place(path); json.contains(place))
      out.set(schema.fields[i].name, scalar(json[place]));
  }
  return out;
}

AnswerChain json_schema_chain(Expressions& pool, std::string_view schema) {
  return JsonSchema(pool, schema).chain();
}

}  // namespace synthema::detail
