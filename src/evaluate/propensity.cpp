#include "synthema/evaluate/fidelity/propensity.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <numeric>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/learn/linear_model.hpp"

namespace synthema {

namespace {

constexpr std::size_t kMostColumns = 2000;  // of the design: its Gram matrix is kept whole

// Number of coefficients that the rows can tell apart, the intercept among them.
std::size_t rank_of(const DesignMatrix& design) {
  const auto size = static_cast<Eigen::Index>(design.columns + 1);
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(size, size);
  for (std::size_t row = 0; row < design.rows; ++row) {
    const std::size_t begin = row * design.entries, end = begin + design.entries;
    gram(size - 1, size - 1) += 1;
    for (std::size_t a = begin; a < end; ++a) {
      if (design.index[a] == DesignMatrix::none) continue;
      gram(design.index[a], size - 1) += design.value[a];
      gram(size - 1, design.index[a]) += design.value[a];
      for (std::size_t b = begin; b < end; ++b)
        if (design.index[b] != DesignMatrix::none)
          gram(design.index[a], design.index[b]) += design.value[a] * design.value[b];
    }
  }
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> decomposed(gram);
  decomposed.setThreshold(1e-9);
  return static_cast<std::size_t>(decomposed.rank());
}

struct Fitted {
  double mse = 0;
  double expected = 0, deviation = 0;  // of mse, where both tables come from one distribution
  std::size_t coefficients = 0;
  bool converged = false;
};

std::optional<Fitted> fit(const detail::TwoSamples& samples, const EvaluationContext& context) {
  const DesignMatrix design = DesignEncoding(samples.table, samples.columns).apply(samples.table);
  if (design.columns > kMostColumns) return std::nullopt;
  const LinearModel model(design, {2, samples.is_synthetic}, all_rows(design.rows),
                          {.l2 = 1e-8, .threads = context.threads, .cancel = context.cancel});
  const std::vector<double> chance = model.predict(design).column(1);
  const auto n = static_cast<double>(chance.size());
  const double share = std::accumulate(samples.is_synthetic.begin(), samples.is_synthetic.end(), 0.0) / n;
  Fitted out;
  for (const double p : chance) out.mse += (p - share) * (p - share) / n;
  out.coefficients = rank_of(design);
  const double unit = (1 - share) * (1 - share) * share / n, free = static_cast<double>(out.coefficients) - 1;
  out.expected = free * unit;
  out.deviation = std::sqrt(2 * free) * unit;
  out.converged = model.converged();
  return out;
}

}  // namespace

Score Propensity::evaluate(const Table* real, const Table& synthetic,
                           const EvaluationContext& context) const {
  const bool ratio = measure_ == Measure::ratio;
  Score score =
      start_score(*this,
                  ratio ? "Mean squared propensity difference over what rows of one distribution would give."
                        : "Mean squared difference of a row's chance of being synthetic and their share.",
                  ratio ? "pMSE / null expectation, Snoke et al. 2018, logistic main effects"
                        : "pMSE, Woo et al. 2009, logistic main effects");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  if (detail::shared_columns(*real, synthetic).empty())
    return undefined(std::move(score), "The tables share no column to compare.");
  const std::optional<Fitted> fitted = fit(detail::two_samples(*real, synthetic), context);
  if (!fitted)
    return undefined(std::move(score),
                     message("The columns have more than ", kMostColumns, " coefficients."));
  if (!(fitted->expected > 0)) return undefined(std::move(score), "No shared column varies.");
  const auto of = [&](const Fitted& one) { return ratio ? one.mse / one.expected : one.mse; };
  score.n = real->rows() + synthetic.rows();
  score.value = of(*fitted);
  score.no_interval =
      "The model is fitted to the rows that it is judged by, which a bootstrap would count twice; the part "
      "'standardised' compares with chance instead.";
  score.parts = {
      {"coefficients", static_cast<double>(fitted->coefficients), score.n, "the intercept among them"},
      {"null expectation", fitted->expected, score.n, "pMSE of rows of one distribution"},
      {"standardised", (fitted->mse - fitted->expected) / fitted->deviation, score.n,
       "standard deviations above the null expectation"}};
  score.ceiling = Bound{ratio ? 1 : fitted->expected, "theory: rows of one distribution"};
  if (!fitted->converged)
    score.warnings.push_back(
        "Some rows are told apart for certain, so the regression has no finite solution; the "
        "value is where it was stopped.");
  const detail::TwoSamples halves = detail::against_marginals(*real, context.seed);
  if (!halves.columns.empty())
    if (const auto loose = fit(halves, context); loose && loose->expected > 0)
      score.floor =
          Bound{of(*loose),
                "half of the real rows against the other half shuffled apart, which main effects cannot see"};
  return score;
}

}  // namespace synthema
