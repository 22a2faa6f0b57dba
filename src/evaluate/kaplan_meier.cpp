#include "synthema/evaluate/longitudinal/kaplan_meier.hpp"

#include <algorithm>
#include <cmath>

#include "src/evaluate/survival_times.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/data/split.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using detail::SurvivalCurve;

struct Areas {
  double absolute = 0, signed_ = 0;
};

// Mean difference of two curves over [0, end].
Areas areas(const SurvivalCurve& real, const SurvivalCurve& synthetic, double end) {
  std::vector<double> cuts{0, end};
  for (const SurvivalCurve* curve : {&real, &synthetic})
    for (const double t : curve->time)
      if (t < end) cuts.push_back(t);
  std::sort(cuts.begin(), cuts.end());
  Areas out;
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    const double apart = synthetic.at(cuts[i - 1]) - real.at(cuts[i - 1]);
    out.absolute += std::abs(apart) * (cuts[i] - cuts[i - 1]) / end;
    out.signed_ += apart * (cuts[i] - cuts[i - 1]) / end;
  }
  return out;
}

std::optional<double> median_of(const SurvivalCurve& curve) {
  for (std::size_t i = 0; i < curve.time.size(); ++i)
    if (curve.survival[i] <= 0.5) return curve.time[i];
  return std::nullopt;
}

// What the distance of curves of two samples of one distribution is in proportion to.
double spread(const detail::SurvivalTimes& a, const detail::SurvivalTimes& b) {
  return std::sqrt(1 / static_cast<double>(a.duration.size()) + 1 / static_cast<double>(b.duration.size()));
}

}  // namespace

Score KaplanMeier::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score = start_score(*this, "Mean distance of the survival curves over the longest real follow-up.",
                            "1/T integral |S synthetic - S real| dt, Kaplan-Meier estimates");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (duration_.empty() || event_.empty())
    return undefined(std::move(score), "No columns of durations and events were named.");
  const auto times = [&](const Table& table) {
    return detail::survival_times(table, *real, duration_, event_);
  };
  const detail::SurvivalTimes of_real = times(*real), of_synthetic = times(synthetic);
  if (of_real.duration.empty() || of_synthetic.duration.empty())
    return undefined(std::move(score), "One of the tables has no row with a duration and an event.");
  score.definition = message(score.definition, "; the event is ", of_real.happened);
  const SurvivalCurve r = detail::kaplan_meier(of_real), s = detail::kaplan_meier(of_synthetic);
  if (!(r.longest > 0)) return undefined(std::move(score), "All real durations are zero.");
  const Areas found = areas(r, s, r.longest);
  score.n = of_synthetic.duration.size();
  score.value = found.absolute;
  score.no_interval = "Resampled curves lie farther apart than the samples, so that a bootstrap is biased.";
  score.parts = {{"optimism", found.signed_, score.n, "above 0: synthetic patients survive longer"},
                 {"short-sightedness", (r.longest - s.longest) / r.longest, score.n,
                  "share of the real follow-up that synthetic patients do not reach"},
                 {"median of real", median_of(r), of_real.duration.size(), "empty: half never has the event"},
                 {"median of synthetic", median_of(s), score.n, ""}};
  if (const std::size_t missing = synthetic.rows() - of_synthetic.duration.size(); missing > 0)
    score.warnings.push_back(
        message("Left out: ", counted(missing, "synthetic row"), " without a duration or an event."));
  if (context.holdout && context.holdout->has(duration_) && context.holdout->has(event_)) {
    const detail::SurvivalTimes fresh = times(*context.holdout);
    if (!fresh.duration.empty())
      score.ceiling = Bound{areas(r, detail::kaplan_meier(fresh), r.longest).absolute,
                            message("holdout, ", counted(fresh.duration.size(), "real row"))};
  } else if (real->rows() > 1) {
    std::vector<std::string> names;
    for (const Field& field : real->schema().fields) names.push_back(field.name);
    const Table ordered = real->take(detail::order_by_content(*real, names));
    const double shares[] = {0.5, 0.5};
    if (Units::of(ordered).count > 1) {
      const auto halves = split(ordered, shares, Random(context.seed).stream(0x6B6D));
      const detail::SurvivalTimes a = times(ordered.take(halves[0])), b = times(ordered.take(halves[1]));
      if (!a.duration.empty() && !b.duration.empty()) {
        const double distance = areas(detail::kaplan_meier(a), detail::kaplan_meier(b), r.longest).absolute;
        const double fresh = distance * spread(of_real, of_synthetic) / spread(a, b);
        score.ceiling = Bound{std::min(1.0, fresh), message("two halves of the real rows, brought to ",
                                                            counted(score.n, "synthetic row"))};
      }
    }
  }
  return score;
}

}  // namespace synthema
