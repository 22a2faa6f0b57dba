#include "synthema/data/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <type_traits>

#include "src/data/strict_json.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

using detail::Json;

constexpr std::array<std::string_view, 7> kKinds = {"real", "integer", "category", "boolean",
                                                    "text", "time",    "list"};
constexpr std::array<std::string_view, 6> kRoles = {"identifier", "subject", "label",
                                                    "time",       "target",  "sensitive"};

template <std::size_t N>
std::string list_of(const std::array<std::string_view, N>& words) {
  std::string out;
  for (const std::string_view w : words) out += (out.empty() ? "" : ", ") + std::string(w);
  return out;
}

template <class E, std::size_t N>
E word_to(std::string_view word, const std::array<std::string_view, N>& words, const char* what) {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i] == word) return static_cast<E>(i);
  throw SchemaError(message("'", word, "' is no ", what, "; use one of: ", list_of(words), "."));
}

void check_text(const Field& field, std::string_view text, const char* what) {
  if (!is_valid_utf8(text)) throw SchemaError({.field = field.name}, message("The ", what, " is not UTF-8."));
}

void check_range(const Field& field) {
  const bool numeric = field.kind == Kind::real || field.kind == Kind::integer || field.kind == Kind::time;
  if (!field.minimum && !field.maximum) return;
  if (!numeric)
    throw SchemaError(
        {.field = field.name},
        message("Only real, integer and time fields have a minimum or maximum, but the kind is ",
                name_of(field.kind), "."));
  for (const auto& bound : {field.minimum, field.maximum})
    if (bound && !std::isfinite(*bound))
      throw SchemaError({.field = field.name},
                        "The minimum or maximum is not a finite number; leave it out.");
  if (field.minimum && field.maximum && *field.minimum > *field.maximum)
    throw SchemaError({.field = field.name}, "The minimum is above the maximum; swap them.");
}

void check_categories(const Field& field) {
  if (field.categories.empty()) return;
  const bool fits =
      field.kind == Kind::category || (field.kind == Kind::list && field.item == Kind::category);
  if (!fits)
    throw SchemaError(
        {.field = field.name},
        message("Only category fields list their categories, but the kind is ", name_of(field.kind), "."));
  std::set<std::string_view> seen;
  for (const std::string& label : field.categories) {
    check_text(field, label, "category");
    if (!seen.insert(label).second)
      throw SchemaError({.field = field.name}, "A category is listed twice; list each label once.");
  }
}

void check_roles(const Field& field) {
  std::set<Role> seen;
  for (const Role role : field.roles)
    if (!seen.insert(role).second)
      throw SchemaError({.field = field.name}, message("The role '", name_of(role), "' is given twice."));
}

void check_lengths(const Field& field) {
  const bool has_length = field.kind == Kind::text || field.kind == Kind::list;
  if ((field.minimum_length || field.maximum_length) && !has_length)
    throw SchemaError(
        {.field = field.name},
        message("Only text and list fields have a length, but the kind is ", name_of(field.kind), "."));
  if (field.minimum_length && field.maximum_length && *field.minimum_length > *field.maximum_length)
    throw SchemaError({.field = field.name}, "The minimum length is above the maximum length; swap them.");
  if (field.decimals && field.kind != Kind::real)
    throw SchemaError({.field = field.name},
                      message("Only real fields have decimals, but the kind is ", name_of(field.kind), "."));
  if (field.decimals && *field.decimals > 9)
    throw SchemaError({.field = field.name}, "A real field is written with at most 9 decimals.");
}

void check_field(const Field& field) {
  check_text(field, field.name, "field name");
  if (field.kind == Kind::list && field.item == Kind::list)
    throw SchemaError({.field = field.name}, "A list of lists is not supported; use one list per field.");
  check_range(field);
  check_categories(field);
  check_lengths(field);
  check_roles(field);
}

// --- rules between fields

bool is_number(const Field& field) {
  return field.kind == Kind::real || field.kind == Kind::integer || field.kind == Kind::time;
}

[[noreturn]] void refuse_rule(const FieldRule& rule, const std::string& what) {
  throw SchemaError({.field = rule.field}, message("The rule that depends on '", rule.given, "' ", what));
}

// The rule as it could be: a relation says the same from its other end.
std::string turned_round(const FieldRule& rule) {
  static const std::map<std::string_view, std::string_view> other_end{
      {"<", ">"}, {"<=", ">="}, {"=", "="}, {">=", "<="}, {">", "<"}, {"!=", "!="}};
  const auto at = other_end.find(rule.relation);
  if (at == other_end.end() || rule.field == rule.given) return "";
  return message(" Write it as field '", rule.given, "', given '", rule.field, "', relation '", at->second,
                 "'.");
}

void check_labels(const FieldRule& rule, const Field& field, const std::vector<std::string>& labels) {
  for (const std::string& label : labels)
    if (field.kind == Kind::boolean && label != "true" && label != "false")
      refuse_rule(rule, message("names a label of '", field.name, "' that is neither 'true' nor 'false'."));
  if (field.kind != Kind::category || field.categories.empty()) return;
  for (const std::string& label : labels)
    if (std::ranges::find(field.categories, label) == field.categories.end())
      refuse_rule(rule, message("names a label that is not among the categories of '", field.name, "'."));
}

void check_relation(const FieldRule& rule, const Field& field, const Field& given) {
  constexpr std::array<std::string_view, 6> relations{"<", "<=", "=", ">=", ">", "!="};
  if (std::ranges::find(relations, rule.relation) == relations.end())
    refuse_rule(rule,
                message("has the relation '", rule.relation, "'; use one of: ", list_of(relations), "."));
  const bool equality = rule.relation == "=" || rule.relation == "!=";
  const bool labels = field.kind == Kind::category && given.kind == Kind::category;
  const bool numbers =
      is_number(field) && is_number(given) && (field.kind == Kind::time) == (given.kind == Kind::time);
  if (!(labels && equality) && !(numbers && rule.relation != "!="))
    refuse_rule(rule, message("compares a field of kind ", name_of(field.kind), " with one of kind ",
                              name_of(given.kind), " by '", rule.relation,
                              "'; numbers and times are compared by order, categories by '=' and '!='."));
}

void check_rule(const FieldRule& rule, const Field& field, const Field& given) {
  if (!rule.labels.empty() && (rule.lowest || rule.highest))
    refuse_rule(rule, "has both labels and a range; use one.");
  check_labels(rule, given, rule.labels);
  if ((rule.lowest || rule.highest) && !is_number(given))
    refuse_rule(rule,
                message("has a range, but the kind of '", given.name, "' is ", name_of(given.kind), "."));
  if (rule.lowest && rule.highest && *rule.lowest > *rule.highest)
    refuse_rule(rule, "has a range whose start is above its end.");
  if (rule.relation.empty() && !rule.minimum && !rule.maximum && rule.categories.empty())
    refuse_rule(rule, "says nothing; give a relation, a minimum, a maximum or categories.");
  if (!rule.relation.empty()) check_relation(rule, field, given);
  if ((rule.minimum || rule.maximum) && !is_number(field))
    refuse_rule(rule, message("sets a minimum or maximum, but the kind is ", name_of(field.kind), "."));
  const auto lowest = std::max(rule.minimum, field.minimum);  // nothing is below everything
  const auto highest = rule.maximum && field.maximum ? std::min(rule.maximum, field.maximum)
                       : rule.maximum                ? rule.maximum
                                                     : field.maximum;
  if (lowest && highest && *lowest > *highest)
    refuse_rule(rule, "leaves no value between minimum and maximum.");
  if (!rule.categories.empty() && field.kind != Kind::category && field.kind != Kind::boolean)
    refuse_rule(rule, message("lists categories, but the kind is ", name_of(field.kind), "."));
  check_labels(rule, field, rule.categories);
}

[[noreturn]] void refuse_group(const GroupRule& group, const std::string& what) {
  throw SchemaError({.field = group.fields.empty() ? "groups" : group.fields.front()},
                    message("The group '", group.kind, "' of this field ", what));
}

bool fits(const Field& field, const Value& value) {
  switch (field.kind) {
    case Kind::boolean:
      return value.get_if<bool>() != nullptr;
    case Kind::real:
      return value.get_if<double>() || value.get_if<std::int64_t>();
    case Kind::integer:
      return value.get_if<std::int64_t>() ||
             (value.get_if<double>() && std::floor(*value.get_if<double>()) == *value.get_if<double>());
    case Kind::time:
      return value.get_if<Timestamp>() || (value.get_if<std::string>() && number_of(field, value));
    default:
      return value.get_if<std::string>() && is_valid_utf8(value.text());
  }
}

void check_combinations(const Schema& schema, const GroupRule& group) {
  if (group.kind != "combinations" && !group.rows.empty())
    refuse_group(group, "has no rows; leave them out.");
  std::vector<const Field*> fields;
  std::vector<std::set<std::string_view>> labels;
  for (const std::string& name : group.fields) {
    fields.push_back(&schema.at(name));
    labels.emplace_back(fields.back()->categories.begin(), fields.back()->categories.end());
  }
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    const ValueList& row = group.rows[i];
    if (row.size() != fields.size())
      refuse_group(group, message("has ", row.size(), " values in its row ", i, ", but ", fields.size(),
                                  " fields; list one value for each."));
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (row[k].is_null()) continue;
      if (!fits(*fields[k], row[k]))
        refuse_group(group, message("has a value of kind ", row[k].kind_name(), " for '", fields[k]->name,
                                    "' in its row ", i, ", but that field is of kind ",
                                    name_of(fields[k]->kind), "."));
      if (!labels[k].empty() && !labels[k].contains(row[k].text()))
        refuse_group(group, message("lists '", row[k].text(), "' for '", fields[k]->name,
                                    "', which is not among the categories of that field."));
    }
  }
}

void check_group(const Schema& schema, const GroupRule& group) {
  constexpr std::array<std::string_view, 5> kinds{"one_hot", "exclusive", "sum", "unique", "combinations"};
  if (std::ranges::find(kinds, group.kind) == kinds.end())
    refuse_group(group, message("is of no known kind; use one of: ", list_of(kinds), "."));
  const bool unique = group.kind == "unique", sum = group.kind == "sum",
             any_kind = unique || group.kind == "combinations";
  if (group.fields.size() < (unique ? 1U : 2U)) refuse_group(group, "has too few fields.");
  std::set<std::string_view> seen;
  std::vector<std::string> names = group.fields;
  if (sum) names.push_back(group.total);
  if (sum == group.total.empty()) refuse_group(group, sum ? "needs a total." : "has no total; leave it out.");
  for (const std::string& name : names) {
    const Field& field = schema.at(name);
    if (!seen.insert(name).second) refuse_group(group, message("names '", name, "' twice."));
    const bool number = field.kind == Kind::real || field.kind == Kind::integer;
    const bool right = any_kind ? field.kind != Kind::list : number || (!sum && field.kind == Kind::boolean);
    if (!right)
      refuse_group(group, message("cannot have '", name, "', which is of kind ", name_of(field.kind), "."));
  }
  check_combinations(schema, group);
}

// --- JSON form

template <class T>
void put(Json& json, const char* key, const T& value, const T& usual) {
  if (value != usual) json[key] = value;
}

Json to_object(const Field& field) {
  const Field usual;
  Json json = {{"name", field.name}, {"kind", name_of(field.kind)}};
  for (const Role role : field.roles) json["roles"].push_back(name_of(role));
  put(json, "description", field.description, usual.description);
  put(json, "unit", field.unit, usual.unit);
  if (field.minimum) json["minimum"] = *field.minimum;
  if (field.maximum) json["maximum"] = *field.maximum;
  put(json, "categories", field.categories, usual.categories);
  put(json, "code_system", field.code_system, usual.code_system);
  put(json, "nullable", field.nullable, usual.nullable);
  if (field.kind == Kind::list) json["item"] = name_of(field.item);
  if (field.minimum_length) json["minimum_length"] = *field.minimum_length;
  if (field.maximum_length) json["maximum_length"] = *field.maximum_length;
  if (field.decimals) json["decimals"] = *field.decimals;
  return json;
}

Json to_object(const FieldRule& rule) {
  const FieldRule usual;
  Json json = {{"field", rule.field}, {"given", rule.given}};
  put(json, "labels", rule.labels, usual.labels);
  if (rule.lowest) json["lowest"] = *rule.lowest;
  if (rule.highest) json["highest"] = *rule.highest;
  put(json, "relation", rule.relation, usual.relation);
  if (rule.minimum) json["minimum"] = *rule.minimum;
  if (rule.maximum) json["maximum"] = *rule.maximum;
  put(json, "categories", rule.categories, usual.categories);
  return json;
}

Json to_object(const GroupRule& group) {
  Json json = {{"kind", group.kind}, {"fields", group.fields}};
  put(json, "total", group.total, std::string());
  for (const ValueList& row : group.rows) {
    Json& values = json["rows"].emplace_back(Json::array());
    for (const Value& value : row) values.push_back(Json::parse(to_json(value)));
  }
  return json;
}

constexpr const char *kText = "a text", *kTexts = "a list of texts", *kTruth = "true or false";

// Reads the members of one object and refuses those it was not asked for. `what`: "Rule 2", as people count.
class Members {
 public:
  Members(const Json& json, Location where, std::string what)
      : json_(json), where_(std::move(where)), what_(std::move(what)) {
    if (!json.is_object()) refuse("It must be a JSON object.");
  }
  // `wanted` says what the value should be.
  template <class Read>
  void member(const char* key, const Read& read, const char* wanted = "") {
    known_.push_back(key);
    const auto found = json_.find(key);
    if (found == json_.end()) return;
    try {
      read(*found);
    } catch (const Json::type_error&) {
      refuse(message("The value of '", key, "' has the wrong type", *wanted ? "; it should be " : "", wanted,
                     "."));
    } catch (const SchemaError& error) {
      refuse(message("'", key, "': ", error.what()));
    }
  }
  template <class T>
  void value(const char* key, T& out) {
    member(
        key, [&](const Json& v) { out = v.get<T>(); },
        std::is_same_v<T, bool>          ? kTruth
        : std::is_same_v<T, std::string> ? kText
                                         : kTexts);
  }
  void bound(const char* key, std::optional<double>& out) {
    member(
        key,
        [&](const Json& v) {
          if (!v.is_string()) return void(out = v.get<double>());
          const auto time = parse_iso8601(v.get<std::string>());
          if (!time) refuse(message("The value of '", key, "' is neither a number nor a date."));
          out = static_cast<double>(time->time.microseconds);
        },
        "a number or a date");
  }
  void count(const char* key, std::optional<std::uint32_t>& out) {
    member(
        key,
        [&](const Json& v) {
          const auto value = v.get<std::int64_t>();
          if (!v.is_number_integer() || value < 0 || value > UINT32_MAX)
            refuse(message("The value of '", key, "' must be a whole number from 0 on."));
          out = static_cast<std::uint32_t>(value);
        },
        "a whole number from 0 on");
  }
  void no_others() const {
    for (const auto& [key, unused] : json_.items()) {
      bool known = false;
      std::string names;
      for (const char* k : known_) known |= key == k, names += (names.empty() ? "" : ", ") + std::string(k);
      if (!known) refuse(message("The key '", key, "' is not known here; known are: ", names, "."));
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { throw ParseError(where_, what_ + ": " + why); }

  const Json& json_;
  Location where_;
  std::string what_;
  std::vector<const char*> known_;
};

// What errors call a field or rule: its text under this key, where it has one.
std::string called(const Json& json, const char* key) {
  const auto text = json.find(key);
  return text != json.end() && text->is_string() ? text->get<std::string>() : std::string();
}

Field field_from(const Json& json, const std::string& file, const std::string& what) {
  Members in(json, {.file = file, .field = called(json, "name")}, what);
  Field field;
  in.value("name", field.name);
  in.member("kind", [&](const Json& v) { field.kind = kind_from(v.get<std::string>()); }, kText);
  in.member(
      "roles",
      [&](const Json& v) {
        for (const auto& word : v.get<std::vector<std::string>>()) field.roles.push_back(role_from(word));
      },
      kTexts);
  in.value("description", field.description);
  in.value("unit", field.unit);
  in.bound("minimum", field.minimum);
  in.bound("maximum", field.maximum);
  in.member(
      "categories",
      [&](const Json& v) {
        field.categories = v.get<std::vector<std::string>>();
        if (v.empty())
          throw SchemaError("The list is empty, so no value is possible; list one, or leave it out.");
      },
      kTexts);
  in.value("code_system", field.code_system);
  in.value("nullable", field.nullable);
  in.member("item", [&](const Json& v) { field.item = kind_from(v.get<std::string>()); });
  in.count("minimum_length", field.minimum_length);
  in.count("maximum_length", field.maximum_length);
  in.count("decimals", field.decimals);
  in.no_others();
  return field;
}

FieldRule rule_from(const Json& json, const std::string& file, const std::string& what) {
  Members in(json, {.file = file, .field = called(json, "field")}, what);
  FieldRule rule;
  in.value("field", rule.field);
  in.value("given", rule.given);
  in.value("labels", rule.labels);
  in.bound("lowest", rule.lowest);
  in.bound("highest", rule.highest);
  in.value("relation", rule.relation);
  in.bound("minimum", rule.minimum);
  in.bound("maximum", rule.maximum);
  in.value("categories", rule.categories);
  in.no_others();
  return rule;
}

GroupRule group_from(const Json& json, const std::string& file, const std::string& what) {
  Members in(json, {.file = file, .field = called(json, "kind")}, what);
  GroupRule group;
  in.value("kind", group.kind);
  in.value("fields", group.fields);
  in.value("total", group.total);
  in.member("rows", [&](const Json& v) {
    for (const Json& row : v) {
      if (!row.is_array()) throw SchemaError("A row is a list of values, one for each field.");
      ValueList& values = group.rows.emplace_back();
      for (const Json& value : row) values.push_back(value_from_json(value.dump()));
    }
  });
  in.no_others();
  return group;
}

void check_version(const Json& version, const std::string& file) {
  if (version != 1)
    throw ParseError({.file = file},
                     "The schema has another version than 1, the only one this library reads.");
}

}  // namespace

std::string_view name_of(Kind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}
std::string_view name_of(Role role) {
  return kRoles[static_cast<std::size_t>(role)];
}
Kind kind_from(std::string_view name) {
  return word_to<Kind>(name, kKinds, "kind of field");
}
Role role_from(std::string_view name) {
  return word_to<Role>(name, kRoles, "role of a field");
}

const Field* Schema::find(std::string_view wanted) const {
  for (const Field& field : fields)
    if (field.name == wanted) return &field;
  return nullptr;
}

const Field& Schema::at(std::string_view wanted) const {
  if (const Field* field = find(wanted)) return *field;
  std::string names;
  for (const Field& field : fields) names += (names.empty() ? "'" : ", '") + field.name + "'";
  throw SchemaError({.field = std::string(wanted)},
                    message("The schema has no such field; it has ", names.empty() ? "none" : names, "."));
}

std::vector<const Field*> Schema::with_role(Role role) const {
  std::vector<const Field*> out;
  for (const Field& field : fields)
    if (field.has(role)) out.push_back(&field);
  return out;
}

const Field* Schema::subject() const {
  const auto subjects = with_role(Role::subject);
  return subjects.empty() ? nullptr : subjects.front();
}

void Schema::check() const {
  std::set<std::string_view> names;
  for (const Field& field : fields) {
    if (field.name.empty())
      throw SchemaError("A field of the schema has an empty name; every field needs a name of its own.");
    if (!names.insert(field.name).second)
      throw SchemaError({.field = field.name},
                        "Two fields of the schema have this name; rename one of them.");
    check_field(field);
  }
  for (const FieldRule& rule : rules) {
    const Field &limited = at(rule.field), &given = at(rule.given);
    if (&given >= &limited)
      refuse_rule(rule,
                  message("needs that field to stand before the field that it limits.", turned_round(rule)));
    check_rule(rule, limited, given);
  }
  for (const GroupRule& group : groups) check_group(*this, group);
  if (with_role(Role::subject).size() > 1)
    throw SchemaError({.field = with_role(Role::subject)[1]->name},
                      "A second field has the role 'subject'; at most one field names the subject of a row.");
}

std::string to_json(const Schema& schema) {
  const Schema usual;
  Json json = {{"version", 1}};
  put(json, "name", schema.name, usual.name);
  put(json, "source", schema.source, usual.source);
  put(json, "licence", schema.licence, usual.licence);
  put(json, "terms", schema.terms, usual.terms);
  put(json, "language", schema.language, usual.language);
  put(json, "may_leave_machine", schema.may_leave_machine, usual.may_leave_machine);
  json["fields"] = Json::array();
  for (const Field& field : schema.fields) json["fields"].push_back(to_object(field));
  for (const FieldRule& rule : schema.rules) json["rules"].push_back(to_object(rule));
  for (const GroupRule& group : schema.groups) json["groups"].push_back(to_object(group));
  try {
    return json.dump();
  } catch (const Json::type_error&) {
    throw SchemaError("A text of the schema is not valid UTF-8, so it cannot be written as JSON.");
  }
}

Schema schema_from_json(std::string_view text, const std::string& file) {
  const Json json = detail::strict_json(text, {.file = file});
  Members in(json, {.file = file}, "Schema");
  Schema schema;
  in.member("version", [&](const Json& v) { check_version(v, file); });
  in.value("name", schema.name);
  in.value("source", schema.source);
  in.value("licence", schema.licence);
  in.value("terms", schema.terms);
  in.value("language", schema.language);
  in.value("may_leave_machine", schema.may_leave_machine);
  const auto each = [&](const char* key, const char* one, const auto& read, auto& out) {
    in.member(
        key,
        [&](const Json& list) {
          if (!list.is_array()) throw SchemaError("It must be a list.");
          for (const Json& item : list) out.push_back(read(item, file, message(one, ' ', out.size() + 1)));
        },
        "a list");
  };
  each("fields", "Field", field_from, schema.fields);
  each("rules", "Rule", rule_from, schema.rules);
  each("groups", "Group", group_from, schema.groups);
  in.no_others();
  try {
    schema.check();
  } catch (const SchemaError& error) {  // which does not know the file
    if (file.empty()) throw;
    const std::string where = error.where().text();
    throw SchemaError({.file = file, .field = error.where().field},
                      error.what() + (where.empty() ? 0 : where.size() + 2));
  }
  return schema;
}

}  // namespace synthema
