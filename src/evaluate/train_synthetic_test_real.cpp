#include "synthema/evaluate/utility/train_synthetic_test_real.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/data/split.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/learn/prediction_metrics.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kSources = 3;  // synthetic, real, shuffled

Table rows_with_target(const Table& table, const TargetColumn& target, const char* which, Score& score) {
  std::vector<std::size_t> kept;
  for (const std::uint32_t row : target.of(table).rows_with_value()) kept.push_back(row);
  if (kept.size() < table.rows())
    score.warnings.push_back(
        message(table.rows() - kept.size(), " of ", table.rows(), " ", which,
                " rows have no target, or a label that real rows do not have, and are left out."));
  return table.take(kept);
}

// A table whose rows stand in an order that their contents decide.
Table in_order(const Table& table, const std::vector<std::string>& columns) {
  return table.take(detail::order_by_content(table, columns));
}

struct Measured {
  std::optional<double> value;  // AUROC or R squared
  Numbers influence;            // of AUROC, by test row
  std::vector<std::pair<std::string, std::optional<double>>> others;
};

Measured measure_classes(const Predictions& predicted, const Numbers& classes) {
  Measured out;
  if (const auto found = auroc_influence(predicted, classes)) {
    out.value = found->auroc;
    out.influence = found->influence;
  }
  const ConfusionMatrix matrix = confusion_matrix(predicted, classes);
  if (predicted.width == 2) {
    const Numbers chance = predicted.column(1);
    out.others = {{"AUPRC", average_precision(chance, classes)},
                  {"Brier score", brier_score(chance, classes)},
                  {"calibration error", calibration_error(chance, classes)}};
  }
  out.others.emplace_back("F1", matrix.f1());
  out.others.emplace_back("balanced accuracy", matrix.balanced_accuracy());
  return out;
}

Measured measure_numbers(const Predictions& predicted, const Numbers& values) {
  return {r_squared(predicted.values, values),
          {},
          {{"mean absolute error", mean_absolute_error(predicted.values, values)},
           {"root mean squared error", root_mean_squared_error(predicted.values, values)}}};
}

// Everything that was fitted, predicted and measured.
struct Trials {
  std::vector<Measured> of[kSources];  // by seed
  std::vector<Predictions> predicted;  // from synthetic rows, by seed

  std::optional<double> mean(std::size_t source) const {
    RatioRows values;
    for (const Measured& one : of[source]) {
      if (!one.value) return std::nullopt;
      values.add(*one.value);
    }
    return values.value();
  }
  std::optional<double> mean_other(std::size_t source, std::size_t which) const {
    RatioRows values;
    for (const Measured& one : of[source])
      if (one.others[which].second) values.add(*one.others[which].second);
    return values.value();
  }
};

Trials try_all(const Learner& learner, std::size_t seeds, const Table (&training)[kSources],
               const Table& test, const TargetColumn& target, const std::vector<std::string>& columns,
               const EvaluationContext& context) {
  Trials out;
  const Numbers truth = target.of(test).values;
  std::vector<Predictions> predicted(kSources * seeds);
  parallel_for(
      predicted.size(),
      [&](std::size_t i) {
        const LearningTask task{.training = &training[i % kSources],
                                .columns = columns,
                                .target = &target,
                                .random = Random(context.seed).stream(0x74737472).stream(i / kSources),
                                .threads = 1,  // the fits run side by side
                                .cancel = context.cancel};
        predicted[i] = learner.fit(task)(test);
        if (predicted[i].rows() != test.rows() ||
            predicted[i].width != std::max<std::size_t>(target.classes(), 1))
          throw EvaluationError("A learner must predict each class of each test row, or one number a row.");
      },
      context.threads);
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    out.of[i % kSources].push_back(target.classes() > 0 ? measure_classes(predicted[i], truth)
                                                        : measure_numbers(predicted[i], truth));
    if (i % kSources == 0) out.predicted.push_back(std::move(predicted[i]));
  }
  return out;
}

std::optional<Interval> interval_of(const Trials& trials, double value, const Numbers& truth, bool classes,
                                    const Units& units, const EvaluationContext& context) {
  const auto seeds = static_cast<double>(trials.predicted.size());
  if (classes) {
    Numbers influence(truth.size());
    for (const Measured& one : trials.of[0])
      for (std::size_t i = 0; i < truth.size(); ++i) influence[i] += one.influence[i] / seeds;
    return detail::influence_interval(value, influence, units, {0, 1});
  }
  // R squared of resampled rows, from their sums: the mean over seeds of the squared errors is all it needs.
  RowSums sums{.width = 4, .values = {}};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    double squared = 0;
    for (const Predictions& one : trials.predicted)
      squared += (one.values[i] - truth[i]) * (one.values[i] - truth[i]) / seeds;
    for (const double term : {1.0, truth[i], truth[i] * truth[i], squared}) sums.values.push_back(term);
  }
  return bootstrap(sums, units, context, [](std::span<const double> s) -> std::optional<double> {
    const double total = s[2] - s[1] * s[1] / s[0];
    return total > 0 ? std::optional(1 - s[3] / total) : std::nullopt;
  });
}

void add_parts(Score& score, const Trials& trials, std::size_t n) {
  for (std::size_t seed = 0; seed < trials.predicted.size(); ++seed)
    score.parts.push_back({message("seed ", seed + 1), trials.of[0][seed].value, n, ""});
  for (std::size_t m = 0; m < trials.of[0][0].others.size(); ++m) {
    const std::string& name = trials.of[0][0].others[m].first;
    score.parts.push_back({name, trials.mean_other(0, m), n, "trained on synthetic rows"});
    score.parts.push_back({name + ", trained on real", trials.mean_other(1, m), n, "trained on real rows"});
  }
}

}  // namespace

TrainSyntheticTestReal::TrainSyntheticTestReal(Learner learner, std::size_t seeds)
    : learner_(std::move(learner)), seeds_(seeds) {
  if (seeds == 0) throw ConfigError({.field = "seeds"}, "At least one seed is needed.");
}

Range TrainSyntheticTestReal::range() const {
  return {-std::numeric_limits<double>::infinity(), 1};
}

Score TrainSyntheticTestReal::evaluate(const Table* real, const Table& synthetic,
                                       const EvaluationContext& context) const {
  Score score = start_score(
      *this, "How well a model fitted to synthetic rows predicts the target of real rows.",
      message("AUROC (classes) or R squared (numbers), ", learner_.name, ", mean of ", seeds_, " seeds"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (context.target_column.empty()) return undefined(std::move(score), "No target column was named.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  std::vector<std::string> columns = detail::shared_columns(*real, synthetic);
  if (context.holdout) std::erase_if(columns, [&](const auto& name) { return !context.holdout->has(name); });
  if (std::erase(columns, context.target_column) == 0)
    throw EvaluationError({.field = context.target_column},
                          "The target must be a number or a category that every table has.");
  if (columns.empty()) return undefined(std::move(score), "The tables share no column but the target.");
  std::optional<TargetColumn> target;
  try {
    target.emplace(*real, context.target_column);
  } catch (const EvaluationError& error) {
    return undefined(std::move(score), error.what());
  }
  // The order of the rows decides nothing: they are put in one that their contents decide.
  std::vector<std::string> all = columns;
  all.push_back(context.target_column);
  Table training = in_order(rows_with_target(*real, *target, "real", score), all), test;
  if (context.holdout) {
    test = in_order(rows_with_target(*context.holdout, *target, "holdout", score), all);
  } else {
    if (Units::of(training).count < 8)
      return undefined(std::move(score),
                       "Without a holdout, eight real subjects or rows with a target are needed.");
    const double shares[] = {0.75, 0.25};
    const auto parts = split(training, shares, Random(context.seed).stream(0x68656C64));
    test = training.take(parts[1]);
    training = training.take(parts[0]);
    score.warnings.push_back(
        "Without a holdout, the test rows are a quarter of the real rows, which the generator may have "
        "seen.");
  }
  const Table from_synthetic = in_order(rows_with_target(synthetic, *target, "synthetic", score), all);
  if (from_synthetic.rows() == 0 || training.rows() == 0 || test.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows with a target.");
  const Table sources[kSources] = {from_synthetic, training,
                                   detail::independent_marginals(training, context.seed)};
  const Trials trials = try_all(learner_, seeds_, sources, test, *target, columns, context);
  const std::optional<double> value = trials.mean(0);
  if (!value) return undefined(std::move(score), "The test rows have one class or one value only.");
  score.value = value;
  score.n = test.rows();
  const Numbers truth = target->of(test).values;
  score.interval = interval_of(trials, *value, truth, target->classes() > 0, Units::of(test), context);
  if (!score.interval) score.no_interval = "The test rows show no spread, or are too few.";
  add_parts(score, trials, test.rows());
  if (const auto best = trials.mean(1))
    score.ceiling = Bound{*best, message("the same learner fitted to ", training.rows(), " real rows")};
  if (const auto worst = trials.mean(2)) score.floor = Bound{*worst, "fitted to real columns shuffled apart"};
  return score;
}

}  // namespace synthema
