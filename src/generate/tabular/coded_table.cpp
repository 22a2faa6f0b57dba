// A table, or columns that are read one after the other, coded (column_coding.hpp, column_source.hpp).
#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/generate/tabular/coded_labels.hpp"
#include "src/generate/tabular/coded_numbers.hpp"
#include "src/generate/tabular/dominant_people.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/data/row_numbers.hpp"
#include "synthema/generate/tabular/column_source.hpp"
#include "synthema/generate/tabular/fixed_combinations.hpp"

namespace synthema {

namespace {

using detail::CodingLearner;

void check(const CodingOptions& options) {
  if (options.rare_below < 1)
    throw ConfigError({.field = "rare_below"},
                      "At least 1 is needed, which protects nothing; 5 is a common choice.");
  if (options.bins < 2 || options.bins > 254)
    throw ConfigError({.field = "bins"}, message("There may be 2 to 254 bins, not ", options.bins, "."));
  if (options.classes < 2 || options.classes > 128)
    throw ConfigError({.field = "classes"},
                      message("There may be 2 to 128 classes, not ", options.classes, "."));
}

bool is_number(Kind kind) {
  return kind == Kind::real || kind == Kind::integer || kind == Kind::time;
}

// That a cell is missing in rows of few people would tell of these. A label is then unknown; a number is that
// of another row.
void hide_missing(ColumnCoding& coding, std::vector<std::uint32_t>& codes) {
  const std::uint32_t missing = coding.missing_code();
  if (!coding.is_category()) return detail::spread_evenly(codes, missing, missing);
  if (std::ranges::find(codes, missing) != codes.end()) coding.pooled = true;
  std::ranges::replace(codes, missing, coding.pooled_code());
}

ColumnCoding learn_column(const CodingLearner& learner, const Schema& schema, const Field& field,
                          const Column& column, std::vector<std::uint32_t>& codes) {
  ColumnCoding out;
  out.field = field;
  const std::size_t present = column.size() - column.null_count();
  const auto with = [&](const auto& has) {
    return detail::people_with(learner.who, learner.options.rare_below, has);
  };
  const std::size_t without = with([&](std::size_t row) { return column.is_null(row); });
  const bool few_without = without < learner.options.rare_below;
  out.missing = column.null_count() > 0 && !few_without;
  const Kind kind = column.kind();
  if (kind == Kind::list)
    throw SchemaError({.field = out.field.name},
                      "A generator of single rows cannot make lists; leave the column out.");
  if (kind == Kind::time) out.zone = column.zone();
  const bool few_with =
      with([&](std::size_t row) { return !column.is_null(row); }) < learner.options.rare_below;
  if (present == 0 || (is_number(kind) && few_with)) {
    out.missing = column.null_count() > 0;
    return out;
  }
  if (detail::drawn_afresh(out.field)) {
    detail::learn_identifiers(learner, column, out);
  } else if (kind == Kind::boolean) {
    detail::learn_boolean(learner, column, out, codes);
  } else if (kind == Kind::text || kind == Kind::category) {
    detail::learn_labels(learner, column, out, codes);
  } else if (numbers_rows(schema, field, column)) {
    out.form = CodingForm::fresh;
    out.counted_from = static_cast<std::uint64_t>(std::ranges::max(column.integers())) + 1;
  } else {
    out.form = CodingForm::number;
    if (kind == Kind::real)
      detail::learn_reals(learner, column, out, codes);
    else
      detail::learn_whole(learner, column, out, codes);
  }
  if (few_without && out.modelled()) hide_missing(out, codes);
  if (out.form == CodingForm::fresh)
    out.missing_share = static_cast<double>(column.null_count()) / static_cast<double>(column.size());
  return out;
}

std::vector<std::uint32_t> rows_as_people(std::size_t rows) {
  std::vector<std::uint32_t> out(rows);
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

std::vector<std::uint32_t> people_in(const Column& column) {
  std::vector<std::uint32_t> out = rows_as_people(column.size());
  std::unordered_map<std::string, std::uint32_t> first;
  for (std::size_t row = 0; row < out.size(); ++row)
    if (!column.is_null(row))
      out[row] = first.try_emplace(column.value_at(row).display(), out[row]).first->second;
  return out;
}

// A range that leaves fewer than `rare_below` people: what is made of them alone would be their values, or
// the ends of the range over and over. Where nobody is left, the rules say so (row_rules.hpp).
void refuse_few(const Field& field, const Column& column, std::span<const std::uint32_t> who,
                std::size_t least) {
  if (!field.minimum && !field.maximum) return;
  const auto lies = [&](std::size_t row, bool inside) {
    if (column.is_null(row)) return false;
    const double v = column.number_at(row);
    return inside == (v >= field.minimum.value_or(v) && v <= field.maximum.value_or(v));
  };
  const std::size_t within =
      detail::people_with(who, least, [&](std::size_t row) { return lies(row, true); });
  if (within > 0 && within < least &&
      detail::people_with(who, 1, [&](std::size_t row) { return lies(row, false); }) > 0)
    throw GenerationError(
        {.field = field.name},
        message("In the schema's range of the column lie the values of fewer than ", least,
                " people (rare_below), too few to make values from, and none is invented. Correct the schema "
                "or the unit of the column, or leave the column out."));
}

void check_size(std::size_t rows, std::size_t columns) {
  if (columns == 0) throw SchemaError("The table has no columns; there is nothing to learn.");
  if (rows > std::numeric_limits<std::int32_t>::max())
    throw ConfigError(message("At most 2^31 rows can be learnt from, but the table has ", rows, "."));
}

// `who` are numbers of rows.
void check_people(std::span<const std::uint32_t> who, bool rows_are_people, std::size_t rare_below) {
  std::vector<bool> seen(who.size());
  std::size_t people = 0;
  for (const std::uint32_t one : who)
    if (!seen[one]) seen[one] = true, ++people;
  if (people >= std::max<std::size_t>(rare_below, 1)) return;
  const std::string of = rows_are_people ? ""
                         : people == 1   ? " of a single person"
                                         : message(" of ", people, " people");
  throw GenerationError(message("The table has ", counted(who.size(), "row"), of, ", fewer than the ",
                                rare_below, " people among whom a single one may hide (rare_below); fit to ",
                                rows_are_people ? "more rows." : "the rows of more people."));
}

Column column_of(const ColumnSource& source, std::size_t number) {
  Column out = source.read(number);
  const Field& field = source.schema.fields[number];
  if (out.size() != source.rows || out.kind() != field.kind)
    throw SchemaError({.field = field.name},
                      message("The source has ", counted(source.rows, "row"), " and this column is of kind ",
                              name_of(field.kind), ", but it gave ", counted(out.size(), "cell"), " of kind ",
                              name_of(out.kind()), "; did the file change meanwhile?"));
  return out;
}

bool is_combined(const Schema& schema, const std::string& name) {
  return std::ranges::any_of(schema.groups, [&](const GroupRule& group) {
    return group.kind == "combinations" && std::ranges::find(group.fields, name) != group.fields.end();
  });
}

// Labels that are not in the lists of categories any more, since they are not handed on, leave the rules,
// too.
void forget_labels(Schema& schema) {
  const auto forget = [&](const std::string& name, std::vector<std::string>& labels) {
    const std::vector<std::string>& known = schema.at(name).categories;
    if (labels.empty() || known.empty()) return false;
    std::erase_if(labels,
                  [&](const std::string& label) { return std::ranges::find(known, label) == known.end(); });
    return labels.empty();
  };
  std::vector<FieldRule> rules;
  for (FieldRule& rule : schema.rules) {
    if (forget(rule.given, rule.labels)) continue;  // it never holds
    if (forget(rule.field, rule.categories))
      throw GenerationError(
          {.field = rule.field},
          message("A rule of the schema, given '", rule.given,
                  "', leaves the column only labels that too few people have to hand one on; "
                  "correct the rule, group the labels, or leave the column out."));
    rules.push_back(std::move(rule));
  }
  schema.rules = std::move(rules);
}

}  // namespace

std::vector<std::uint32_t> people_of(const Table& table) {
  const Field* subject = table.schema().subject();
  if (!subject || subject->kind == Kind::list) return rows_as_people(table.rows());
  return people_in(table.column(subject->name));
}

void refuse_few_in_range(const Table& table, std::size_t rare_below) {
  std::vector<std::uint32_t> who;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    if (!is_number(table.column(c).kind())) continue;
    if (who.empty()) who = people_of(table);
    refuse_few(table.schema().fields[c], table.column(c), who, rare_below);
  }
}

std::vector<std::uint32_t> people_of(const ColumnSource& source) {
  const Field* subject = source.schema.subject();
  if (!subject || subject->kind == Kind::list) return rows_as_people(source.rows);
  return people_in(column_of(source, static_cast<std::size_t>(subject - source.schema.fields.data())));
}

CodedTable code_columns(const ColumnSource& source, const CodingOptions& options, const TakeCodes& take) {
  check(options);
  check_size(source.rows, source.schema.fields.size());
  CodedTable out;
  out.schema = source.schema;
  out.rows = source.rows;
  out.columns.resize(source.schema.fields.size());
  out.codes.resize(out.columns.size());
  out.people = people_of(source);
  const CodingLearner learner{options, out.people, source.schema.subject() == nullptr};
  check_people(out.people, learner.rows_are_people, options.rare_below);
  for (std::size_t c = 0; c < out.columns.size(); ++c) {
    const Field& field = source.schema.fields[c];
    {
      const Column column = column_of(source, c);
      if (is_number(column.kind())) refuse_few(field, column, out.people, options.rare_below);
      out.columns[c] = learn_column(learner, source.schema, field, column, out.codes[c]);
    }
    out.schema.fields[c] = out.columns[c].field;
    const bool combined = is_combined(source.schema, field.name);
    std::vector<std::uint32_t> all = combined ? out.codes[c] : std::vector<std::uint32_t>();
    detail::hide_surplus(learner, out.columns[c], out.codes[c]);
    take(out, c);
    out.codes[c] = std::move(all);
  }
  forget_labels(out.schema);
  resolve_combinations(out, options.rare_below);
  for (std::size_t c = 0; c < out.columns.size(); ++c)
    detail::hide_surplus(learner, out.columns[c], out.codes[c]);
  return out;
}

CodedTable code_table(const Table& table, const CodingOptions& options) {
  check(options);
  check_size(table.rows(), table.columns());
  const std::vector<std::uint32_t> who = people_of(table);
  const CodingLearner learner{options, who, table.schema().subject() == nullptr};
  check_people(who, learner.rows_are_people, options.rare_below);
  refuse_few_in_range(table, options.rare_below);
  CodedTable out;
  out.rows = table.rows();
  out.columns.resize(table.columns());
  out.codes.resize(table.columns());
  parallel_for(
      table.columns(),
      [&](std::size_t c) {
        out.columns[c] =
            learn_column(learner, table.schema(), table.schema().fields[c], table.column(c), out.codes[c]);
      },
      options.threads);
  out.people = who;
  out.schema = table.schema();
  for (std::size_t c = 0; c < out.columns.size(); ++c) out.schema.fields[c] = out.columns[c].field;
  forget_labels(out.schema);
  resolve_combinations(out, options.rare_below);
  parallel_for(
      table.columns(), [&](std::size_t c) { detail::hide_surplus(learner, out.columns[c], out.codes[c]); },
      options.threads);
  return out;
}

}  // namespace synthema
