#include "synthema/evaluate/utility/learning_curve.hpp"

#include <algorithm>
#include <cmath>

#include "src/evaluate/trial_rows.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

constexpr double kShares[] = {1.0 / 16, 1.0 / 8, 1.0 / 4, 1.0 / 2, 1};

Table share_of(const Table& table, double share, std::uint64_t seed) {
  const auto units = static_cast<double>(Units::of(table).count);
  return detail::some_subjects(
      table, std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(units * share))), seed);
}

using Measured = std::vector<std::optional<double>>;

Measured measure_all(const Learner& learner, const detail::TrialRows& rows,
                     const std::vector<Table>& training, const EvaluationContext& context) {
  Measured out(training.size());
  parallel_for(
      training.size(),
      [&](std::size_t i) {
        try {
          out[i] =
              detail::usefulness(detail::fitted_predictions(learner, rows, training[i], 0, context), rows);
        } catch (const PlugInError&) {
          throw;
        } catch (const EvaluationError&) {
          out[i] = std::nullopt;  // a sample of one class leaves nothing to learn
        }
      },
      context.threads);
  return out;
}

std::string percent(double share) {
  return message(share * 100, " %");
}

// The largest share of the real rows whose measure the value reaches, and the part of the way to the next.
double reached_at(const Measured& curve, double value) {
  for (std::size_t i = curve.size(); i-- > 0;) {
    if (!curve[i] || value < *curve[i]) continue;
    if (i + 1 == curve.size()) return 1;
    if (!curve[i + 1]) return kShares[i];
    const double part = (value - *curve[i]) / (*curve[i + 1] - *curve[i]);
    return std::exp(std::log(kShares[i]) + part * (std::log(kShares[i + 1]) - std::log(kShares[i])));
  }
  return 0;
}

const char* const kOneSplit =
    "One split and one seed stand behind each point; differences below 0.01 are noise.";

}  // namespace

Score RowsWorth::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of the real rows that serve a model as well as all synthetic rows.",
                            message("real learning curve at the synthetic rows' score, ", learner_.name));
  const auto rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  std::vector<Table> training;
  for (const Table* table : {&rows->training, &rows->synthetic})
    for (const double share : kShares) training.push_back(share_of(*table, share, context.seed));
  const Measured found = measure_all(learner_, *rows, training, context);
  constexpr std::size_t count = std::size(kShares);
  const Measured of_real(found.begin(), found.begin() + count),
      of_synthetic(found.begin() + count, found.end());
  if (!of_real.back() || !of_synthetic.back())
    return undefined(std::move(score),
                     "The test rows, or all training rows, have one class or one value only.");
  for (std::size_t i = 0; i < found.size(); ++i)
    score.parts.push_back({message(i < count ? "real " : "synthetic ", percent(kShares[i % count])), found[i],
                           training[i].rows(),
                           found[i] ? "" : "undefined: the sample has one class or one value only"});
  score.n = rows->synthetic.rows();
  score.value = reached_at(of_real, *of_synthetic.back());
  score.no_interval = kOneSplit;
  score.ceiling = Bound{1, "all real rows"};
  score.floor = Bound{0, "theory: worse than a sixteenth of the real rows"};
  return score;
}

Score AugmentationGain::evaluate(const Table* real, const Table& synthetic,
                                 const EvaluationContext& context) const {
  Score score = start_score(*this, "What synthetic rows add to real rows as training rows of a model.",
                            message("AUROC or R squared with both less real alone, ", learner_.name));
  const auto rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  const Table few = share_of(rows->training, kShares[0], context.seed);
  std::vector<Table> training{rows->training, few, detail::together(few, rows->synthetic, *rows)};
  const double shares[] = {0.25, 0.5, 1};
  for (const double share : shares)
    training.push_back(
        detail::together(rows->training, share_of(rows->synthetic, share, context.seed), *rows));
  const Measured found = measure_all(learner_, *rows, training, context);
  if (!found[0] || !found.back())
    return undefined(std::move(score),
                     "The test rows, or the training rows, have one class or one value only.");
  score.parts.push_back({"real alone", found[0], training[0].rows(), ""});
  for (std::size_t i = 0; i < std::size(shares); ++i)
    score.parts.push_back({message("real and ", percent(shares[i]), " of synthetic"), found[3 + i],
                           training[3 + i].rows(), ""});
  score.parts.push_back({"6.25 % of real alone", found[1], training[1].rows(), ""});
  score.parts.push_back({"6.25 % of real and all synthetic", found[2], training[2].rows(), ""});
  score.n = rows->test.rows();
  score.value = *found.back() - *found[0];
  score.no_interval = kOneSplit;
  score.floor = Bound{0, "theory: nothing is added"};
  return score;
}

}  // namespace synthema
