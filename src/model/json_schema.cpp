#include "src/model/json_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/data/strict_json.hpp"
#include "src/model/json_text.hpp"
#include "src/model/regex.hpp"
#include "src/model/text_sets.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kMostReferences = 20'000;  // unrolled
constexpr std::size_t kDeepestReferences = 100;  // different ones, each inside the one before
constexpr std::size_t kMostCompared = 200'000;   // pairs of states, to tell alternatives apart

// A value in the spelling of json_text.hpp.
std::string spelt(const Json& json) {
  if (json.is_string()) return json_quoted(json.get<std::string>());
  if (!json.is_structured()) return json.dump();
  std::string out;
  for (const auto& [name, value] : json.items()) {
    if (!out.empty()) out += ", ";
    if (json.is_object()) out += json_quoted(name) + ": ";
    out += spelt(value);
  }
  return json.is_object() ? "{" + out + "}" : "[" + out + "]";
}

bool is_of(const Json& value, const Json& type) {
  return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
         (type == "null" && value.is_null()) || (type == "number" && value.is_number()) ||
         (type == "integer" && value.is_number_integer());
}

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
  void need_list(const Json& value, const char* name) const {
    if (!value.is_array() || value.empty())
      refuse(message("has an empty '", name, "'; list at least one ",
                     name == std::string_view("enum") ? "value" : "part"));
  }
  const std::string& path() const { return path_; }

  [[noreturn]] void refuse(const std::string& what) const { refuse_at(path_, what); }
  [[noreturn]] void refuse_keyword(const char* name, const std::string& what) const {
    refuse_at(path_ + "/" + name, what);
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
  [[noreturn]] static void refuse_at(const std::string& path, const std::string& what) {
    throw ConfigError({.field = path}, message("The JSON Schema ", what, "."));
  }
  const Json& json_;
  std::string path_;
  std::set<std::string> seen_;
};

class JsonSchema {
 public:
  JsonSchema(Expressions& pool, std::string_view text) : pool_(pool), root_(parsed(text)) {}
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
      at = &target(name, Keywords(*at, path));
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
      out.links.push_back({whole(given, path)});
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
    const Json json = strict_json(std::string(text) + "null" + std::string(open, '}'));
    Record out;
    for (std::size_t i = 0; i < field; ++i) {
      std::string path = "/" + schema.fields[i].name;
      std::ranges::replace(path, '.', '/');
      if (const Json::json_pointer place(path); json.contains(place))
        out.set(schema.fields[i].name, scalar(json[place]));
    }
    return out;
  }
  static Value scalar(const Json& json) {
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) return json.get<std::int64_t>();
    if (json.is_number()) return json.get<double>();
    return json.is_string() ? Value(json.get<std::string>()) : Value();
  }

  // --- values, and references

  // A value that is not left out: it must have an end.
  Expression whole(const Json& json, const std::string& path) {
    const Expression out = value(json, path);
    if (out == Expressions::kNothing)
      throw ConfigError(
          {.field = endless_},
          "The JSON Schema refers to itself here and leaves no way to end; make the reference optional, one "
          "alternative of 'anyOf', or the 'items' of a list that may be empty.");
    return out;
  }

  // kNothing only where a reference to itself is unrolled no further: then cut_ is set.
  Expression value(const Json& json, const std::string& path) {
    Keywords in(json, path);
    const bool cut_before = std::exchange(cut_, false);
    const Expression out = read(in);
    in.no_others();
    if (out == Expressions::kNothing && !cut_)
      in.refuse("allows no value here (an empty range or length, or no alternative)");
    cut_ |= cut_before;
    return out;
  }

  Expression read(Keywords& in) {
    in.find("type");  // beside const and enum it only says again what they are
    if (const Json* to = in.find("$ref")) return reference(*to, in);
    if (const Json* constant = in.find("const")) return pool_.literal(spelt(*constant));
    if (const Json* listed = in.find("enum")) return labels_text(pool_, enumeration(*listed, in));
    if (const Json* any = in.find("anyOf")) return pool_.either(alternatives(*any, in, "anyOf"));
    if (const Json* one = in.find("oneOf")) return exactly_one(*one, in);
    if (const Json* all = in.find("allOf")) return single(*all, in);
    return typed(in);
  }

  // --- references

  const Json& target(const std::string& name, const Keywords& in) const {
    try {
      if (name.starts_with('#')) return root_.at(Json::json_pointer(name.substr(1)));
    } catch (const Json::exception&) {  // no such place
    }
    in.refuse("has a '$ref' to '" + name + "', which is no place in it");
  }

  Expression reference(const Json& to, const Keywords& in) {
    const std::string name = to.is_string() ? to.get<std::string>() : std::string();
    const Json& schema = target(name, in);
    const std::string called = name + ' ' + tag_;
    const auto here = std::pair(called, under_way_);
    for (const auto& key : {std::pair(called, decltype(under_way_)()), here})
      if (const auto known = unrolled_.find(key); known != unrolled_.end()) {
        cut_ |= known->second.cut;
        return known->second.text;
      }
    if (under_way_.size() >= kDeepestReferences || unrolled_.size() >= kMostReferences)
      in.refuse("follows too many references from one definition to the next; use fewer of them");
    const auto times = under_way_.find(name);
    if (times != under_way_.end() && times->second > kDeepestNesting) {
      endless_ = in.path();
      cut_ = true;
      return Expressions::kNothing;
    }
    ++under_way_[name];
    const bool cut_before = std::exchange(cut_, false);
    const Expression out = value(schema, name);
    under_way_ = here.second;
    // What never comes to itself is the same wherever it stands.
    unrolled_.emplace(cut_ ? here : std::pair(called, decltype(under_way_)()), Unrolled{out, cut_});
    cut_ |= cut_before;
    return out;
  }

  // --- values of any type

  std::vector<std::string> enumeration(const Json& listed, Keywords& in) {
    const Json* type = in.find("type");
    std::vector<std::string> texts;
    in.need_list(listed, "enum");
    for (const Json& one : listed) {
      const bool fits = !type || (type->is_array() ? std::ranges::any_of(
                                                         *type, [&](const Json& t) { return is_of(one, t); })
                                                   : is_of(one, *type));
      if (fits) texts.push_back(spelt(one));
    }
    if (texts.empty()) in.refuse("has an 'enum' without a value of its 'type'");
    return texts;
  }

  // Where pydantic tells alternatives apart by a key, it must be written even if it has a default.
  std::vector<Expression> alternatives(const Json& listed, Keywords& in, const char* name) {
    const Json* discriminator = in.find("discriminator");
    const Json key =
        discriminator && discriminator->is_object() ? discriminator->value("propertyName", Json()) : Json();
    std::vector<Expression> parts;
    in.need_list(listed, name);
    for (std::size_t i = 0; i < listed.size(); ++i) {
      tag_ = key.is_string() ? key.get<std::string>() : "";
      parts.push_back(value(listed[i], message(in.path(), "/", name, "/", i)));
      tag_.clear();
    }
    return parts;
  }

  // A value must fit one alternative only. Masks go by the union, so no two may have a text in common.
  Expression exactly_one(const Json& listed, Keywords& in) {
    const std::vector<Expression> parts = alternatives(listed, in, "oneOf");
    for (std::size_t a = 0; a < parts.size(); ++a)
      for (std::size_t b = a + 1; b < parts.size(); ++b)
        if (!pool_.exclude(parts[a], parts[b], kMostCompared))
          in.refuse_keyword("oneOf",
                            message("has the alternatives ", a, " and ", b,
                                    ", which the same value may fit; tell them apart by a key with a "
                                    "'const', or write 'anyOf'"));
    return pool_.either(parts);
  }

  Expression single(const Json& all, const Keywords& in) {
    in.need_list(all, "allOf");
    if (all.size() != 1)
      in.refuse_keyword("allOf", "has an 'allOf' of several parts; masks support one part only");
    return value(all[0], in.path() + "/allOf/0");
  }

  Expression typed(Keywords& in) {
    const Json* type = in.find("type");
    if (!type)
      in.refuse(
          "has no 'type' (nor enum, const, anyOf, oneOf, $ref): any value at all cannot be masked; give it a "
          "type");
    if (type->is_string()) return of_type(type->get<std::string>(), in);
    in.need_list(*type, "type");
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

  // The values of a schema that has few of them and lists them; nothing if it does not.
  std::optional<std::vector<std::string>> labels(const Json& json, std::size_t followed = 0) {
    if (!json.is_object() || followed > kDeepestReferences) return std::nullopt;
    if (const auto to = json.find("$ref"); to != json.end() && to->is_string())
      return labels(target(to->get<std::string>(), Keywords(json, "#")), followed + 1);
    if (const auto constant = json.find("const"); constant != json.end())
      return std::vector{spelt(*constant)};
    if (const auto listed = json.find("enum"); listed != json.end() && listed->is_array()) {
      std::vector<std::string> out;
      for (const Json& one : *listed) out.push_back(spelt(one));
      return out;
    }
    if (json.value("type", Json()) == "boolean") return std::vector<std::string>{"false", "true"};
    return std::nullopt;
  }

  // --- objects

  Expression object(Keywords& in) {
    static const Json none = Json::object(), nobody = Json::array();
    const std::string tag = std::exchange(tag_, {});
    const Json* properties = in.find("properties");
    const Json* required = in.find("required");
    const Json* more = in.find("additionalProperties");
    const bool keyed = more && more->is_object();
    const std::uint32_t least = in.count("minProperties").value_or(0),
                        most = in.count("maxProperties").value_or(Expressions::kUnbounded);
    if (!properties && !keyed) {
      in.no_others();
      in.refuse("has an object without 'properties'; say which keys it has, and of which type");
    }
    if (!properties) properties = &none;
    if (!required) required = &nobody;
    if (!properties->is_object() || !required->is_array())
      in.refuse("has 'properties' or 'required' of a wrong type");
    std::vector<Member> members;
    for (const auto& [name, schema] : properties->items())
      add_member(members, json_quoted(name), value(schema, in.path() + "/properties/" + name),
                 name == tag || std::ranges::find(*required, Json(name)) != required->end());
    if (keyed) add_keyed(members, *more, *required, in);
    for (const Json& name : *required)
      if (!name.is_string() || !(properties->contains(name.get<std::string>()) || keyed))
        in.refuse("requires a key that is not among its 'properties'");
    return members_text(pool_, members, least, most, "{", "}");
  }

  // A key whose value cannot be written (a reference that is unrolled no further) is left out.
  void add_member(std::vector<Member>& members, const std::string& key, Expression value, bool required) {
    if (value == Expressions::kNothing && !required) return;
    members.push_back({pool_.sequence(pool_.literal(key + ": "), value), required});
  }

  // A dict: keys of an enumeration, so that none is written twice.
  void add_keyed(std::vector<Member>& members, const Json& more, const Json& required, Keywords& in) {
    const Json* names = in.find("propertyNames");
    if (names) value(*names, in.path() + "/propertyNames");  // refuses what is wrong with it
    const auto keys = names ? labels(*names) : std::nullopt;
    if (!keys)
      in.refuse_keyword("additionalProperties",
                        "has keys of any name, which masks cannot keep apart; say which keys there are "
                        "('propertyNames' with "
                        "an 'enum', as of dict[Literal['a', 'b'], int]), or use a list of objects");
    const Expression written = value(more, in.path() + "/additionalProperties");
    for (const std::string& key : *keys)
      if (key.starts_with('"'))
        add_member(members, key, written,
                   std::ranges::any_of(required, [&](const Json& name) { return spelt(name) == key; }));
  }

  // --- lists

  Expression array(Keywords& in) {
    const auto least = in.count("minItems").value_or(0),
               given = in.count("maxItems").value_or(Expressions::kUnbounded);
    const Json* items = in.find("items");
    const Json* unique = in.find("uniqueItems");
    if (const Json* first = in.find("prefixItems"); first && !first->empty())
      return tuple(*first, items, least, given, unique, in);
    if (given == 0) return least == 0 ? pool_.literal("[]") : Expressions::kNothing;
    if (!items) in.refuse("has an array without 'items'; say what its elements are");
    if (least > given) return Expressions::kNothing;
    if (unique && *unique == true) return set(*items, least, given, in);
    const std::uint32_t most = std::min(given, std::max(least, kLongestList));
    return list_text(pool_, value(*items, in.path() + "/items"), least, in.find("maxItems") ? given : most);
  }

  // Elements by place, then any number of `items` (none if it is absent).
  Expression tuple(const Json& first, const Json* items, std::uint32_t least, std::uint32_t most,
                   const Json* unique, const Keywords& in) {
    if (!first.is_array()) in.refuse_keyword("prefixItems", "has 'prefixItems' that are no list");
    if (unique && *unique == true)
      in.refuse_keyword(
          "uniqueItems",
          "has a tuple of different elements, which masks cannot keep apart; remove 'uniqueItems'");
    const auto size = static_cast<std::uint32_t>(first.size());
    const bool more = items && items->is_object() && most > size;
    // From the last place to the first: what follows there.
    Expression rest = pool_.literal("]");
    if (more) {
      const Expression item = value(*items, in.path() + "/items");
      const std::uint32_t longest =
          most == Expressions::kUnbounded ? std::max(least, size + kLongestList) : most;
      rest = pool_.sequence(pool_.repeat(pool_.sequence(pool_.literal(", "), item),
                                         least > size ? least - size : 0, longest - size),
                            rest);
    } else if (least > size) {
      return Expressions::kNothing;
    }
    for (std::uint32_t i = size; i-- > 0;) {
      const Expression item = value(first[i], message(in.path(), "/prefixItems/", i));
      const Expression with = pool_.sequence({pool_.literal(i == 0 ? "" : ", "), item, rest});
      const Expression end = i >= least ? pool_.literal("]") : Expressions::kNothing;
      rest = i >= most ? end : pool_.either({end, with});
    }
    return pool_.sequence(pool_.literal("["), rest);
  }

  // Different elements, in the order of their enumeration.
  Expression set(const Json& items, std::uint32_t least, std::uint32_t most, const Keywords& in) {
    value(items, in.path() + "/items");  // refuses what is wrong with it
    const auto listed = labels(items);
    if (!listed)
      in.refuse_keyword(
          "uniqueItems",
          "has different elements of any value, which masks cannot keep apart; let 'items' list "
          "them ('enum'), or remove 'uniqueItems'");
    std::vector<Member> members;
    for (const std::string& text : *listed) members.push_back({pool_.literal(text)});
    return members_text(pool_, members, least, most, "[", "]");
  }

  // --- strings

  Expression string(Keywords& in) {
    const auto least = in.count("minLength"), most = in.count("maxLength");
    const Json* pattern = in.find("pattern");
    const Json* format = in.find("format");
    if (pattern && format) in.refuse("has both 'pattern' and 'format'; use one");
    if (format && *format != "binary") {
      const Expression out = formatted(format->is_string() ? format->get<std::string>() : format->dump(), in);
      if (least || most)
        in.refuse_keyword("format",
                          "has a 'format' beside a length; remove the length, the format has its own");
      return out;
    }
    const std::uint32_t from = least.value_or(0);
    if (!pattern) return string_text(pool_, from, most.value_or(std::max(from, kLongestText)));
    return quoted(pool_, patterned(*pattern, from, most.value_or(Expressions::kUnbounded), in));
  }

  Expression patterned(const Json& pattern, std::uint32_t least, std::uint32_t most, const Keywords& in) {
    try {
      const Expression any = regex(pool_, pattern.is_string() ? pattern.get<std::string>() : "", true);
      return pool_.of_length(any, least, most);
    } catch (const ConfigError& error) {
      throw ConfigError({.field = in.path() + "/pattern"}, error.what());
    }
  }

  Expression formatted(const std::string& format, Keywords& in) {
    if (format == "date" || format == "date-time")
      return time_text(pool_, {time_bound(in, "formatMinimum"), time_bound(in, "formatMaximum")},
                       format == "date");
    if (format == "time") return quoted(pool_, times(pool_, 0, 86'399));
    if (format == "duration")
      return quoted(pool_, regex(pool_, R"(P(0|[1-9]\d{0,3})D(T(\d|1\d|2[0-3])H((\d|[1-5]\d)M)?)?)"));
    // RFC 9562: the version is a digit, the variant the two bits 10.
    if (const bool any = format == "uuid"; any || (format.size() == 5 && format.starts_with("uuid") &&
                                                   format.back() >= '1' && format.back() <= '8'))
      return quoted(pool_, regex(pool_, message("[0-9a-f]{8}-[0-9a-f]{4}-", any ? "[1-8]" : format.substr(4),
                                                "[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
    in.refuse_keyword("format",
                      message("has the format '", format,
                              "'; masks know date, date-time, time, duration, uuid and binary, and 'pattern' "
                              "for all else"));
  }

  static std::optional<double> time_bound(Keywords& in, const char* name) {
    const Json* bound = in.find(name);
    if (!bound) return std::nullopt;
    const auto parsed = bound->is_string() ? parse_iso8601(bound->get<std::string>()) : std::nullopt;
    if (!parsed) in.refuse_keyword(name, message("has a '", name, "' that is no date in ISO 8601"));
    return static_cast<double>(parsed->time.microseconds);
  }

  // --- numbers

  Expression number(Keywords& in, bool real) {
    NumberRange range{in.number("minimum"), in.number("maximum")};
    if (const auto bound = in.number("exclusiveMinimum");
        bound && (!range.minimum || *bound >= *range.minimum))
      range.minimum = bound, range.open_minimum = true;
    if (const auto bound = in.number("exclusiveMaximum");
        bound && (!range.maximum || *bound <= *range.maximum))
      range.maximum = bound, range.open_maximum = true;
    const auto step = in.number("multipleOf");
    if (!step) return number_text(pool_, range, real ? std::optional(kDecimals) : std::nullopt);
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
    if (digits == 1) return number_text(pool_, range, real ? std::optional(places) : std::nullopt);
    const auto listed = multiples_text(pool_, range, static_cast<std::int64_t>(digits), places);
    if (!listed)
      in.refuse_keyword("multipleOf", message("leaves more than ", kMostMultiples, " multiples of ", *step,
                                              "; give a smaller range, or use 1, 0.1, 0.01, ..."));
    return *listed;
  }

  struct Unrolled {
    Expression text;
    bool cut;
  };
  Expressions& pool_;
  Json root_;
  std::map<std::string, unsigned> under_way_;  // how often each reference is being followed
  std::map<std::pair<std::string, std::map<std::string, unsigned>>, Unrolled> unrolled_;
  std::set<std::string> ruled_;  // values that rules name, by their paths
  std::string tag_;              // the key that tells the next object from other alternatives
  bool cut_ = false;             // a reference was not followed, for it was followed often enough
  std::string endless_;          // where
};

}  // namespace

AnswerChain json_schema_chain(Expressions& pool, std::string_view schema) {
  return JsonSchema(pool, schema).chain();
}

}  // namespace synthema::detail
