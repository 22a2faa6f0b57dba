#include "synthema/data/field_rule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

// The next value above (direction 1) or below (-1).
double beside(const Field& field, double value, double direction) {
  if (field.kind == Kind::integer) return direction > 0 ? std::floor(value) + 1 : std::ceil(value) - 1;
  if (field.kind == Kind::time) return value + direction;
  return std::nextafter(value, direction * std::numeric_limits<double>::infinity());
}

bool holds(const FieldRule& rule, const Field& given, const Value& value) {
  if (!rule.labels.empty()) return std::ranges::find(rule.labels, value.display()) != rule.labels.end();
  if (!rule.lowest && !rule.highest) return true;
  const auto number = number_of(given, value);
  return number && (!rule.lowest || *number >= *rule.lowest) && (!rule.highest || *number <= *rule.highest);
}

void raise(std::optional<double>& minimum, double bound) {
  minimum = std::max(minimum.value_or(bound), bound);
}
void lower(std::optional<double>& maximum, double bound) {
  maximum = std::min(maximum.value_or(bound), bound);
}

void compare(Field& field, const std::string& relation, double value) {
  if (relation == ">=" || relation == "=") raise(field.minimum, value);
  if (relation == "<=" || relation == "=") lower(field.maximum, value);
  if (relation == ">") raise(field.minimum, beside(field, value, 1));
  if (relation == "<") lower(field.maximum, beside(field, value, -1));
}

// False if no label is left.
bool keep(Field& field, const std::vector<std::string>& labels) {
  if (field.categories.empty())
    field.categories = labels;
  else
    std::erase_if(field.categories,
                  [&](const std::string& label) { return std::ranges::find(labels, label) == labels.end(); });
  return !field.categories.empty();
}

bool apply(Field& field, const FieldRule& rule, const Field& given, const Value& value) {
  if (rule.minimum) raise(field.minimum, *rule.minimum);
  if (rule.maximum) lower(field.maximum, *rule.maximum);
  if (!rule.categories.empty() && !keep(field, rule.categories)) return false;
  if (!rule.relation.empty() && field.kind == Kind::category) {
    if (rule.relation == "=") return keep(field, {value.display()});
    const bool listed = !field.categories.empty();
    std::erase(field.categories, value.display());
    return !listed || !field.categories.empty();
  }
  if (const auto number = number_of(given, value); number && !rule.relation.empty())
    compare(field, rule.relation, *number);
  return !field.minimum || !field.maximum || *field.minimum <= *field.maximum;
}

}  // namespace

std::optional<double> number_of(const Field& field, const Value& value) {
  if (const auto* i = value.get_if<std::int64_t>()) return static_cast<double>(*i);
  if (const auto* r = value.get_if<double>()) return *r;
  if (const auto* t = value.get_if<Timestamp>()) return static_cast<double>(t->microseconds);
  if (const auto* text = value.get_if<std::string>(); text && field.kind == Kind::time)
    if (const auto parsed = parse_iso8601(*text)) return static_cast<double>(parsed->time.microseconds);
  return std::nullopt;
}

CombinationSet::CombinationSet(const Schema& schema, std::span<const std::string> fields) {
  for (const std::string& name : fields) {
    const Field& field = schema.at(name);
    fields_.push_back({.name = field.name, .kind = field.kind});
  }
}

std::string CombinationSet::key_of(std::span<const Value> values) const {
  std::string out;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Value& value = values[i];
    const bool text = fields_[i].kind == Kind::category || fields_[i].kind == Kind::text;
    if (value.is_null()) {
      out += '0';
    } else if (const auto number = text ? std::nullopt : number_of(fields_[i], value)) {
      const double v = *number + 0.0;  // one zero
      out += '1';
      out.append(reinterpret_cast<const char*>(&v), sizeof v);
    } else {
      const std::string shown = value.display();
      out += '2' + std::to_string(shown.size()) + ':' + shown;
    }
  }
  return out;
}

bool keeps(const Schema& schema, const GroupRule& group, const Record& values) {
  if (group.kind == "combinations") {
    if (group.rows.empty()) return true;
    CombinationSet own(schema, group.fields);
    ValueList row;
    for (const std::string& name : group.fields) {
      const Value* value = values.find(name);
      row.push_back(value ? *value : Value());
    }
    own.add(row);
    return std::ranges::any_of(group.rows, [&](const ValueList& listed) { return own.has(listed); });
  }
  const auto number = [&](const std::string& name) -> std::optional<double> {
    const Value* value = values.find(name);
    if (!value || value->is_null()) return std::nullopt;
    if (const auto* truth = value->get_if<bool>()) return *truth ? 1.0 : 0.0;
    return number_of(schema.at(name), *value);
  };
  if (group.kind == "one_hot" || group.kind == "exclusive") {
    const auto set = std::ranges::count_if(
        group.fields, [&](const std::string& name) { return number(name).value_or(0) != 0; });
    return group.kind == "one_hot" ? set == 1 : set <= 1;
  }
  if (group.kind != "sum") return true;
  const auto total = number(group.total);
  if (!total) return true;
  double sum = 0, largest = std::max(1.0, std::abs(*total));
  for (const std::string& name : group.fields) {
    const auto part = number(name);
    if (!part) return true;
    sum += *part;
    largest = std::max(largest, std::abs(*part));
  }
  return std::abs(sum - *total) <= kSumTolerance * largest;
}

namespace {

// Whether the ranges, or the labels, leave no two values that the relation allows.
bool never_holds(const FieldRule& rule, const Field& field, const Field& given) {
  const std::string& relation = rule.relation;
  if (field.kind == Kind::category)
    return relation == "=" && !field.categories.empty() && !given.categories.empty() &&
           std::ranges::none_of(field.categories, [&](const std::string& label) {
             return std::ranges::find(given.categories, label) != given.categories.end();
           });
  const auto is_apart = [&](const std::optional<double>& highest, const std::optional<double>& lowest) {
    const bool is_strict = relation == "<" || relation == ">";
    return highest && lowest && (is_strict ? *highest <= *lowest : *highest < *lowest);
  };
  const bool above = relation.starts_with('>') || relation == "=",
             below = relation.starts_with('<') || relation == "=";
  return (above && is_apart(field.maximum, given.minimum)) ||
         (below && is_apart(given.maximum, field.minimum));
}

}  // namespace

// Later fields first, so that chains of rules are followed.
Schema with_reachable_ranges(Schema schema) {
  for (std::size_t i = schema.fields.size(); i-- > 0;)
    for (const FieldRule& rule : schema.rules) {
      const Field& field = schema.fields[i];
      if (rule.field != field.name || rule.relation.empty() || !rule.labels.empty() || rule.lowest ||
          rule.highest)
        continue;
      Field& given = *std::ranges::find(schema.fields, rule.given, &Field::name);
      if (never_holds(rule, field, given))
        throw SchemaError({.field = rule.field},
                          message("The rule that depends on '", rule.given, "' (relation '", rule.relation,
                                  "') can never hold: the ranges or categories of the two fields, with the "
                                  "rules behind them, exclude each other. Correct the rule or one of them."));
      if (field.nullable) continue;
      if (rule.relation.starts_with('>') && field.maximum)
        lower(given.maximum,
              rule.relation == ">" && field.kind == Kind::integer ? *field.maximum - 1 : *field.maximum);
      if (rule.relation.starts_with('<') && field.minimum)
        raise(given.minimum,
              rule.relation == "<" && field.kind == Kind::integer ? *field.minimum + 1 : *field.minimum);
    }
  return schema;
}

std::optional<Field> narrowed(const Schema& schema, const Field& field, const Record& values) {
  Field out = field;
  for (const FieldRule& rule : schema.rules) {
    if (rule.field != field.name) continue;
    const Field& given = schema.at(rule.given);
    const Value* value = values.find(rule.given);
    if (!value || value->is_null() || !holds(rule, given, *value)) continue;
    if (!apply(out, rule, given, *value)) return std::nullopt;
  }
  return out;
}

}  // namespace synthema
