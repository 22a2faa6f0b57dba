#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/evaluate/fidelity/plausibility.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

// One thing that the schema says, and which rows break it.
struct Statement {
  std::string text;
  std::function<bool(std::size_t row)> broken;
};

std::string number_text(double value) {
  return Value(value).display();
}

// A column of labels or texts where the schema has numbers: no value can be right.
void add_kind(std::vector<Statement>& out, const Field& field, const Column& column) {
  if (!detail::is_number(field.kind) || detail::is_number(column.kind())) return;
  out.push_back({message(field.name, " is a number, not ", name_of(column.kind())),
                 [&column](std::size_t row) { return !column.is_null(row); }});
}

void add_range(std::vector<Statement>& out, const Field& field, const Column& column) {
  if (!detail::is_number(column.kind()) || (!field.minimum && !field.maximum)) return;
  const double low = field.minimum.value_or(-std::numeric_limits<double>::infinity()),
               high = field.maximum.value_or(std::numeric_limits<double>::infinity());
  std::string text = field.name + " within";
  text += field.minimum ? " " + number_text(low) : " ...";
  text += field.maximum ? " to " + number_text(high) : " or more";
  if (!field.unit.empty()) text += " " + field.unit;
  out.push_back({std::move(text), [&column, low, high](std::size_t row) {
                   const double value = column.is_null(row) ? low : column.number_at(row);
                   return !column.is_null(row) && !(value >= low && value <= high);
                 }});
}

void add_labels(std::vector<Statement>& out, const Field& field, const Column& column) {
  if (field.categories.empty() || (!detail::is_category(column.kind()) && column.kind() != Kind::text))
    return;
  auto allowed = std::make_shared<const std::set<std::string, std::less<>>>(field.categories.begin(),
                                                                            field.categories.end());
  out.push_back({field.name + " among its categories", [&column, allowed](std::size_t row) {
                   return !column.is_null(row) && !allowed->contains(detail::category_at(column, row));
                 }});
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void add_length(std::vector<Statement>& out, const Field& field, const Column& column) {
  if (!field.minimum_length && !field.maximum_length) return;
  if (column.kind() != Kind::text && column.kind() != Kind::list) return;
  const std::size_t low = field.minimum_length.value_or(0),
                    high = field.maximum_length.value_or(std::numeric_limits<std::uint32_t>::max());
  out.push_back({field.name + " of allowed length", [&column, low, high](std::size_t row) {
                   if (column.is_null(row)) return false;
                   const std::size_t length =
                       column.kind() == Kind::text
                           ? characters(column.text_at(row))
                           : static_cast<std::size_t>(column.offsets()[row + 1] - column.offsets()[row]);
                   return length < low || length > high;
                 }});
}

std::string text_of(const FieldRule& rule) {
  std::string out = rule.field;
  if (!rule.relation.empty()) out += " " + rule.relation + " " + rule.given;
  if (rule.minimum) out += " at least " + number_text(*rule.minimum);
  if (rule.maximum) out += " at most " + number_text(*rule.maximum);
  if (!rule.categories.empty()) out += " among " + counted(rule.categories.size(), "label");
  if (!rule.labels.empty()) {
    out += " where " + rule.given + " is " + rule.labels.front();
    if (rule.labels.size() > 1) out += " or another of " + counted(rule.labels.size(), "label");
  } else if (rule.lowest || rule.highest) {
    out += " where " + rule.given + " is in its range";
  } else if (rule.relation.empty()) {
    out += " where " + rule.given + " is there";
  }
  return out;
}

bool fits(const Field& field, const Value& value) {
  if (const auto number = number_of(field, value))
    return (!field.minimum || *number >= *field.minimum) && (!field.maximum || *number <= *field.maximum);
  const bool named = value.get_if<std::string>() || value.get_if<bool>();
  return !named || field.categories.empty() ||
         std::ranges::find(field.categories, value.display()) != field.categories.end();
}

// "!=" leaves no list behind where any label is allowed, so it is compared here.
bool differs(const FieldRule& rule, const Value& value, const Value& given) {
  return rule.relation != "!=" || value.display() != given.display();
}

void add_rule(std::vector<Statement>& out, const Schema& schema, const FieldRule& rule, const Table& table) {
  if (!table.has(rule.field) || !table.has(rule.given)) return;
  auto alone = std::make_shared<Schema>();
  alone->fields = {schema.at(rule.field), schema.at(rule.given)};
  for (Field& field : alone->fields) field.minimum.reset(), field.maximum.reset(), field.categories.clear();
  alone->rules = {rule};
  const Column &column = table.column(rule.field), &given = table.column(rule.given);
  out.push_back({text_of(rule), [alone, &column, &given](std::size_t row) {
                   if (column.is_null(row) || given.is_null(row)) return false;
                   const FieldRule& only = alone->rules.front();
                   const Value value = column.value_at(row), other = given.value_at(row);
                   Record record;
                   record.set(only.given, other);
                   const std::optional<Field> left = narrowed(*alone, alone->fields.front(), record);
                   return !left || !fits(*left, value) || !differs(only, value, other);
                 }});
}

std::string text_of(const GroupRule& group) {
  std::string out = group.kind == "one_hot"     ? "exactly one of "
                    : group.kind == "exclusive" ? "at most one of "
                    : group.kind == "sum"       ? group.total + " is the sum of "
                    : group.kind == "unique"    ? "no two rows alike in "
                                                : "a known combination of ";
  for (std::size_t i = 0; i < group.fields.size(); ++i) out += (i > 0 ? ", " : "") + group.fields[i];
  return out;
}

// Those that the schema lists, else those that the real rows have.
void add_combinations(std::vector<Statement>& out, const Schema& schema, const GroupRule& group,
                      const Table& table, const Table* real) {
  const auto values_of = [&names = group.fields](const Table& rows, std::size_t row) {
    ValueList values;
    for (const std::string& name : names) values.push_back(rows.column(name).value_at(row));
    return values;
  };
  auto known = std::make_shared<CombinationSet>(schema, group.fields);
  for (const ValueList& row : group.rows) known->add(row);
  if (group.rows.empty()) {
    if (!real || !std::ranges::all_of(group.fields, [&](const std::string& n) { return real->has(n); }))
      return;
    for (std::size_t row = 0; row < real->rows(); ++row) known->add(values_of(*real, row));
  }
  auto broken = std::make_shared<std::vector<char>>(table.rows());
  for (std::size_t row = 0; row < table.rows(); ++row)
    (*broken)[row] = known->has(values_of(table, row)) ? 0 : 1;
  out.push_back({text_of(group), [broken](std::size_t row) { return (*broken)[row] == 1; }});
}

void add_group(std::vector<Statement>& out, const Schema& schema, const GroupRule& group, const Table& table,
               const Table* real) {
  std::vector<std::string> names = group.fields;
  if (!group.total.empty()) names.push_back(group.total);
  if (!std::ranges::all_of(names, [&](const std::string& name) { return table.has(name); })) return;
  if (group.kind == "combinations") return add_combinations(out, schema, group, table, real);
  const auto record = [names, &table](std::size_t row) {
    Record values;
    for (const std::string& name : names) values.set(name, table.column(name).value_at(row));
    return values;
  };
  if (group.kind != "unique") {
    out.push_back({text_of(group),
                   [group, &schema, record](std::size_t row) { return !keeps(schema, group, record(row)); }});
    return;
  }
  // A row is at fault where an earlier one has the same key.
  auto again = std::make_shared<std::vector<char>>(table.rows());
  std::set<std::string> seen;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::string key;
    for (const std::string& name : names) key += table.column(name).value_at(row).display() + '\0';
    (*again)[row] = seen.insert(std::move(key)).second ? 0 : 1;
  }
  out.push_back({text_of(group), [again](std::size_t row) { return (*again)[row] == 1; }});
}

std::vector<Statement> statements_of(const Schema& schema, const Table& table, const Table* real) {
  std::vector<Statement> out;
  for (const Field& field : schema.fields) {
    if (!table.has(field.name)) continue;
    const Column& column = table.column(field.name);
    add_kind(out, field, column);
    add_range(out, field, column);
    add_labels(out, field, column);
    add_length(out, field, column);
    if (!field.nullable)
      out.push_back(
          {field.name + " not missing", [&column](std::size_t row) { return column.is_null(row); }});
  }
  for (const FieldRule& rule : schema.rules) add_rule(out, schema, rule, table);
  for (const GroupRule& group : schema.groups) add_group(out, schema, group, table, real);
  return out;
}

struct Judged {
  std::vector<char> plausible;      // by row
  std::vector<std::size_t> broken;  // rows, by statement
};

Judged judge(const std::vector<Statement>& statements, std::size_t rows, const EvaluationContext& context) {
  std::vector<std::vector<char>> broken(statements.size());
  parallel_for(
      statements.size(),
      [&](std::size_t s) {
        context.cancel.check();
        broken[s].resize(rows);
        for (std::size_t row = 0; row < rows; ++row) broken[s][row] = statements[s].broken(row) ? 1 : 0;
      },
      context.threads);
  Judged out{std::vector<char>(rows, 1), {}};
  for (const std::vector<char>& one : broken) {
    out.broken.push_back(static_cast<std::size_t>(std::count(one.begin(), one.end(), 1)));
    for (std::size_t row = 0; row < rows; ++row)
      if (one[row] == 1) out.plausible[row] = 0;
  }
  return out;
}

double share_of(const std::vector<char>& flags) {
  return static_cast<double>(std::count(flags.begin(), flags.end(), 1)) / static_cast<double>(flags.size());
}

}  // namespace

Score SchemaPlausibility::evaluate(const Table* real, const Table& synthetic,
                                   const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of rows that break nothing which the schema states.",
                            "ranges, labels, required values, lengths and rules between fields");
  if (synthetic.rows() == 0) return undefined(std::move(score), "The table has no rows.");
  const bool of_real = real && !statements_of(real->schema(), synthetic, real).empty();
  const Schema& schema = of_real ? real->schema() : synthetic.schema();
  const std::vector<Statement> statements = statements_of(schema, synthetic, real);
  if (statements.empty())
    return undefined(std::move(score),
                     "The schema states no ranges, categories, required values, lengths or rules.");
  const Judged judged = judge(statements, synthetic.rows(), context);
  RatioRows rows{.numerator = {}, .denominator = {}, .share = true};
  for (const char good : judged.plausible) rows.add(good);
  set_ratio(score, rows, Units::of(synthetic), context);
  for (std::size_t s = 0; s < statements.size(); ++s)
    score.parts.push_back(
        {statements[s].text,
         1 - static_cast<double>(judged.broken[s]) / static_cast<double>(synthetic.rows()), synthetic.rows(),
         judged.broken[s] > 0 ? message(counted(judged.broken[s], "row"), " break it") : ""});
  const Table* fresh = context.holdout && context.holdout->rows() > 0 ? context.holdout.get() : real;
  if (fresh && fresh->rows() > 0)
    score.ceiling =
        Bound{share_of(judge(statements_of(schema, *fresh, real), fresh->rows(), context).plausible),
              message(fresh == real ? "the real rows themselves, " : "holdout, ",
                      counted(fresh->rows(), "real row"))};
  return score;
}

}  // namespace synthema
