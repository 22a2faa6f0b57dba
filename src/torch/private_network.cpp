#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "src/generate/tabular/private_terms.hpp"
#include "src/privacy/bisection.hpp"
#include "src/torch/fitted_network.hpp"
#include "src/torch/private_training.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

namespace synthema {

namespace {

using detail::ColumnNetwork;

constexpr double kPrivateRate = 3e-2;         // noise forbids many steps, so they are long
constexpr std::uint64_t kSettlingStream = 4;  // of a fit

// Noisy counts of states as those of codes.
OwnedCounts counts_of(const NoisyMarginal& marginal) {
  OwnedCounts out;
  double sum = 0;
  for (std::size_t state = 0; state < marginal.counts.size(); ++state) {
    const double most = 4e9 / static_cast<double>(marginal.counts.size());  // sums have 32 bits
    sum += std::clamp(std::round(marginal.counts[state]), 1.0, std::max(most, 1.0));
    out.codes.push_back(static_cast<std::uint32_t>(state));
    out.cumulative.push_back(static_cast<std::uint32_t>(std::min(sum, 4e9)));
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
  const RenyiAccountant first = RenyiAccountant().add(counts);  // as good as the discrete one
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
  const double rho = privacy.first_share * plan.rho;
  check_domain(real, plan.domain, plan.rows_each);
  const double multiplier = private_learning_noise(privacy, plan.delta, rho);
  auto made = std::make_unique<Fitted>();
  LedgerEntry entry = detail::entry_of(schema, terms, "network", noise);
  entry.mechanism = "DP-SGD: sampled Gaussian, after discrete Gaussian counts of columns";
  entry.sensitivity = privacy.clip;
  entry.noise_multiplier = multiplier;
  entry.sampling_rate = privacy.sampling_rate;
  entry.steps = privacy.steps;
  if (!privacy.ledger.empty()) LedgerFile(privacy.ledger).append(entry);  // before the first draw
  made->ledger.add(entry);

  PrivateBudget budget(rho, plan.rows_each, noise);
  const std::vector<std::size_t> used = detail::rows_used(real, privacy.rows_per_person, noise);
  PrivateDomain domain = discover_domain(real, used, plan.domain, budget);
  made->spending = budget.spending();
  made->told = std::move(domain.columns);
  made->coded.schema = schema;
  made->coded.columns = codings_of(made->told);
  made->rules = RowRules(schema, made->coded.columns);
  made->order = detail::order_of(made->coded, made->rules, options_.target);
  made->all.resize(made->told.size());
  made->coded.codes.resize(made->told.size());
  for (std::size_t c = 0, m = 0; c < made->told.size(); ++c) {
    if (!made->told[c].modelled()) continue;
    made->all[c] = counts_of(domain.marginals[m]);
    made->coded.codes[c] = std::move(domain.states[m++]);
  }
  made->arrange(options_);
  const ColumnNetwork& network = *made->network;
  if (network.variables() > 0) {
    const detail::ClassColumns rows = detail::class_columns(made->coded, made->classes, options_.threads);
    const auto [table, begin] = made->arranged(rows);
    std::vector<std::vector<std::uint32_t>> people;
    std::map<std::uint32_t, std::size_t> known;
    const std::vector<std::uint32_t> who = people_of(real);
    for (std::uint32_t row = 0; row < used.size(); ++row) {
      const auto [at, is_new] = known.emplace(who[used[row]], people.size());
      if (is_new) people.emplace_back();
      people[at->second].push_back(row);
    }
    const Random random(options_.seed);
    detail::Floats initial(network.parameters());
    network.initialise(initial, begin, table.ordered, random.stream(detail::kInitialStream));
    const detail::PrivateTrainingOptions how{.steps = privacy.steps,
                                             .sampling_rate = privacy.sampling_rate,
                                             .clip = privacy.clip,
                                             .noise_multiplier = multiplier,
                                             .people = noisy_total(domain.marginals) / plan.rows_each,
                                             .rate = options_.rate > 0 ? options_.rate : kPrivateRate,
                                             .threads = options_.threads};
    made->parameters =
        detail::train_privately(network, table, people, how, std::move(initial), noise, progress, cancel);
    made->settle(random.stream(kSettlingStream));
  }
  made->coded.codes.clear();
  fitted_ = std::move(made);
}

}  // namespace synthema
