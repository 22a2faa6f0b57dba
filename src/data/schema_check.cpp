#include "synthema/data/schema_check.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/error.hpp"
#include "synthema/data/column.hpp"
#include "synthema/data/field_rule.hpp"

namespace synthema {

namespace {

bool converts(const Field& field, const Value& value) {
  try {
    ColumnBuilder(field).append(value);
    return true;
  } catch (const SchemaError&) {
    return false;
  }
}

bool in_range(const Field& field, const Value& value) {
  const auto number = number_of(field, value);
  if (!number) return true;
  return std::isfinite(*number) && (!field.minimum || *number >= *field.minimum) &&
         (!field.maximum || *number <= *field.maximum);
}

bool known_category(const Field& field, const Value& value) {
  if (field.kind == Kind::boolean && value.get_if<bool>() && !field.categories.empty())  // by a rule
    return std::ranges::find(field.categories, value.display()) != field.categories.end();
  const auto* label = value.get_if<std::string>();
  if (field.kind != Kind::category || field.categories.empty() || !label) return true;
  return std::ranges::find(field.categories, *label) != field.categories.end();
}

// Texts in characters, lists in elements.
bool fits_length(const Field& field, const Value& value) {
  std::size_t length = 0;
  if (const auto* text = value.get_if<std::string>(); text && field.kind == Kind::text)
    length = static_cast<std::size_t>(
        std::ranges::count_if(*text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  else if (const auto* items = value.get_if<ValueList>(); items && field.kind == Kind::list)
    length = items->size();
  else
    return true;
  return length >= field.minimum_length.value_or(0) &&
         (!field.maximum_length || length <= *field.maximum_length);
}

std::optional<std::string> misfit(const Field& field, const Value* value) {
  if (!value || value->is_null()) {
    if (field.nullable) return std::nullopt;
    return message("The field '", field.name, "' has no value, but it must have one.");
  }
  if (!in_range(field, *value)) return message("The field '", field.name, "' is outside its range.");
  if (!known_category(field, *value))
    return message("The field '", field.name, "' has a label that is not among its categories.");
  if (!fits_length(field, *value)) return message("The field '", field.name, "' is too short or too long.");
  if (!converts(field, *value))
    return message("The field '", field.name, "' must be ", name_of(field.kind), ", but it is ",
                   value->kind_name(), ".");
  return std::nullopt;
}

std::string listed(const Schema& schema) {
  std::string out;
  for (const Field& field : schema.fields) out += message(out.empty() ? "'" : ", '", field.name, "'");
  return out;
}

bool not_finite(const Value& value) {
  if (const auto* number = value.get_if<double>()) return !std::isfinite(*number);
  const auto* items = value.get_if<ValueList>();
  return items && std::ranges::any_of(*items, not_finite);
}

}  // namespace

std::optional<std::string> drop_not_finite(Record& values) {
  std::optional<std::string> reason;
  const Record given = values;
  for (const auto& [name, value] : given)
    if (not_finite(value)) {
      values.set(name, {});
      reason =
          message("The field '", name, "' is NaN or an infinity; leave a missing number without a value.");
    }
  return reason;
}

std::optional<std::string> broken_rule(const Schema& schema, const Record& values) {
  for (const FieldRule& rule : schema.rules) {
    const Field& field = schema.at(rule.field);
    const Value* value = values.find(rule.field);
    if (!value || value->is_null()) continue;
    const std::optional<Field> left = narrowed(schema, field, values);
    if (!left || !in_range(*left, *value) || !known_category(*left, *value))
      return message("The field '", rule.field, "' breaks its rule, which depends on '", rule.given, "'.");
  }
  return std::nullopt;
}

std::optional<std::string> given_misfit(const Schema& schema, const Record& given) {
  for (const Field& field : schema.fields)
    if (const Value* value = given.find(field.name); value && !value->is_null())
      if (auto problem = misfit(field, value)) return problem;
  return broken_rule(schema, given);
}

std::optional<std::string> schema_misfit(const Schema& schema, const Record& values,
                                         const Record& condition) {
  for (const auto& [name, value] : values)
    if (!schema.find(name) && !condition.find(name))
      return message("The row has a field '", name, "' that the schema does not know; its fields are ",
                     listed(schema), ".");
  for (const Field& field : schema.fields)
    if (auto problem = misfit(field, values.find(field.name))) return problem;
  if (auto problem = broken_rule(schema, values)) return problem;
  for (const GroupRule& group : schema.groups)
    if (!keeps(schema, group, values))
      return message("The field '", group.fields.front(), "' and those of its group break the rule '",
                     group.kind, "'.");
  return std::nullopt;
}

}  // namespace synthema
