#include <cmath>

#include "src/evaluate/association.hpp"
#include "src/evaluate/trial_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/utility/agreement.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;

std::vector<Learner> our_learners() {
  std::vector<Learner> out;
  for (const std::size_t leaves : {2, 8, 31}) {
    BoostingOptions options;
    options.tree.max_leaves = leaves;
    out.push_back(boosted_trees(options));
    out.back().name = message("boosted trees, ", leaves, " leaves");
  }
  for (const double l2 : {1.0, 100.0, 10000.0}) {
    LinearOptions options;
    options.l2 = l2;
    out.push_back(linear_model(options));
    out.back().name = message("linear model, penalty ", l2);
  }
  return out;
}

// Tau-b: ties in either take part in neither.
std::optional<double> kendall(const Numbers& x, const Numbers& y) {
  double agree = 0, of_x = 0, of_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const int a = x[i] < x[j] ? 1 : x[i] > x[j] ? -1 : 0, b = y[i] < y[j] ? 1 : y[i] > y[j] ? -1 : 0;
      agree += a * b;
      of_x += a != 0 ? 1 : 0;
      of_y += b != 0 ? 1 : 0;
    }
  if (!(of_x > 0) || !(of_y > 0)) return std::nullopt;
  return agree / std::sqrt(of_x * of_y);
}

}  // namespace

ModelRanking::ModelRanking(std::vector<Learner> learners)
    : learners_(learners.empty() ? our_learners() : std::move(learners)) {
  if (learners_.size() < 2)
    throw ConfigError({.field = "learners"}, "A ranking needs at least two learners.");
}

Score ModelRanking::evaluate(const Table* real, const Table& synthetic,
                             const EvaluationContext& context) const {
  Score score =
      start_score(*this, "Agreement of the ranking of learners trained on synthetic and on real rows.",
                  message("Kendall's tau-b of ", learners_.size(), " learners"));
  const auto rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  const std::size_t count = learners_.size();
  std::vector<std::optional<double>> found(2 * count);
  parallel_for(
      found.size(),
      [&](std::size_t i) {
        found[i] = detail::usefulness(
            detail::fitted_predictions(learners_[i % count], *rows,
                                       i < count ? rows->synthetic : rows->training, 0, context),
            *rows);
      },
      context.threads);
  Numbers of_synthetic, of_real;
  for (std::size_t i = 0; i < count; ++i) {
    score.parts.push_back({learners_[i].name, found[i], rows->synthetic.rows(), "trained on synthetic rows"});
    score.parts.push_back(
        {learners_[i].name + ", trained on real", found[count + i], rows->training.rows(), ""});
    if (!found[i] || !found[count + i])
      return undefined(std::move(score), "The test rows have one class or one value only.");
    of_synthetic.push_back(*found[i]);
    of_real.push_back(*found[count + i]);
  }
  score.value = kendall(of_synthetic, of_real);
  if (!score.value) return undefined(std::move(score), "All learners do equally well: there is no ranking.");
  score.n = count;
  score.no_interval = message("A correlation of ", count, " learners that share their rows has none.");
  score.ceiling = Bound{1, "theory: the same ranking"};
  score.floor = Bound{0, "theory: an unrelated ranking, on average"};
  return score;
}

namespace {

Numbers importance(const detail::TrialRows& rows, const Table& training, const EvaluationContext& context) {
  const Target target = rows.target.of(training);
  const Binning binning(training, rows.columns);
  BoostingOptions options;
  options.tree.threads = 1;
  options.cancel = context.cancel;
  return GradientBoosting(binning.apply(training, 1), binning.columns(), target, target.rows_with_value(),
                          options, Random(context.seed).stream(0x696D70))
      .importance();
}

std::optional<double> spearman(const Numbers& x, const Numbers& y) {
  return detail::pearson(detail::mean_ranks(x), detail::mean_ranks(y));
}

}  // namespace

Score ImportanceAgreement::evaluate(const Table* real, const Table& synthetic,
                                    const EvaluationContext& context) const {
  Score score = start_score(*this, "Correlation of how much columns matter to models of either table.",
                            "Spearman, share of the gain in boosted trees");
  const auto rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  if (rows->columns.size() < 3)
    return undefined(std::move(score), "A correlation of columns needs three besides the target.");
  const std::size_t half = Units::of(rows->training).count / 2;
  const Table first = detail::some_subjects(rows->training, half, context.seed);
  const Table* tables[] = {&rows->synthetic, &rows->training, &first, &rows->test};
  Numbers found[4];
  try {
    parallel_for(
        4, [&](std::size_t i) { found[i] = importance(*rows, *tables[i], context); }, context.threads);
  } catch (const EvaluationError& error) {
    return undefined(std::move(score), error.what());
  }
  score.value = spearman(found[0], found[1]);
  if (!score.value)
    return undefined(std::move(score), "The trees cut no column: nothing predicts the target.");
  score.n = rows->columns.size();
  score.no_interval = message("A correlation of ", rows->columns.size(), " dependent columns has none.");
  for (std::size_t c = 0; c < rows->columns.size(); ++c) {
    score.parts.push_back({rows->columns[c], found[0][c], rows->synthetic.rows(), "share of the gain"});
    score.parts.push_back({rows->columns[c] + ", real", found[1][c], rows->training.rows(), ""});
  }
  if (const auto fresh = spearman(found[2], found[3]))
    score.ceiling = Bound{
        *fresh, message("half of the real training rows against the ", rows->test.rows(), " test rows")};
  score.floor = Bound{0, "theory: unrelated orders, on average"};
  return score;
}

}  // namespace synthema
