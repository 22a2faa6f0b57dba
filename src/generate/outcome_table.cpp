#include "synthema/generate/outcome_table.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

Kind kind_of(const Value& value) {
  constexpr Kind kinds[] = {Kind::text, Kind::boolean, Kind::integer, Kind::real,
                            Kind::time, Kind::text,    Kind::list};
  return kinds[value.variant().index()];
}

Kind common(Kind a, Kind b) {
  if (a == b) return a;
  const auto number = [](Kind k) { return k == Kind::integer || k == Kind::real; };
  return number(a) && number(b) ? Kind::real : Kind::text;
}

void widen(Field& field, const Value& value, bool first) {
  field.kind = first ? kind_of(value) : common(field.kind, kind_of(value));
  const auto* items = value.get_if<ValueList>();
  if (field.kind == Kind::list && items && !items->empty()) field.item = kind_of(items->front());
}

// Values that do not convert to the kind of their column are shown as text.
Record fitted(const Schema& schema, const Record& record) {
  Record out;
  for (const auto& [name, value] : record) {
    const Field* field = schema.find(name);
    if (!field) continue;
    const bool shown = field->kind == Kind::text && !value.is_null() && !value.get_if<std::string>();
    out.set(name, shown ? Value(value.display()) : value);
  }
  return out;
}

Table table_of(Schema schema, std::span<const Record> records, std::span<const std::string> without_zone) {
  std::vector<Record> fit;
  for (const Record& record : records) fit.push_back(fitted(schema, record));
  return Table::from_records(std::move(schema), fit, without_zone);
}

void take_terms(Schema& schema, const Schema* terms) {
  if (!terms) return;
  schema.name = terms->name, schema.source = terms->source, schema.licence = terms->licence;
  schema.terms = terms->terms, schema.language = terms->language;
  schema.may_leave_machine = terms->may_leave_machine;
}

// In the order of the columns.
Record head_of(const RowOutcome& o) {
  return {{"row_id", static_cast<std::int64_t>(o.row)},
          {"attempt", static_cast<std::int64_t>(o.attempt)},
          {"accepted", o.accepted()},
          {"check", o.accepted() ? Value() : Value(o.check)},
          {"reason", o.accepted() ? Value() : Value(o.reason)},
          {"must_not_leave", o.must_not_leave}};
}

Record tail_of(const Provenance& p) {
  ValueList exemplars;
  for (const std::uint64_t e : p.exemplars) exemplars.emplace_back(static_cast<std::int64_t>(e));
  return {{"prompt_tokens", static_cast<std::int64_t>(p.tokens.prompt)},
          {"free_tokens", static_cast<std::int64_t>(p.tokens.free)},
          {"masked_tokens", static_cast<std::int64_t>(p.tokens.masked)},
          {"forced_tokens", static_cast<std::int64_t>(p.tokens.forced)},
          {"questions", static_cast<std::int64_t>(p.questions)},
          {"finish", p.finish},
          {"digest", p.digest},
          {"exemplars", std::move(exemplars)}};
}

Schema with_fields(std::vector<Field> fields) {
  Schema schema;
  schema.fields = std::move(fields);
  return schema;
}

Field counted(const char* name) {
  return {.name = name, .kind = Kind::integer, .nullable = false};
}

Schema attempts_schema(const Schema& values) {
  std::vector<Field> fields{counted("row_id"), counted("attempt")};
  fields.push_back({.name = "accepted", .kind = Kind::boolean, .nullable = false});
  fields.push_back({.name = "check"});
  fields.push_back({.name = "reason"});
  fields.push_back({.name = "must_not_leave", .kind = Kind::boolean, .nullable = false});
  fields.insert(fields.end(), values.fields.begin(), values.fields.end());
  for (const char* name : {"prompt_tokens", "free_tokens", "masked_tokens", "forced_tokens", "questions"})
    fields.push_back(counted(name));
  fields.push_back({.name = "finish"});
  fields.push_back({.name = "digest"});
  fields.push_back({.name = "exemplars", .kind = Kind::list, .item = Kind::integer});
  return with_fields(std::move(fields));
}

Record joined(const RowOutcome& o) {
  Record record = o.values;
  for (const auto& [name, value] : o.condition)
    if (!record.find(name)) record.set(name, value);
  return record;
}

void require_free(const Schema& values) {
  const Schema own = attempts_schema({});
  for (const Field& field : values.fields)
    if (own.find(field.name))
      throw ConfigError({.field = field.name},
                        "A row may not have a value of this name: the table of attempts uses it.");
}

}  // namespace

Schema infer_schema(std::span<const Record> records) {
  std::vector<Field> fields;
  std::vector<bool> seen;  // a value that is not null
  for (const Record& record : records)
    for (const auto& [name, value] : record) {
      auto field = std::ranges::find(fields, name, &Field::name);
      if (field == fields.end()) {
        fields.push_back({.name = name});
        seen.push_back(false);
        field = fields.end() - 1;
      }
      const auto index = static_cast<std::size_t>(field - fields.begin());
      if (value.is_null()) continue;
      widen(*field, value, !seen[index]);
      seen[index] = true;
    }
  return with_fields(std::move(fields));
}

Table rows_table(std::span<const RowOutcome> outcomes, const Schema* schema,
                 std::span<const std::string> without_zone) {
  std::vector<Record> records;
  for (const RowOutcome& o : outcomes)
    if (o.accepted()) records.push_back(o.values);
  if (!schema) return table_of(infer_schema(records), records, without_zone);
  for (Record& record : records) {
    Record kept;
    for (const Field& field : schema->fields)
      if (const Value* value = record.find(field.name)) kept.set(field.name, *value);
    record = std::move(kept);
  }
  return Table::from_records(*schema, records, without_zone);
}

Table attempts_table(std::span<const RowOutcome> outcomes, const Schema* terms,
                     std::span<const std::string> without_zone) {
  std::vector<Record> values;
  for (const RowOutcome& o : outcomes) values.push_back(joined(o));
  Schema of_values = infer_schema(values);
  require_free(of_values);
  std::vector<Record> records;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Record record = head_of(outcomes[i]);
    for (const auto& [name, value] : values[i]) record.set(name, value);
    for (const auto& [name, value] : tail_of(outcomes[i].provenance)) record.set(name, value);
    records.push_back(std::move(record));
  }
  Schema schema = attempts_schema(of_values);
  take_terms(schema, terms);
  return table_of(std::move(schema), records, without_zone);
}

}  // namespace synthema
