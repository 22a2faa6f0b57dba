#include "src/generate/tabular/marginal_measuring.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "src/generate/tabular/listed_factor.hpp"
#include "src/generate/tabular/marginal_candidates.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/generate/tabular/private_domain.hpp"

namespace synthema::detail {

namespace {

constexpr double kChoiceShare = 0.1;  // of a round's rho
constexpr double kSlack = 1e-9;       // relative, for the rounding of sums
// The least that can be drawn (noise.hpp): the epsilon of a choice; and the most noise of a count that is
// worth to be measured.
constexpr double kLeastChoice = 0x1.02p-10;
constexpr double kMostNoise = 1 << 14;
const double kMeanDeviation = std::sqrt(2 / M_PI);  // of a standard normal variable

// Potentials of independent columns near their counts, from where the estimation goes on.
std::vector<std::vector<double>> first_potentials(std::span<const NoisyMarginal> marginals) {
  std::vector<std::vector<double>> out;
  for (const NoisyMarginal& m : marginals) {
    std::vector<double>& potential = out.emplace_back();
    for (std::size_t i = 0; i < m.counts.size(); ++i)
      potential.push_back(std::log(std::max(m.counts[i], 0.3 / std::sqrt(m.precisions[i]))));
  }
  return out;
}

std::vector<std::size_t> sizes_of(const MeasuredTable& table) {
  std::vector<std::size_t> out;
  for (const std::size_t c : table.modelled) out.push_back(table.columns[c].states);
  return out;
}

class Measuring {
 public:
  Measuring(const MeasuredTable& table, std::vector<NoisyMarginal> singles, const MeasuringOptions& options,
            PrivateBudget& budget, const ProgressSink& progress, const CancelToken& cancel)
      : table_(table),
        options_(options),
        budget_(budget),
        progress_(progress),
        cancel_(cancel),
        marginals_(std::move(singles)),
        sizes_(sizes_of(table)),
        total_(noisy_total(marginals_)),
        all_(budget.spent() + budget.left()),
        // rho of a round that can be drawn at all
        least_(std::max(kLeastChoice * kLeastChoice / 8 / kChoiceShare,
                        budget.rho_of(kMostNoise) / (1 - kChoiceShare))),
        largest_(static_cast<double>(options.max_cells)),
        model_(sizes_, total_),
        truth_(table.states, sizes_) {}

  GraphicalModel run() {
    const std::size_t d = sizes_.size();
    if (d == 0) return std::move(model_);
    begin();
    const double rounds =
        std::min(static_cast<double>(options_.rounds > 0 ? std::max(options_.rounds, d) : 3 * d),
                 budget_.left() / least_);
    if (d == 1 || rounds < 1) {
      measure_singles();
      estimate(d == 1 ? 1000 : 200);
      return std::move(model_);
    }
    rho_ = budget_.left() / rounds;
    span_tree();
    estimate(100);
    while (budget_.left() > std::max(all_ * 1e-6, least_))
      if (!measure_worst()) break;
    estimate(1000);
    return std::move(model_);
  }

 private:
  // Independent columns, and the combinations that the schema lists.
  void begin() {
    std::vector<VariableSet> singles;
    for (const NoisyMarginal& m : marginals_) singles.push_back(m.variables);
    model_.add(singles, first_potentials(marginals_), options_.threads);
    for (const GroupRule& group : table_.schema.groups)
      if (group.kind == "combinations") add_listed(group);
  }

  void add_listed(const GroupRule& group) {
    const auto factor = listed_factor(table_.schema, group, table_.columns, table_.modelled, largest_);
    if (!factor) return;
    std::vector<VariableSet> sets = model_.sets();
    sets.push_back(factor->variables);
    if (JunctionTree::cells_of(sizes_, sets) > largest_) return;
    std::vector<double> potential = factor->potential;
    if (const auto at = std::ranges::find(model_.sets(), factor->variables); at != model_.sets().end())
      for (std::size_t i = 0; i < potential.size(); ++i)
        potential[i] += model_.potentials()[static_cast<std::size_t>(at - model_.sets().begin())][i];
    model_.add(std::vector<VariableSet>{factor->variables}, std::vector<std::vector<double>>{potential},
               options_.threads);
  }

  // A spanning tree. Until a pair joins two parts, the model has these independent: no estimate between.
  void span_tree() {
    const std::vector<VariableSet> sets = all_pairs(sizes_, largest_);
    std::vector<std::vector<double>> single;
    for (std::uint32_t v = 0; v < sizes_.size(); ++v) single.push_back(model_.marginal({v}));
    const std::vector<double> scores = scores_of(sets, [&](std::size_t i) {
      std::vector<double> product;
      for (const double p : single[sets[i][0]])
        for (const double q : single[sets[i][1]]) product.push_back(p * q);
      return product;
    });
    std::vector<std::size_t> part(sizes_.size());
    std::iota(part.begin(), part.end(), std::size_t{0});
    for (;;) {
      std::vector<double> left;
      std::vector<std::size_t> places;
      for (std::size_t i = 0; i < sets.size(); ++i)
        if (part[sets[i][0]] != part[sets[i][1]]) left.push_back(scores[i]), places.push_back(i);
      if (left.empty() || budget_.left() < rho_) return;
      const VariableSet& pair =
          sets[places[budget_.choose(left, rho_ * kChoiceShare, 1, "choice of a pair")]];
      measure(pair, rho_ * (1 - kChoiceShare));
      const std::size_t from = part[pair[1]], to = part[pair[0]];
      for (std::size_t& p : part)
        if (p == from) p = to;
      tell(pair);
    }
  }

  // A round: what the model explains worst. False where nothing may be measured any more.
  bool measure_worst() {
    if (budget_.left() < 2 * rho_) rho_ = budget_.left() * (1 - kSlack);
    // As large a tree as the part of the budget that is spent with this round.
    const double limit = std::max(largest_ * (budget_.spent() + rho_) / all_, model_.tree().cells);
    const std::vector<VariableSet> sets = candidates_of(model_, limit, largest_, options_.threads);
    if (sets.empty()) {
      measure_singles();
      return false;
    }
    const auto shares = shares_of(model_, sets, options_.threads);
    const std::vector<double> scores =
        scores_of(sets, [&](std::size_t i) -> const std::vector<double>& { return shares[i]; });
    const std::size_t chosen = budget_.choose(scores, rho_ * kChoiceShare, 1, "choice of a marginal");
    const VariableSet& set = sets[chosen];
    measure(set, rho_ * (1 - kChoiceShare));
    estimate(40);
    const std::vector<double> now = model_.marginal(set);
    double moved = 0;
    for (std::size_t i = 0; i < now.size(); ++i) moved += total_ * std::abs(now[i] - shares[chosen][i]);
    if (moved <= noise_of(set)) rho_ *= 4;
    tell(set);
    return true;
  }

  // Single columns get what is left where no pair may be measured.
  void measure_singles() {
    const double each = budget_.left() * (1 - kSlack) / static_cast<double>(sizes_.size());
    for (std::uint32_t v = 0; v < sizes_.size() && budget_.sigma_of(each) < kMostNoise; ++v)
      measure({v}, each);
  }

  void measure(const VariableSet& set, double rho) {
    std::vector<double> counts = truth_.of(set);
    const double sigma = budget_.measure(counts, rho, released(set));
    std::vector<double> precisions(counts.size(), 1 / (sigma * sigma));
    marginals_.push_back({set, std::move(counts), std::move(precisions)});
  }

  // How wrong the model, which says shares(i) of set i, is beyond what noise would be. One person changes
  // each by at most the rows that are used of them: weights are at most 1.
  template <class Shares>
  std::vector<double> scores_of(std::span<const VariableSet> sets, const Shares& shares) {
    truth_.prepare(sets, options_.threads);
    std::vector<double> out(sets.size());
    parallel_for(
        sets.size(),
        [&](std::size_t i) {
          const double wrong = truth_.distance_to(sets[i], shares(i), total_);
          out[i] = weight_of(sets[i]) * (wrong - noise_of(sets[i]));
        },
        options_.threads, 8);
    return out;
  }

  double weight_of(const VariableSet& set) const {
    if (options_.target >= sizes_.size()) return 1;
    const bool has = std::ranges::find(set, static_cast<std::uint32_t>(options_.target)) != set.end();
    return has ? 1 : 1 / options_.target_weight;
  }

  // The sum of the deviations that a round's noise makes.
  double noise_of(const VariableSet& set) const {
    return kMeanDeviation * budget_.sigma_of(rho_ * (1 - kChoiceShare)) * cells_in(sizes_, set);
  }

  void estimate(std::size_t iterations) {
    model_.estimate(marginals_, {.iterations = iterations, .threads = options_.threads}, cancel_);
  }

  std::string released(const VariableSet& set) const {
    std::string out;
    for (const std::uint32_t v : set)
      out += (out.empty() ? "" : " x ") + table_.schema.fields[table_.modelled[v]].name;
    return "counts: " + out;
  }

  void tell(const VariableSet& set) const {
    cancel_.check();
    if (progress_)
      progress_(
          {.phase = "fit",
           .done = std::min<std::uint64_t>(99, static_cast<std::uint64_t>(100 * budget_.spent() / all_)),
           .total = 100,
           .note = released(set)});
  }

  const MeasuredTable& table_;
  const MeasuringOptions& options_;
  PrivateBudget& budget_;
  const ProgressSink& progress_;
  const CancelToken& cancel_;
  std::vector<NoisyMarginal> marginals_;
  std::vector<std::size_t> sizes_;
  double total_, all_, least_, largest_;
  double rho_ = 0;  // of a round
  GraphicalModel model_;
  TrueCounts truth_;
};

}  // namespace

GraphicalModel measure_table(const MeasuredTable& table, std::vector<NoisyMarginal> singles,
                             const MeasuringOptions& options, PrivateBudget& budget,
                             const ProgressSink& progress, const CancelToken& cancel) {
  return Measuring(table, std::move(singles), options, budget, progress, cancel).run();
}

}  // namespace synthema::detail
