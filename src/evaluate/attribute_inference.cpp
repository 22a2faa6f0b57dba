#include "synthema/evaluate/privacy/attribute_inference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/evaluate/marginal_floor.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/privacy/residual_risk.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/learn/nearest_neighbours.hpp"

namespace synthema {

namespace {

using Names = std::vector<std::string>;

// For each attacked row the row of `source` that is nearest by these columns; chance decides among equals.
std::vector<std::size_t> nearest(const Table& source, const Table& attacked, const Names& columns,
                                 std::vector<const Table*> scale_by, const EvaluationContext& context,
                                 Random random) {
  MixedSpace space(scale_by, columns);
  Names all = columns;
  for (const Field& field : source.schema().fields)  // ties differ in the secret: it takes part in the order
    if (std::find(all.begin(), all.end(), field.name) == all.end()) all.push_back(field.name);
  std::vector<std::size_t> order = detail::order_by_content(source, all);
  random.shuffle(order);
  const NeighbourIndex index(space, space.encode(source.take(order)));
  const NeighbourIndex queries(space, space.encode(attacked));
  std::vector<std::size_t> out;
  for (const Neighbour& one :
       index.nearest_to(queries, {.threads = context.threads, .cancel = context.cancel}))
    out.push_back(order[one.row]);
  return out;
}

bool right(const Column& guesses, std::size_t guess, const Column& truths, std::size_t truth,
           const AttributeInferenceOptions& options) {
  if (guesses.is_null(guess) || truths.is_null(truth)) return guesses.is_null(guess) && truths.is_null(truth);
  if (!detail::is_number(truths.kind()))
    return detail::category_at(guesses, guess) == detail::category_at(truths, truth);
  const double g = guesses.number_at(guess), t = truths.number_at(truth);
  if (options.convention == Convention::anonymeter) return std::abs(g - t) / (g + 1e-12) <= options.tolerance;
  return std::abs(g - t) <= options.tolerance * std::abs(t);
}

// Successes summed by attacked row over the secrets it has.
struct Tally {
  std::vector<double> successes, tries;

  explicit Tally(std::size_t rows) : successes(rows, 0.0), tries(rows, 0.0) {}
  void add(const Tally& other) {
    for (std::size_t i = 0; i < tries.size(); ++i) {
      successes[i] += other.successes[i];
      tries[i] += other.tries[i];
    }
  }
  double total(const std::vector<double>& of) const { return std::accumulate(of.begin(), of.end(), 0.0); }
  double rate() const {
    const double all = total(tries);
    return all > 0 ? total(successes) / all : 0;
  }
  // How many independent attempts would give the rate the variance that it has: tries of one row are not.
  double attempts() const {
    const double all = total(tries), p = rate();
    double squares = 0;
    for (std::size_t i = 0; i < tries.size(); ++i) squares += std::pow(successes[i] - p * tries[i], 2);
    const double people =
        static_cast<double>(std::count_if(tries.begin(), tries.end(), [](double one) { return one > 0; }));
    return squares > 0 ? std::clamp(p * (1 - p) * all * all / squares, people, all) : people;
  }
};

Tally tally(const Table& source, const Table& attacked, const std::vector<std::size_t>& guesses,
            const std::string& secret, const AttributeInferenceOptions& options) {
  Tally out(attacked.rows());
  const Column &guess = source.column(secret), &truth = attacked.column(secret);
  for (std::size_t row = 0; row < attacked.rows(); ++row) {
    if (truth.is_null(row) && options.convention != Convention::anonymeter) continue;
    out.tries[row] = 1;
    out.successes[row] = right(guess, guesses[row], truth, row, options);
  }
  return out;
}

ResidualRisk risk_of(const Tally& attack, const Tally& control) {
  const double n = attack.attempts(), m = control.attempts();
  return residual_risk(attack.rate() * n, n, control.rate() * m, m);
}

}  // namespace

AttributeInference::AttributeInference(AttributeInferenceOptions options) : options_(std::move(options)) {
  require_convention(options_.convention, kConventions, name());
  if (options_.attacks == 0 || !(options_.tolerance >= 0))
    throw ConfigError({.field = "attacks"},
                      "Attribute inference needs at least one attack and a tolerance that is not negative.");
}

Score AttributeInference::evaluate(const Table* real, const Table& synthetic,
                                   const EvaluationContext& context) const {
  Score score = start_score(*this,
                            "Risk that the nearest synthetic row gives away a column of a person whose "
                            "other columns are known, over that for people not in the data.",
                            "(attack - control) / (1 - control), Wilson centres (Giomi et al. 2023)");
  score.convention = name_of(options_.convention);
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (!context.holdout) return undefined(std::move(score), "No holdout was given.");
  const Table& holdout = *context.holdout;
  if (real->rows() == 0 || synthetic.rows() == 0 || holdout.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const Names columns = detail::shared_columns(*real, synthetic, &holdout);
  for (const Names* names : {&options_.secrets, &options_.known})
    for (const std::string& name : *names)
      if (std::find(columns.begin(), columns.end(), name) == columns.end())
        throw EvaluationError(
            {.field = name},
            "Attribute inference needs this column, of numbers or categories, in all tables.");
  if (columns.size() < 2)
    return undefined(std::move(score), "The tables share fewer than two columns of numbers or categories.");
  Names secrets = options_.secrets;
  if (secrets.empty())
    for (const Field* field : real->schema().with_role(Role::sensitive))
      if (std::find(columns.begin(), columns.end(), field->name) != columns.end())
        secrets.push_back(field->name);
  if (secrets.empty()) secrets = columns;

  const Random random = Random(context.seed).stream(0x696E6665);
  const std::size_t attacks = std::min({options_.attacks, Units::of(*real).count, Units::of(holdout).count});
  const Table attacked = real->take(detail::drawn_rows(*real, columns, attacks, random.stream(1)));
  const Table control = holdout.take(detail::drawn_rows(holdout, columns, attacks, random.stream(2)));
  const bool theirs = options_.convention == Convention::anonymeter;
  Tally all_attacks(attacked.rows()), all_controls(control.rows());
  for (std::size_t s = 0; s < secrets.size(); ++s) {
    Names known = options_.known.empty() ? columns : options_.known;
    std::erase(known, secrets[s]);
    if (known.empty()) continue;
    const auto guessed = [&](const Table& source, const Table& rows) {
      const auto scale = theirs ? std::vector{&rows, &source} : std::vector{real, &holdout};
      return tally(source, rows, nearest(source, rows, known, scale, context, random.stream(10 + s)),
                   secrets[s], options_);
    };
    const Tally attack = guessed(synthetic, attacked), of_control = guessed(synthetic, control);
    const Tally baseline = guessed(holdout, attacked);
    all_attacks.add(attack);
    all_controls.add(of_control);
    const ResidualRisk risk = risk_of(attack, of_control);
    score.parts.push_back({secrets[s], risk.risk(), static_cast<std::uint64_t>(attack.total(attack.tries)),
                           message("right for ", attack.rate(), " of training and ", of_control.rate(),
                                   " of holdout people; by the nearest holdout row ", baseline.rate(),
                                   "; 95 % interval ", std::clamp(risk.difference - risk.half, 0.0, 1.0),
                                   " to ", std::clamp(risk.difference + risk.half, 0.0, 1.0))});
  }
  if (!(all_attacks.total(all_attacks.tries) > 0 && all_controls.total(all_controls.tries) > 0))
    return undefined(std::move(score), "The secret columns have no values to infer.");
  set_risk(score, risk_of(all_attacks, all_controls));
  score.n = attacks;
  score.ceiling = Bound{0, "theory: people in the data and others are inferred alike"};
  if (options_.floor) {
    AttributeInferenceOptions without = options_;
    without.floor = false;
    detail::set_marginal_floor(score, AttributeInference(without), *real, synthetic, context);
  }
  return score;
}

}  // namespace synthema
