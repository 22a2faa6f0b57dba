#include <algorithm>
#include <cmath>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/survival_times.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/data/split.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/utility/survival.hpp"
#include "synthema/learn/cox_model.hpp"

namespace synthema {

namespace {

using detail::SurvivalTimes;
using Numbers = std::vector<double>;
constexpr std::size_t kTimes = 100;
constexpr double kLast = 0.9;  // quantile of the test rows' times up to which the Brier score is taken

// Rows with a duration and an event, in an order that their contents decide.
struct Followed {
  Table table;
  SurvivalTimes times;
};

struct Trial {
  std::vector<std::string> columns;
  Followed synthetic, training, test;
};

// Survival chances of the test rows at each of the times: {rows, times}.
using Chances = std::vector<Numbers>;

struct Fitted {
  Numbers risks;
  Chances chances;
};

Fitted fit(const Trial& trial, const Followed& from, const Numbers& at, const EvaluationContext& context) {
  const DesignEncoding encoding(from.table, trial.columns);
  const CoxModel model(encoding.apply(from.table), from.times.duration, from.times.event,
                       {.cancel = context.cancel});
  Fitted out{model.risks(encoding.apply(trial.test.table)), {}};
  for (const double risk : out.risks) {
    Numbers& row = out.chances.emplace_back();
    for (const double t : at) row.push_back(model.survival(risk, t));
    if (!std::isfinite(risk) || std::any_of(row.begin(), row.end(), [](double p) { return std::isnan(p); }))
      throw EvaluationError(
          "A test row has values so far from those the model was fitted to that its risk is "
          "not finite.");
  }
  return out;
}

Numbers evaluation_times(const SurvivalTimes& test) {
  Numbers sorted = test.duration;
  std::sort(sorted.begin(), sorted.end());
  const double last = quantile(sorted, kLast);
  Numbers out;
  for (std::size_t i = 1; i <= kTimes; ++i) out.push_back(last * static_cast<double>(i) / kTimes);
  return out;
}

// Chance of not being censored.
detail::SurvivalCurve censoring(SurvivalTimes times) {
  for (char& event : times.event) event = event == 1 ? 0 : 1;
  return detail::kaplan_meier(times);
}

// Mean over times of each row's weighted squared error.
Numbers brier_rows(const SurvivalTimes& test, const Chances& chances, const Numbers& at) {
  const detail::SurvivalCurve free = censoring(test);
  Numbers out;
  for (std::size_t i = 0; i < test.duration.size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < at.size(); ++k) {
      const double p = chances[i][k];
      if (test.duration[i] > at[k])
        sum += (1 - p) * (1 - p) / std::max(1e-9, free.at(at[k]));
      else if (test.event[i] == 1)
        // Just before the time: a row that is censored at the same time was still there.
        sum += p * p / std::max(1e-9, free.at(std::nextafter(test.duration[i], 0.0)));
    }
    out.push_back(sum / static_cast<double>(at.size()));
  }
  return out;
}

}  // namespace

Score SurvivalUsefulness::evaluate(const Table* real, const Table& synthetic,
                                   const EvaluationContext& context) const {
  Score score = start_score(
      *this,
      brier_ ? "Error of the survival chances that a model fitted to synthetic rows gives real ones."
             : "How well a survival model fitted to synthetic rows orders the events of real ones.",
      brier_ ? "integrated Brier score, inverse probability of censoring weights, Cox model"
             : "Harrell's concordance, Cox model");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (duration_.empty() || event_.empty())
    return undefined(std::move(score), "No columns of durations and events were named.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  Trial trial;
  trial.columns = detail::shared_columns(*real, synthetic, context.holdout.get());
  std::erase_if(trial.columns, [&](const std::string& name) {
    return name == duration_ || name == event_ || real->schema().at(name).has(Role::target);
  });
  if (trial.columns.empty())
    return undefined(std::move(score), "The tables share no column but duration, event and target.");
  std::vector<std::string> all = trial.columns;
  all.insert(all.end(), {duration_, event_});
  const auto followed = [&](const Table& table) {
    const SurvivalTimes times = detail::survival_times(table, *real, duration_, event_);
    const Table kept = table.take(times.rows);
    Table ordered = kept.take(detail::order_by_content(kept, all));
    SurvivalTimes again = detail::survival_times(ordered, *real, duration_, event_);
    return Followed{std::move(ordered), std::move(again)};
  };
  trial.synthetic = followed(synthetic);
  trial.training = followed(*real);
  if (context.holdout) {
    trial.test = followed(*context.holdout);
  } else {
    if (Units::of(trial.training.table).count < 8)
      return undefined(std::move(score), "Without a holdout, eight real subjects or rows are needed.");
    const double shares[] = {0.75, 0.25};
    const auto parts = split(trial.training.table, shares, Random(context.seed).stream(0x68656C64));
    trial.test = followed(trial.training.table.take(parts[1]));
    trial.training = followed(trial.training.table.take(parts[0]));
    score.warnings.push_back(
        "Without a holdout, the test rows are a quarter of the real rows, which the generator may have "
        "seen.");
  }
  if (trial.test.times.duration.empty())
    return undefined(std::move(score), "No test row has a duration and an event.");
  const Numbers at = evaluation_times(trial.test.times);
  try {
    const Fitted found = fit(trial, trial.synthetic, at, context),
                 best = fit(trial, trial.training, at, context);
    const SurvivalTimes& test = trial.test.times;
    const Units units = Units::of(trial.test.table);
    const std::string source =
        message("the same model fitted to ", counted(trial.training.times.duration.size(), "real row"));
    score.n = test.duration.size();
    if (brier_) {
      RatioRows rows;
      for (const double value : brier_rows(test, found.chances, at)) rows.add(value);
      set_ratio(score, rows, units, context);
      score.value = std::min(1.0, *score.value);
      score.ceiling = Bound{mean_of(brier_rows(test, best.chances, at)), source};
      const detail::SurvivalCurve curve = detail::kaplan_meier(trial.training.times);
      Numbers same;
      for (const double t : at) same.push_back(curve.at(t));
      score.floor = Bound{mean_of(brier_rows(test, Chances(score.n, same), at)),
                          "the real Kaplan-Meier curve for everybody"};
      return score;
    }
    const auto value = concordance(found.risks, test.duration, test.event, context.threads, context.cancel);
    if (!value) return undefined(std::move(score), "No two test rows can be compared: there are no events.");
    score.value = value->value;
    score.interval = detail::influence_interval(value->value, value->influence, units, range());
    if (score.interval)
      score.interval->method =
          message("U-statistic, normal, ", units.count, " ", units.name, ", models held fixed");
    else
      score.no_interval = "The test rows show no spread, or are too few.";
    if (const auto of_real =
            concordance(best.risks, test.duration, test.event, context.threads, context.cancel))
      score.ceiling = Bound{of_real->value, source};
    score.floor = Bound{0.5, "theory: risks that know nothing"};
  } catch (const EvaluationError& error) {
    return undefined(std::move(score), error.what());
  }
  return score;
}

}  // namespace synthema
