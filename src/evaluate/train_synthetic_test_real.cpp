#include "synthema/evaluate/utility/train_synthetic_test_real.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "src/evaluate/roc_curves.hpp"
#include "src/evaluate/trial_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/learn/prediction_metrics.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kSources = 3;  // synthetic, real, shuffled

struct Measured {
  std::optional<double> value;  // AUROC or R squared
  Numbers influence;            // of AUROC, by test row
  std::vector<std::pair<std::string, std::optional<double>>> others;
};

// Of the frequent labels, where there are more than two: each against the rest.
void add_labels(Measured& out, const Predictions& predicted, const Numbers& classes,
                const std::vector<std::string>& labels) {
  for (const std::size_t label : detail::frequent_labels(classes, labels.size())) {
    Numbers is_label;
    for (const double one : classes) is_label.push_back(one == static_cast<double>(label) ? 1 : 0);
    out.others.emplace_back(message("AUROC of ", labels[label]), auroc(predicted.column(label), is_label));
  }
}

Measured measure_classes(const Predictions& predicted, const Numbers& classes,
                         const std::vector<std::string>& labels) {
  Measured out;
  if (const auto found = auroc_influence(predicted, classes)) {
    out.value = found->auroc;
    out.influence = found->influence;
  }
  const ConfusionMatrix matrix = confusion_matrix(predicted, classes);
  std::optional<double> f1 = matrix.f1();
  if (predicted.width == 2) {
    const Numbers chance = predicted.column(1);
    // Of the rarer label: of the other one every model is precise.
    const bool first =
        2 * std::accumulate(classes.begin(), classes.end(), 0.0) > static_cast<double>(classes.size());
    Numbers rarer = classes;
    for (double& one : rarer) one = first ? 1 - one : one;
    out.others = {{message("AUPRC of ", labels[first ? 0 : 1]),
                   average_precision(first ? predicted.column(0) : chance, rarer)},
                  {"Brier score", brier_score(chance, classes)},
                  {"calibration error", calibration_error(chance, classes)}};
    if (f1) f1 = matrix.f1(first ? 0 : 1);
  }
  out.others.emplace_back("F1", f1);  // of the rarer of two labels, else the mean of all
  out.others.emplace_back("balanced accuracy", matrix.balanced_accuracy());
  if (predicted.width > 2) add_labels(out, predicted, classes, labels);
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
  std::vector<Measured> of[kSources];                     // by seed
  std::vector<Predictions> predicted, predicted_by_real;  // from synthetic and from real rows, by seed

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

Trials try_all(const Learner& learner, std::size_t seeds, const detail::TrialRows& rows,
               const EvaluationContext& context) {
  Trials out;
  const Numbers truth = rows.target.of(rows.test).values;
  const Table loose = detail::independent_marginals(rows.training, context.seed);
  const Table* sources[kSources] = {&rows.synthetic, &rows.training, &loose};
  std::vector<Predictions> predicted(kSources * seeds);
  parallel_for(
      predicted.size(),
      [&](std::size_t i) {
        predicted[i] = fitted_predictions(learner, rows, *sources[i % kSources], i / kSources, context);
      },
      context.threads);
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    out.of[i % kSources].push_back(rows.target.classes() > 0
                                       ? measure_classes(predicted[i], truth, rows.target.labels())
                                       : measure_numbers(predicted[i], truth));
    if (i % kSources == 0) out.predicted.push_back(std::move(predicted[i]));
    if (i % kSources == 1) out.predicted_by_real.push_back(std::move(predicted[i]));
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
  for (std::size_t seed = 0; trials.predicted.size() > 1 && seed < trials.predicted.size(); ++seed)
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
  const std::optional<detail::TrialRows> rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  const std::string_view what = rows->target.classes() > 0 ? "AUROC" : "R squared";
  const bool drawn = std::max(rows->synthetic.rows(), rows->training.rows()) >= learner_.draws_from;
  score.definition =
      message(what, ", ", learner_.name,
              drawn ? message(", mean of ", seeds_, " seeds") : ", one fit: another would be the same");
  const Trials trials = try_all(learner_, drawn ? seeds_ : 1, *rows, context);
  const std::optional<double> value = trials.mean(0);
  if (!value) return undefined(std::move(score), "The test rows have one class or one value only.");
  score.value = value;
  score.n = rows->test.rows();
  const Numbers truth = rows->target.of(rows->test).values;
  score.interval =
      interval_of(trials, *value, truth, rows->target.classes() > 0, Units::of(rows->test), context);
  if (!score.interval) score.no_interval = "The test rows show no spread, or are too few.";
  add_parts(score, trials, rows->test.rows());
  const auto& labels = rows->target.labels();
  for (const auto& [fits, of] : {std::pair(&trials.predicted, "trained on synthetic rows"),
                                 std::pair(&trials.predicted_by_real, "trained on real rows")})
    for (Curve& curve : detail::roc_curves(*fits, labels, truth, of))
      score.curves.push_back(std::move(curve));
  if (const auto best = trials.mean(1))
    score.ceiling = Bound{*best, message("the same learner fitted to ", rows->training.rows(), " real rows")};
  if (const auto worst = trials.mean(2)) score.floor = Bound{*worst, "fitted to real columns shuffled apart"};
  return score;
}

}  // namespace synthema
