#include "synthema/prompt/record_text.hpp"

#include <algorithm>
#include <cmath>

#include "src/data/written_range.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

// The value, or the one beside it that can be written: the row keeps the condition's own.
double written_number(const Field& field, double value) {
  if (field.kind == Kind::time) {
    const double unit = field.unit == "s" ? 1e6 : 86'400e6;
    return std::floor(value / unit) * unit;
  }
  const unsigned places = field.decimals.value_or(detail::kDecimals);
  if (field.kind != Kind::real || !detail::written_numbers({value, value}, places).empty()) return value;
  const double unit = std::pow(10, places);
  return std::round(value * unit) / unit;
}

// Leaves one value.
void fix(Field& field, const Value& value) {
  field.nullable = false;
  if (const auto number = number_of(field, value);
      number && field.kind != Kind::category && field.kind != Kind::text) {
    field.minimum = field.maximum = written_number(field, *number);
  } else if (field.kind == Kind::category || field.kind == Kind::text) {
    field.kind = Kind::category;
    field.categories = {value.display()};
    field.minimum_length = field.maximum_length = std::nullopt;
  } else {
    throw ConfigError({.field = field.name},
                      message("A rule depends on this field of the condition, but a value of kind ",
                              name_of(field.kind), " cannot be fixed in the record."));
  }
}

Value written(const Field& field, const Value& value) {
  const auto* time = value.get_if<Timestamp>();
  if (!time) return value;
  const std::string text = to_iso8601(*time);
  return field.unit == "s" ? text : text.substr(0, text.find('T'));
}

}  // namespace

Schema asked_fields(const Schema& schema, const Record& condition) {
  const auto given = [&](const std::string& name) {
    const Value* value = condition.find(name);
    return value && !value->is_null() ? value : nullptr;
  };
  Schema out = schema;
  out.groups.clear();  // no mask tells them; rows are checked against them
  std::erase_if(out.rules, [&](const FieldRule& rule) { return given(rule.field) != nullptr; });
  std::erase_if(out.fields, [&](const Field& field) {
    return given(field.name) &&
           std::ranges::find(out.rules, field.name, &FieldRule::given) == out.rules.end();
  });
  if (std::ranges::all_of(out.fields, [&](const Field& field) { return given(field.name) != nullptr; }))
    throw ConfigError({.field = "schema"},
                      "The condition has all fields of the schema, so nothing is left to write.");
  // Rules for other labels than the condition's say nothing.
  std::erase_if(out.rules, [&](const FieldRule& rule) {
    const Value* value = given(rule.given);
    return value && !rule.labels.empty() &&
           std::ranges::find(rule.labels, value->display()) == rule.labels.end();
  });
  for (FieldRule& rule : out.rules)
    if (const Value* value = given(rule.given); value && !rule.labels.empty())
      rule.labels = {value->display()};
  for (Field& field : out.fields)
    if (const Value* value = given(field.name)) fix(field, *value);
  for (const Field& field : out.fields) detail::require_written(field);
  return out;
}

std::string record_text(const Schema& schema, const Record& record) {
  Record out;
  for (const Field& field : schema.fields) {
    const Value* value = record.find(field.name);
    out.set(field.name, value ? written(field, *value) : Value());
  }
  return to_json(out);
}

Record with_answer(Record condition, const Schema& asked, std::string_view answer) {
  for (const auto& [name, value] : record_from_json(answer)) {
    const Field* field = asked.find(name);
    const auto* text = value.get_if<std::string>();
    const auto time = field && field->kind == Kind::time && text ? parse_iso8601(*text) : std::nullopt;
    if (!condition.find(name)) condition.set(name, time ? Value(time->time) : value);
  }
  return condition;
}

}  // namespace synthema
