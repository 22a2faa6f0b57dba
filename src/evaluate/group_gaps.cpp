#include "synthema/evaluate/utility/group_gaps.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/trial_rows.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

struct Group {
  std::string column, label;
  double rows = 0, positive = 0;  // predicted
  double ones = 0, true_positive = 0, zeros = 0, false_positive = 0;

  std::optional<double> parity() const { return rows > 0 ? std::optional(positive / rows) : std::nullopt; }
  std::optional<double> sensitivity() const {
    return ones > 0 ? std::optional(true_positive / ones) : std::nullopt;
  }
  std::optional<double> fall_out() const {
    return zeros > 0 ? std::optional(false_positive / zeros) : std::nullopt;
  }
};

// Those of enough rows; `few`: the rows of the others.
std::vector<Group> groups_of(const Table& test, const std::string& name, const std::vector<double>& truth,
                             const std::vector<double>& chance, double& few) {
  const Column& column = test.column(name);
  std::map<std::string, Group> groups;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    Group& group = groups[column.kind() == Kind::integer ? std::to_string(column.integers()[row])
                                                         : detail::category_at(column, row)];
    const double positive = chance[row] > 0.5 ? 1 : 0;
    ++group.rows;
    group.positive += positive;
    (truth[row] == 1 ? group.ones : group.zeros) += 1;
    (truth[row] == 1 ? group.true_positive : group.false_positive) += positive;
  }
  std::vector<Group> out;
  for (auto& [label, group] : groups) {
    group.column = name;
    group.label = label;
    if (group.rows >= static_cast<double>(GroupGaps::kRows))
      out.push_back(group);
    else
      few += group.rows;
  }
  return out;
}

bool tells_groups(const Table& rows, const std::string& name) {
  if (!rows.has(name)) return false;
  const Kind kind = rows.column(name).kind();
  return detail::is_category(kind) || kind == Kind::integer;  // groups of few rows are left out
}

// Largest less smallest; nothing unless two groups have the rate.
std::optional<double> spread(const std::vector<Group>& groups, std::optional<double> (Group::*rate)() const) {
  std::vector<double> rates;
  for (const Group& group : groups)
    if (const auto found = (group.*rate)()) rates.push_back(*found);
  if (rates.size() < 2) return std::nullopt;
  const auto [low, high] = std::minmax_element(rates.begin(), rates.end());
  return *high - *low;
}

std::optional<double> larger(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

std::optional<double> gap(const std::vector<Group>& groups, bool odds) {
  if (!odds) return spread(groups, &Group::parity);
  return larger(spread(groups, &Group::sensitivity), spread(groups, &Group::fall_out));
}

}  // namespace

Score GroupGaps::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(
      *this,
      odds_ ? "Largest difference between groups of the rates of true or of false positive predictions."
            : "Largest difference between groups of the share of people predicted positive.",
      message(odds_ ? "equalised odds (Hardt et al. 2016)" : "demographic parity", ", ", learner_.name,
              " trained on synthetic rows"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  std::vector<std::string> columns;
  if (!column_.empty()) {
    if (!real->has(column_)) throw EvaluationError({.field = column_}, "The real table has no such column.");
    columns = {column_};
  } else {
    for (const Field* field : real->schema().with_role(Role::sensitive)) columns.push_back(field->name);
  }
  const Table& test_source = context.holdout ? *context.holdout : *real;
  std::erase_if(columns, [&](const std::string& name) { return !tells_groups(test_source, name); });
  if (columns.empty())
    return undefined(
        std::move(score),
        column_.empty() ? "No column of labels or whole numbers has the role 'sensitive', and none was named."
                        : message("The column '", column_,
                                  "', named as sensitive, holds neither labels nor whole numbers in the test "
                                  "rows; give it as one of these."));
  const auto rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  if (rows->target.classes() != 2)
    return undefined(std::move(score), "Gaps between groups are of a target of two classes.");
  Predictions predicted[2];
  try {
    parallel_for(
        2,
        [&](std::size_t i) {
          predicted[i] = detail::fitted_predictions(learner_, *rows,
                                                    i == 0 ? rows->synthetic : rows->training, 0, context);
        },
        context.threads);
  } catch (const EvaluationError& error) {
    return undefined(std::move(score), error.what());
  }
  const std::vector<double> truth = rows->target.of(rows->test).values;
  std::optional<double> value, of_real;
  for (const std::string& name : columns) {
    double few = 0, again = 0;
    const std::vector<Group> groups = groups_of(rows->test, name, truth, predicted[0].column(1), few);
    value = larger(value, gap(groups, odds_));
    of_real = larger(of_real, gap(groups_of(rows->test, name, truth, predicted[1].column(1), again), odds_));
    if (few > 0)
      score.warnings.push_back(message("Left out: ", counted(static_cast<std::uint64_t>(few), "test row"),
                                       " in groups of '", name, "' with fewer than ", kRows, " test rows."));
    for (const Group& group : groups)
      score.parts.push_back(
          {group.column + " = " + group.label, odds_ ? group.sensitivity() : group.parity(),
           static_cast<std::uint64_t>(group.rows),
           odds_ ? message("true positive rate; false positive rate ", group.fall_out().value_or(0))
                 : "share predicted positive"});
  }
  if (!value)
    return undefined(std::move(score), message("No column has two groups of ", kRows, " test rows."));
  score.n = rows->test.rows();
  score.value = value;
  score.no_interval = "A largest difference over groups is biased upwards when it is resampled.";
  if (of_real) score.ceiling = Bound{*of_real, "the same learner trained on real rows"};
  return score;
}

}  // namespace synthema
