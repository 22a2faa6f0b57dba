#include "synthema/generate/schema_check.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/error.hpp"
#include "synthema/data/column.hpp"

namespace synthema {

namespace {

std::optional<double> number_of(const Value& value) {
  if (const auto* i = value.get_if<std::int64_t>()) return static_cast<double>(*i);
  if (const auto* r = value.get_if<double>()) return *r;
  if (const auto* t = value.get_if<Timestamp>()) return static_cast<double>(t->microseconds);
  return std::nullopt;
}

bool converts(const Field& field, const Value& value) {
  try {
    ColumnBuilder(field).append(value);
    return true;
  } catch (const SchemaError&) {
    return false;
  }
}

bool in_range(const Field& field, const Value& value) {
  const auto number = number_of(value);
  if (!number) return true;
  return std::isfinite(*number) && (!field.minimum || *number >= *field.minimum) &&
         (!field.maximum || *number <= *field.maximum);
}

bool known_category(const Field& field, const Value& value) {
  const auto* label = value.get_if<std::string>();
  if (field.kind != Kind::category || field.categories.empty() || !label) return true;
  return std::ranges::find(field.categories, *label) != field.categories.end();
}

std::optional<std::string> misfit(const Field& field, const Value* value) {
  if (!value || value->is_null()) {
    if (field.nullable) return std::nullopt;
    return message("The field '", field.name, "' has no value, but it must have one.");
  }
  if (!in_range(field, *value)) return message("The field '", field.name, "' is outside its range.");
  if (!known_category(field, *value))
    return message("The field '", field.name, "' has a label that is not among its categories.");
  if (!converts(field, *value))
    return message("The field '", field.name, "' must be ", name_of(field.kind), ", but it is ",
                   value->kind_name(), ".");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> schema_misfit(const Schema& schema, const Record& values) {
  for (const Field& field : schema.fields)
    if (auto problem = misfit(field, values.find(field.name))) return problem;
  return std::nullopt;
}

}  // namespace synthema
