#include "synthema/evaluate/privacy/linkability.hpp"

#include <algorithm>
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

struct Bridge {
  const Table& synthetic;
  std::vector<std::size_t> order;  // of the synthetic rows, decided by all that they are compared by
  std::vector<const Table*> scale_by;
  const LinkabilityOptions& options;
  const EvaluationContext& context;
};

// The nearest synthetic rows to each attacked row by these columns, {attacked, neighbours}.
std::vector<std::size_t> nearest(const Bridge& bridge, const Table& attacked, const Names& columns,
                                 Random random) {
  MixedSpace space(bridge.scale_by, columns);
  std::vector<std::size_t> order = bridge.order;
  random.shuffle(order);  // equal distances go to the lower position: chance decides
  const NeighbourIndex index(space, space.encode(bridge.synthetic.take(order)));
  const NeighbourIndex queries(space, space.encode(attacked));
  std::vector<std::size_t> out;
  for (const Neighbour& one : index.nearest_to(queries, {.neighbours = bridge.options.neighbours,
                                                         .threads = bridge.context.threads,
                                                         .cancel = bridge.context.cancel}))
    out.push_back(order[one.row]);
  return out;
}

std::size_t links(const Bridge& bridge, const Table& attacked, const Names& first, const Names& second,
                  Random random) {
  const std::size_t k = bridge.options.neighbours;
  const auto a = nearest(bridge, attacked, first, random.stream(1)),
             b = nearest(bridge, attacked, second, random.stream(2));
  std::size_t out = 0;
  for (std::size_t row = 0; row < attacked.rows(); ++row) {
    const auto begin = b.begin() + static_cast<std::ptrdiff_t>(row * k),
               end = begin + static_cast<std::ptrdiff_t>(k);
    out += std::any_of(a.begin() + static_cast<std::ptrdiff_t>(row * k),
                       a.begin() + static_cast<std::ptrdiff_t>((row + 1) * k),
                       [&](std::size_t one) { return std::find(begin, end, one) != end; });
  }
  return out;
}

// Chance that two random sets of k of m rows have one in common.
double chance(double k, double m) {
  double none = 1;
  for (double i = 0; i < k; ++i) none *= std::max(0.0, (m - k - i) / (m - i));
  return 1 - none;
}

}  // namespace

Linkability::Linkability(LinkabilityOptions options) : options_(std::move(options)) {
  require_convention(options_.convention, kConventions, name());
  if (options_.neighbours == 0 || options_.attacks == 0)
    throw ConfigError({.field = "neighbours"}, "Linkability needs at least one neighbour and one attack.");
  if (options_.first.empty() != options_.second.empty())
    throw ConfigError({.field = "first"}, "Linkability needs columns of both data sets, or of none.");
  for (const std::string& name : options_.first)
    if (std::find(options_.second.begin(), options_.second.end(), name) != options_.second.end())
      throw ConfigError({.field = name}, "A column that both data sets have would link them by itself.");
}

Score Linkability::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score = start_score(*this,
                            "Risk that synthetic rows link the two halves of a person's record, over that "
                            "for people not in the data.",
                            "(attack - control) / (1 - control), Wilson centres (Giomi et al. 2023)");
  score.convention = name_of(options_.convention);
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (!context.holdout) return undefined(std::move(score), "No holdout was given.");
  const Table& holdout = *context.holdout;
  if (real->rows() == 0 || synthetic.rows() == 0 || holdout.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const Names columns = detail::shared_columns(*real, synthetic, &holdout);
  Names first = options_.first, second = options_.second;
  if (first.empty())
    for (std::size_t c = 0; c < columns.size(); ++c) (c % 2 == 0 ? first : second).push_back(columns[c]);
  for (const Names* names : {&first, &second})
    for (const std::string& name : *names)
      if (std::find(columns.begin(), columns.end(), name) == columns.end())
        throw EvaluationError({.field = name},
                              "Linkability needs this column, of numbers or categories, in all tables.");
  if (second.empty())
    return undefined(std::move(score), "The tables share fewer than two columns of numbers or categories.");
  if (synthetic.rows() < options_.neighbours)
    return undefined(std::move(score), "There are fewer synthetic rows than neighbours to look for.");

  const Random random = Random(context.seed).stream(0x6C696E6B);
  const std::size_t attacks = std::min({options_.attacks, Units::of(*real).count, Units::of(holdout).count});
  const Table attacked = real->take(detail::drawn_rows(*real, columns, attacks, random.stream(3)));
  const Table control = holdout.take(detail::drawn_rows(holdout, columns, attacks, random.stream(4)));
  Names both = first;
  both.insert(both.end(), second.begin(), second.end());
  const std::vector<std::size_t> order = detail::order_by_content(synthetic, both);
  const auto try_on = [&](const Table& rows) {
    const bool theirs = options_.convention == Convention::anonymeter;
    const Bridge bridge{synthetic, order,
                        theirs ? std::vector{&rows, &synthetic} : std::vector{real, &holdout}, options_,
                        context};
    return links(bridge, rows, first, second, random);
  };
  const std::size_t hits = try_on(attacked), control_hits = try_on(control);
  const auto n = static_cast<double>(attacks);
  const ResidualRisk risk = residual_risk(static_cast<double>(hits), n, static_cast<double>(control_hits), n);
  set_risk(score, risk);
  score.n = attacks;
  score.ceiling = Bound{0, "theory: people in the data and others are linked alike"};
  const double guess =
      chance(static_cast<double>(options_.neighbours), static_cast<double>(synthetic.rows()));
  score.parts = {{"attack", risk.attack, attacks, message(counted(hits, "training row"), " linked")},
                 {"control", risk.control, attacks, message(counted(control_hits, "holdout row"), " linked")},
                 {"guessing", guess, attacks, "two random synthetic rows are the same"}};
  if (static_cast<double>(hits) / n < guess)
    score.warnings.push_back("The attack is weaker than guessing, so the risk says nothing.");
  if (options_.floor) {
    LinkabilityOptions without = options_;
    without.floor = false;
    detail::set_marginal_floor(score, Linkability(without), *real, synthetic, context);
  }
  return score;
}

}  // namespace synthema
