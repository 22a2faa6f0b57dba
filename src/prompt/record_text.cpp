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
    const auto unit = static_cast<double>(field.unit == "s" ? detail::kSecond : detail::kDay);
    return std::floor(value / unit) * unit;
  }
  const unsigned places = field.decimals.value_or(detail::kDecimals);
  if (field.kind != Kind::real || std::abs(value) > static_cast<double>(detail::kLargestReal) ||
      !detail::written_numbers({value, value}, places).empty())
    return value;
  const double unit = std::pow(10, places);
  return std::round(value * unit) / unit;
}

// Leaves one value.
void fix(Field& field, const Value& value) {
  field.nullable = false;
  const bool is_label =
      field.kind == Kind::category || field.kind == Kind::text || field.kind == Kind::boolean;
  if (const auto number = number_of(field, value); number && !is_label) {
    field.minimum = field.maximum = written_number(field, *number);
  } else if (is_label) {
    field.kind = Kind::category;
    field.categories = {value.display()};
    field.minimum_length = field.maximum_length = std::nullopt;
  } else {
    throw ConfigError({.field = field.name},
                      message("A rule depends on this field of the condition, but a value of kind ",
                              name_of(field.kind), " cannot be fixed in the record."));
  }
}

Field item_of(const Field& list) {
  return {.name = list.name, .kind = list.item, .unit = list.unit, .decimals = list.decimals};
}

template <class Change>
Value changed_items(const Field& list, const ValueList& items, const Change& change) {
  const Field item = item_of(list);
  ValueList out;
  for (const Value& one : items) out.push_back(change(item, one));
  return out;
}

// The value in the field's kind, where it can be one of it: 1 is the label "1", and the truth of a boolean.
Value in_kind(const Field& field, const Value& value) {
  if (const auto* items = value.get_if<ValueList>()) return changed_items(field, *items, in_kind);
  const bool is_text = field.kind == Kind::category || field.kind == Kind::text;
  if (is_text && !value.is_null() && !value.get_if<Timestamp>()) return value.display();
  const auto number = number_of(field, value);
  if (!number) return value;
  if (field.kind == Kind::boolean && (*number == 0 || *number == 1)) return *number == 1;
  const bool is_whole = std::floor(*number) == *number && std::abs(*number) <= 1e15;
  return field.kind == Kind::integer && is_whole ? Value(static_cast<std::int64_t>(*number)) : value;
}

// As the mask of the field writes it.
Value written(const Field& field, const Value& value) {
  if (const auto* items = value.get_if<ValueList>()) return changed_items(field, *items, written);
  if (const auto* time = value.get_if<Timestamp>()) {
    const double whole = written_number(field, static_cast<double>(time->microseconds));
    const std::string text = to_iso8601({static_cast<std::int64_t>(whole)});
    return field.unit == "s" ? text : text.substr(0, text.find('T'));
  }
  const auto* real = value.get_if<double>();
  return real && field.kind == Kind::real ? Value(written_number(field, *real)) : in_kind(field, value);
}

}  // namespace

Schema asked_fields(const Schema& schema, const Record& condition) {
  const Record known = in_kinds(schema, condition);
  const auto given = [&](const std::string& name) {
    const Value* value = known.find(name);
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

Record in_kinds(const Schema& schema, Record condition) {
  const Record given = condition;
  for (const auto& [name, value] : given)
    if (const Field* field = schema.find(name)) condition.set(name, in_kind(*field, value));
  return condition;
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
