#include "synthema/generate/tabular/private_domain.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "src/generate/tabular/coded_labels.hpp"
#include "src/generate/tabular/private_learner.hpp"
#include "synthema/core/error.hpp"

namespace synthema {

namespace detail {

void PrivateLearner::require_named(const Field& field, bool is_named, const char* what) const {
  if (!is_named && !options.infer)
    throw ConfigError(
        {.field = field.name},
        message("The schema does not say which ", what,
                " the column may have, and with infer = false nothing is learnt from the rows; name them in "
                "the schema."));
}

std::uint32_t LearntColumn::add_state(PrivateColumn& column, double count, double precision) {
  marginal.counts.push_back(count);
  marginal.precisions.push_back(precision);
  return column.states++;
}

void give_up(PrivateColumn& column) {
  column.coding.form = CodingForm::absent;
  column.states = 0;
}

}  // namespace detail

namespace {

using detail::LearntColumn;
using detail::PrivateLearner;

constexpr double kAgainShare = 0.3;      // of what is left, for columns of which nothing was told
constexpr double kMostAgainShare = 0.8;  // where nothing was told of any
constexpr double kPlainShare = 0.05;     // of the rows: a column without such a value has no frequent one
constexpr double kMostShare = 0.5;       // of the rows: what needs more than that will not be told either

bool has_labels(const Field& field) {
  return field.kind == Kind::text || field.kind == Kind::category;
}

void refuse_missing(const Field& field, const Column& column) {
  if (!field.nullable && column.null_count() > 0)
    throw SchemaError(
        {.field = field.name},
        "The schema says that no value of the column is missing, but some are; correct one of them.");
}

void refuse_list(const Field& field) {
  if (field.kind == Kind::list)
    throw SchemaError({.field = field.name},
                      "A generator of single rows cannot make lists; leave the column out.");
}

void learn_column(const PrivateLearner& learner, std::size_t index, PrivateColumn& out,
                  LearntColumn& learnt) {
  const Column& column = learner.table.column(index);
  ColumnCoding& coding = out.coding;
  coding.field = learner.table.schema().fields[index];
  refuse_list(coding.field);
  if (detail::drawn_afresh(coding.field)) {
    coding.form = CodingForm::fresh;
    coding.pattern = "AAAAAAAA";
    if (!has_labels(coding.field)) coding.counted_from = 1;
    return;
  }
  out.missing = coding.missing = coding.field.nullable;
  refuse_missing(coding.field, column);
  if (has_labels(coding.field) || column.kind() == Kind::boolean)
    learn_labels(learner, column, out, learnt);
  else
    learn_numbers(learner, column, out, learnt);
}

// About the noisy count that a label or cell needs to be told.
double count_to_be_told(const Field& field, const PrivateDomainOptions& options, const PrivateBudget& budget,
                        double rho) {
  return has_labels(field) ? detail::label_is_told_from(options, budget, rho)
                           : detail::cell_is_told_from(budget, rho);
}

// Columns of which nothing was told, or one label alone, get another share of the budget where this may help:
// most of it where nothing was told of any.
void try_again(const PrivateLearner& first, std::vector<PrivateColumn>& columns,
               std::vector<LearntColumn>& learnt) {
  PrivateBudget& budget = first.budget;
  std::vector<std::size_t> unclear;
  double rows = 0, told = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].coding.form == CodingForm::absent || has_one_label(columns[c])) unclear.push_back(c);
    if (!columns[c].modelled()) continue;
    for (const double count : learnt[c].marginal.counts) rows += count;
    ++told;
  }
  if (unclear.empty()) return;
  rows /= std::max(told, 1.0);
  PrivateDomainOptions options = first.options;
  options.column_rho = options.target_rho =
      budget.left() * (told > 0 ? kAgainShare : kMostAgainShare) / static_cast<double>(unclear.size());
  const PrivateLearner learner{first.table, first.rows, options, budget};
  for (const std::size_t c : unclear) {
    const Field& field = columns[c].coding.field;
    if (options.column_rho <= first.rho(field)) continue;
    const double before = count_to_be_told(field, options, budget, first.rho(field)),
                 after = count_to_be_told(field, options, budget, options.column_rho);
    if (told > 0 && (before < kPlainShare * rows || after > kMostShare * rows)) continue;
    PrivateColumn column;
    LearntColumn found;
    learn_column(learner, c, column, found);
    if (column.coding.form == CodingForm::absent && columns[c].modelled()) continue;  // the first told more
    columns[c] = std::move(column);
    learnt[c] = std::move(found);
  }
}

// The column as the rules see it that are asked about the rows themselves.
ColumnCoding coding_of_rows(const Field& field, const Column& column) {
  ColumnCoding out;
  out.field = field;
  out.missing = column.null_count() > 0;
  if (detail::drawn_afresh(field)) {
    out.form = CodingForm::fresh;
  } else if (field.kind == Kind::boolean) {
    out.form = CodingForm::category;
    out.labels = {"false", "true"};
  } else if (has_labels(field)) {
    std::set<std::string> labels(field.categories.begin(), field.categories.end());
    for (std::size_t row = 0; row < column.size() && field.categories.empty(); ++row)
      if (!column.is_null(row)) labels.emplace(column.text_at(row));
    out.labels.assign(labels.begin(), labels.end());
    if (!labels.empty()) out.form = CodingForm::category;
  } else if (column.null_count() < column.size()) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t row = 0; row < column.size(); ++row)
      if (!column.is_null(row))
        low = std::min(low, column.number_at(row)), high = std::max(high, column.number_at(row));
    out.form = CodingForm::number;
    out.interval = true;
    out.values = {low, high};
    if (low == high) out.values.pop_back();
  }
  return out;
}

}  // namespace

Table unstated(const Table& table) {
  Schema schema = table.schema();
  std::vector<Column> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    Field& field = schema.fields[c];
    field.categories.clear();
    field.minimum.reset();
    field.maximum.reset();
    field.decimals.reset();
    field.nullable = true;
    columns.push_back(table.column(c));
  }
  return {std::move(schema), std::move(columns)};
}

double noisy_total(std::span<const NoisyMarginal> marginals) {
  double sum = 0, weight = 0;
  for (const NoisyMarginal& m : marginals) {
    double variance = 0;
    for (const double precision : m.precisions) variance += 1 / precision;
    sum += std::accumulate(m.counts.begin(), m.counts.end(), 0.0) / variance;
    weight += 1 / variance;
  }
  return weight > 0 ? std::max(sum / weight, 1.0) : 1;
}

std::size_t unnamed_label_columns(const Schema& schema) {
  return static_cast<std::size_t>(std::ranges::count_if(schema.fields, [](const Field& field) {
    return has_labels(field) && field.categories.empty() && !detail::drawn_afresh(field);
  }));
}

RowRules check_rules(const Table& real) {
  constexpr std::size_t kFewPeople = 5;
  for (const GroupRule& group : real.schema().groups)
    if (group.kind == "combinations" && group.rows.empty())
      throw GenerationError({.field = group.fields.front()},
                            "Under differential privacy the combinations that the rows have are not read for "
                            "nothing: list in the group 'combinations' of this column those that may occur "
                            "(rows=), or leave the group out.");
  refuse_few_in_range(real, kFewPeople);
  std::vector<ColumnCoding> codings;
  for (std::size_t c = 0; c < real.columns(); ++c)
    codings.push_back(coding_of_rows(real.schema().fields[c], real.column(c)));
  return {real.schema(), codings};
}

RowRules rules_of_domain(const Schema& schema, std::span<const ColumnCoding> columns) {
  try {
    return {schema, columns};
  } catch (const GenerationError& error) {
    throw GenerationError(message(
        error.what(),
        " Labels and ranges are here what was found out with noise: state those of this column in the "
        "schema, or fit with a larger epsilon. The ledger counts the fit that ends here."));
  }
}

void check_domain(const Table& table, const PrivateDomainOptions& options, double sensitivity) {
  NoiseSource none = NoiseSource::seeded_for_tests(0);  // nothing is drawn
  PrivateBudget budget(0, sensitivity, none);
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const PrivateLearner learner{table, rows, options, budget};
  for (std::size_t c = 0; c < table.columns(); ++c) {
    const Column& column = table.column(c);
    const Field& field = table.schema().fields[c];
    refuse_list(field);
    if (detail::drawn_afresh(field)) continue;
    refuse_missing(field, column);
    if (column.kind() == Kind::boolean) continue;
    if (has_labels(field)) {
      learner.require_named(field, !field.categories.empty(), "labels");
      if (!field.categories.empty()) refuse_unlisted(learner, column, field);
    } else {
      learner.require_named(field, field.minimum && field.maximum, "range of numbers");
    }
  }
  check_rules(table);
  const double sigma = budget.sigma_of(detail::smallest_part(options.column_rho));
  if (!(sigma * sigma < 0x1p30))
    throw ConfigError({.field = "epsilon"},
                      message("With ", table.columns(),
                              " columns, this epsilon and this many rows of a person, the noise would drown "
                              "everything; use a larger epsilon or fewer columns or rows."));
}

PrivateDomain discover_domain(const Table& table, std::span<const std::size_t> rows,
                              const PrivateDomainOptions& whole, PrivateBudget& budget) {
  PrivateDomainOptions options = whole;
  options.threshold_delta /= 2;  // the other half is for try_again
  const PrivateLearner learner{table, rows, options, budget};
  PrivateDomain out;
  out.columns.resize(table.columns());
  std::vector<LearntColumn> all(table.columns());
  for (std::size_t c = 0; c < table.columns(); ++c) learn_column(learner, c, out.columns[c], all[c]);
  try_again(learner, out.columns, all);
  for (std::size_t c = 0; c < table.columns(); ++c) {
    if (!out.columns[c].modelled()) continue;
    LearntColumn& learnt = all[c];
    out.columns[c].finish();
    learnt.marginal.variables = {static_cast<std::uint32_t>(out.marginals.size())};
    out.marginals.push_back(std::move(learnt.marginal));
    out.states.push_back(std::move(learnt.states));
  }
  return out;
}

}  // namespace synthema
