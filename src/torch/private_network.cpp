#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "src/generate/tabular/marginal_measuring.hpp"
#include "src/generate/tabular/private_terms.hpp"
#include "src/privacy/bisection.hpp"
#include "src/torch/fitted_network.hpp"
#include "src/torch/private_training.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

namespace synthema {

namespace {

using detail::ColumnNetwork;

constexpr double kPrivateRate = 1e-2;
constexpr std::uint64_t kSettlingStream = 4, kPairsStream = 5;  // of a fit
// That are drawn to learn from, and how often at most.
constexpr std::size_t kRowsOfPairs = 1U << 15, kRoundsOfPairs = 30;

// Shares of states as counts of codes.
OwnedCounts counts_of(std::span<const double> shares, double total) {
  OwnedCounts out;
  double sum = 0;
  for (std::size_t state = 0; state < shares.size(); ++state) {
    const double most = 4e9 / static_cast<double>(shares.size());  // sums have 32 bits
    sum += std::clamp(std::round(total * shares[state]), 1.0, std::max(most, 1.0));
    out.codes.push_back(static_cast<std::uint32_t>(state));
    out.cumulative.push_back(static_cast<std::uint32_t>(std::min(sum, 4e9)));
  }
  return out;
}

// States of rows of a model, by variable.
std::vector<std::vector<std::uint32_t>> drawn_states(const GraphicalModel& model, std::size_t rows,
                                                     const Random& random) {
  const TreeSampler sampler = sampler_of(model);
  std::vector<std::uint32_t> states(model.sizes().size());
  std::vector<std::vector<std::uint32_t>> out(states.size(), std::vector<std::uint32_t>(rows));
  for (std::size_t row = 0; row < rows; ++row) {
    sampler.draw(random, row, states);
    for (std::size_t v = 0; v < states.size(); ++v) out[v][row] = states[v];
  }
  return out;
}

// The same steps under the name of a phase.
ProgressSink in_phase(const char* phase, const ProgressSink& progress) {
  if (!progress) return {};
  return [phase, progress](Progress step) {
    step.phase = phase;
    progress(step);
  };
}

// The rows of each person among those that are used.
std::vector<std::vector<std::uint32_t>> rows_by_person(const Table& real, std::span<const std::size_t> used) {
  std::vector<std::vector<std::uint32_t>> out;
  std::map<std::uint32_t, std::size_t> known;
  const std::vector<std::uint32_t> who = people_of(real);
  for (std::uint32_t row = 0; row < used.size(); ++row) {
    const auto [at, is_new] = known.emplace(who[used[row]], out.size());
    if (is_new) out.emplace_back();
    out[at->second].push_back(row);
  }
  return out;
}

}  // namespace

namespace detail {

PrivateTerms terms_of(const NetworkPrivacy& privacy) {
  return {.epsilon = privacy.epsilon,
          .delta = privacy.delta,
          .rows_per_person = privacy.rows_per_person,
          .bins = privacy.bins,
          .first_share = privacy.first_share,
          .infer = privacy.infer};
}

}  // namespace detail

double private_learning_noise(const NetworkPrivacy& privacy, double delta, double rho) {
  const GaussianMechanism counts{1 / std::sqrt(2 * rho)};
  const RenyiAccountant first = RenyiAccountant().add(counts);  // holds for discrete noise and choices too
  return detail::smallest_that(
      [&](double noise) {
        RenyiAccountant all = first;
        all.add(GaussianMechanism{noise, privacy.sampling_rate}, privacy.steps);
        return all.epsilon(delta).epsilon <= privacy.epsilon;
      },
      1.0, 2.0, 1e-4);
}

void AnyOrderNetwork::fit(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                          const CancelToken& cancel) {
  if (!options_.privacy)
    throw ConfigError({.field = "privacy"}, "A fit with noise needs a budget: set the options' privacy.");
  for (const auto& [name, value] : options_.temperature) static_cast<void>(real.schema().at(name));
  if (!options_.target.empty()) static_cast<void>(real.schema().at(options_.target));
  fit_privately(real, noise, progress, cancel);
}

// All that the data decide comes after the ledger, and from `budget` or the noisy sums of gradients.
void AnyOrderNetwork::fit_privately(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                                    const CancelToken& cancel) {
  const NetworkPrivacy& privacy = *options_.privacy;
  cancel.check();
  const Schema& schema = real.schema();
  if (real.columns() == 0) throw SchemaError("The table has no columns; there is nothing to learn.");
  if (std::ranges::find(schema.groups, "unique", &GroupRule::kind) != schema.groups.end())
    detail::refuse_network_keys();
  const detail::PrivateTerms terms = detail::terms_of(privacy);
  const detail::PrivatePlan plan = detail::plan_of(schema, terms, detail::target_of(schema, options_.target));
  const double rho = (privacy.first_share + privacy.pairs_share) * plan.rho;
  check_domain(real, plan.domain, plan.rows_each);
  const double multiplier = private_learning_noise(privacy, plan.delta, rho);
  auto made = std::make_unique<Fitted>();
  LedgerEntry entry = detail::entry_of(schema, terms, "network", noise);
  entry.mechanism =
      "DP-SGD: sampled Gaussian, after discrete Gaussian and exponential mechanism on marginals";
  entry.sensitivity = privacy.clip;
  entry.noise_multiplier = multiplier;
  entry.sampling_rate = privacy.sampling_rate;
  entry.steps = privacy.steps;
  if (!privacy.ledger.empty()) LedgerFile(privacy.ledger).append(entry);  // before the first draw
  made->ledger.add(entry);

  PrivateBudget budget(rho, plan.rows_each, noise);
  const std::vector<std::size_t> used = detail::rows_used(real, privacy.rows_per_person, noise);
  PrivateDomain domain = discover_domain(real, used, plan.domain, budget);
  made->told = std::move(domain.columns);
  made->coded.schema = schema;
  made->coded.columns = codings_of(made->told);
  made->rules = rules_of_domain(schema, made->coded.columns);
  made->order = detail::order_of(made->coded, made->rules, options_.target);
  std::vector<std::size_t> modelled;
  detail::MeasuringOptions measuring{.threads = options_.threads};
  for (std::size_t c = 0; c < made->told.size(); ++c) {
    if (!made->told[c].modelled()) continue;
    if (schema.fields[c].name == plan.domain.target) measuring.target = modelled.size();
    modelled.push_back(c);
  }
  const GraphicalModel pairs =
      detail::measure_table({schema, made->told, modelled, domain.states}, std::move(domain.marginals),
                            measuring, budget, in_phase("measure", progress), cancel);
  made->spending = budget.spending();
  made->all.resize(made->told.size());
  made->coded.codes.resize(made->told.size());
  for (std::uint32_t v = 0; v < modelled.size(); ++v)
    made->all[modelled[v]] = counts_of(pairs.marginal({v}), pairs.total());
  made->arrange(options_);
  if (made->network->variables() > 0) {
    const Random random(options_.seed);
    const auto in_classes = [&](std::vector<std::vector<std::uint32_t>> states) {
      for (std::size_t v = 0; v < modelled.size(); ++v) made->coded.codes[modelled[v]] = std::move(states[v]);
      return detail::class_columns(made->coded, made->classes, options_.threads);
    };
    const detail::ClassColumns rows = in_classes(std::move(domain.states));
    made->learn_pairs(options_, in_classes(drawn_states(pairs, kRowsOfPairs, random.stream(kPairsStream))),
                      in_phase("learn pairs", progress), cancel);
    const auto people = rows_by_person(real, used);
    const detail::PrivateTrainingOptions how{.steps = privacy.steps,
                                             .sampling_rate = privacy.sampling_rate,
                                             .clip = privacy.clip,
                                             .noise_multiplier = multiplier,
                                             .people = pairs.total() / plan.rows_each,
                                             .rate = options_.rate > 0 ? options_.rate : kPrivateRate,
                                             .threads = options_.threads};
    made->parameters = detail::train_privately(*made->network, made->arranged(rows).table, people, how,
                                               std::move(made->parameters), noise, progress, cancel);
    made->settle(random.stream(kSettlingStream));
  }
  made->coded.codes.clear();
  fitted_ = std::move(made);
}

// From drawn rows, of which each is a person.
void AnyOrderNetwork::Fitted::learn_pairs(AnyOrderNetworkOptions options, const detail::ClassColumns& drawn,
                                          const ProgressSink& progress, const CancelToken& cancel) {
  options.rate = 0;
  options.rounds = std::min(options.rounds, kRoundsOfPairs);
  coded.rows = drawn.front().size();
  coded.people.resize(coded.rows);
  std::iota(coded.people.begin(), coded.people.end(), 0U);
  learn(options, drawn, progress, cancel);
  coded.rows = 0;
  coded.people.clear();
  loss = std::numeric_limits<double>::quiet_NaN();  // is of drawn rows
}

}  // namespace synthema
