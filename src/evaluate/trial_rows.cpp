#include "src/evaluate/trial_rows.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/data/split.hpp"
#include "synthema/evaluate/resampling.hpp"
#include "synthema/learn/prediction_metrics.hpp"

namespace synthema::detail {

namespace {

Table rows_with_target(const Table& table, const TargetColumn& target, const char* which, Score& score) {
  std::vector<std::size_t> kept;
  for (const std::uint32_t row : target.of(table).rows_with_value()) kept.push_back(row);
  if (kept.size() < table.rows())
    score.warnings.push_back(
        message(table.rows() - kept.size(), " of ", table.rows(), " ", which,
                " rows have no target, or a label that real rows do not have, and are left out."));
  return table.take(kept);
}

Table in_order(const Table& table, const std::vector<std::string>& columns) {
  return table.take(order_by_content(table, columns));
}

// How many different whole numbers the column has, counted up to one more than could be codes of classes.
constexpr std::size_t kMostCodes = 10;
std::size_t codes_in(const Column& column) {
  std::set<std::int64_t> seen;
  if (column.kind() != Kind::integer) return 0;
  for (std::size_t row = 0; row < column.size() && seen.size() <= kMostCodes; ++row)
    if (!column.is_null(row)) seen.insert(column.integers()[row]);
  return seen.size();
}

std::nullopt_t without(Score& score, std::string reason) {
  score.undefined = std::move(reason);
  return std::nullopt;
}

}  // namespace

std::optional<TargetColumn> target_of(const Table& real, const EvaluationContext& context, Score& score) {
  std::optional<TargetColumn> target;
  try {
    target.emplace(real, context.target_column, context.target_labels);
  } catch (const EvaluationError& error) {
    return without(score, error.what());
  }
  const std::size_t codes = target->classes() > 0 ? 0 : codes_in(real.column(context.target_column));
  if (codes > 0 && codes <= kMostCodes)
    score.warnings.push_back(message("The target has ", codes,
                                     " different whole numbers and is predicted as a number (R squared); if "
                                     "they are classes, give it the kind category in a schema."));
  if (target->gathered() > 0)
    score.warnings.push_back(message(
        "The target has ", target->classes() - 1 + target->gathered(), " labels: the ", target->gathered(),
        " rarest were scored as one class together (target_labels = ", context.target_labels, ")."));
  return target;
}

std::optional<TrialRows> trial_rows(const Table* real, const Table& synthetic,
                                    const EvaluationContext& context, Score& score) {
  if (!real) return without(score, "No real table was given.");
  if (context.target_column.empty()) return without(score, "No target column was named.");
  if (real->rows() == 0 || synthetic.rows() == 0) return without(score, "One of the tables has no rows.");
  std::vector<std::string> columns = shared_columns(*real, synthetic, context.holdout.get());
  if (std::erase(columns, context.target_column) == 0)
    throw EvaluationError({.field = context.target_column},
                          "The target must be a number or a category that every table has.");
  if (columns.empty()) return without(score, "The tables share no column but the target.");
  std::optional<TargetColumn> target = target_of(*real, context, score);
  if (!target) return std::nullopt;
  // The order of the rows decides nothing: they are put in one that their contents decide.
  std::vector<std::string> all = columns;
  all.push_back(context.target_column);
  Table training = in_order(rows_with_target(*real, *target, "real", score), all), test;
  if (context.holdout) {
    test = in_order(rows_with_target(*context.holdout, *target, "holdout", score), all);
  } else {
    if (Units::of(training).count < 8)
      return without(score, "Without a holdout, eight real subjects or rows with a target are needed.");
    const double shares[] = {0.75, 0.25};
    const auto parts = split(training, shares, Random(context.seed).stream(0x68656C64));
    test = training.take(parts[1]);
    training = training.take(parts[0]);
    score.warnings.push_back(
        "Without a holdout, the test rows are a quarter of the real rows, which the generator may have "
        "seen.");
  }
  Table from_synthetic = in_order(rows_with_target(synthetic, *target, "synthetic", score), all);
  if (from_synthetic.rows() == 0 || training.rows() == 0 || test.rows() == 0)
    return without(score, "One of the tables has no rows with a target.");
  return TrialRows{std::move(columns), std::move(*target), std::move(from_synthetic), std::move(training),
                   std::move(test)};
}

Predictions fitted_predictions(const Learner& learner, const TrialRows& rows, const Table& training,
                               std::uint64_t stream, const EvaluationContext& context) {
  const LearningTask task{.training = &training,
                          .columns = rows.columns,
                          .target = &rows.target,
                          .random = Random(context.seed).stream(0x74737472).stream(stream),
                          .threads = 1,  // fits run side by side
                          .cancel = context.cancel};
  Predictions out = learner.fit(task)(rows.test);
  if (out.rows() != rows.test.rows() || out.width != std::max<std::size_t>(rows.target.classes(), 1))
    throw EvaluationError("A learner must predict each class of each test row, or one number a row.");
  return out;
}

std::optional<double> usefulness(const Predictions& predicted, const TrialRows& rows) {
  const std::vector<double> truth = rows.target.of(rows.test).values;
  if (rows.target.classes() == 0) return r_squared(predicted.values, truth);
  const auto found = auroc_influence(predicted, truth);
  return found ? std::optional(found->auroc) : std::nullopt;
}

Table some_subjects(const Table& table, std::size_t count, std::uint64_t seed) {
  const Units units = Units::of(table);
  std::vector<std::size_t> order(units.count), place(units.count), rows;
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random = Random(seed).stream(0x736F6D65);
  random.shuffle(order);
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (place[units.of_row[row]] < count) rows.push_back(row);
  return table.take(rows);
}

namespace {

// Numbers are real, booleans stay, and the rest are categories.
Kind joint_kind(const Column& column) {
  if (column.kind() == Kind::boolean) return Kind::boolean;
  return is_number(column.kind()) ? Kind::real : Kind::category;
}

// One column below the other.
Column below(const Column& a, const Column& b, Kind kind) {
  ColumnBuilder builder({.name = "", .kind = kind});
  const auto value = [&](const Column& column, std::size_t row) -> Value {
    if (column.is_null(row)) return {};
    if (kind == Kind::boolean) return column.boolean_at(row);
    if (kind == Kind::real) return column.number_at(row);
    return category_at(column, row);
  };
  for (const Column* column : {&a, &b})
    for (std::size_t row = 0; row < column->size(); ++row) builder.append(value(*column, row));
  return builder.finish();
}

}  // namespace

Table together(const Table& a, const Table& b, const TrialRows& rows) {
  Schema schema;
  std::vector<Column> columns;
  std::vector<std::string> names = rows.columns;
  names.push_back(rows.target.name());
  for (const std::string& name : names) {
    const Kind kind = joint_kind(a.column(name));
    schema.fields.push_back({.name = name, .kind = kind});
    columns.push_back(below(a.column(name), b.column(name), kind));
  }
  return Table(std::move(schema), std::move(columns));
}

}  // namespace synthema::detail
