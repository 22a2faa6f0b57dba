#include "synthema/generate/tabular/private_marginals.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

#include "src/generate/tabular/model_arrays.hpp"
#include "src/generate/tabular/private_file.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/privacy/calibration.hpp"

namespace synthema {

namespace {

constexpr double kThresholdShare = 0.1;  // of delta, for the labels of columns that the schema leaves open
constexpr double kTargetShare = 4;       // of the target's first counts: as much as of so many columns
constexpr double kChoiceShare = 0.1;     // of a round's rho
constexpr double kSlack = 1e-9;          // relative, for the rounding of sums
constexpr std::size_t kFewColumns = 60;  // with more, only pairs with a column in between are candidates
constexpr std::size_t kCachedCells = 40'000'000;
constexpr double kLeastChoice = 0x1.02p-10;  // epsilon of a choice
constexpr double kMostNoise = 1 << 14;       // of a count that is worth to be measured
constexpr int kMostAttempts = 100;
constexpr double kMostModelCells = 1e9;             // that a file may ask for
const double kMeanDeviation = std::sqrt(2 / M_PI);  // of a standard normal variable

void check(const PrivateMarginalsOptions& options) {
  check_epsilon(options.epsilon);
  check_delta(options.delta);
  const auto require = [](bool holds, const char* field, const char* what) {
    if (!holds) throw ConfigError({.field = field}, what);
  };
  require(options.epsilon > 0, "epsilon",
          "Nothing can be learnt with an epsilon of 0; 1 is a common choice.");
  require(options.target_weight >= 1 && std::isfinite(options.target_weight), "target_weight",
          "Pairs with the target count at least as much as others: the weight is 1 or more.");
  require(options.rows_per_person >= 1 && options.rows_per_person <= 1000000, "rows_per_person",
          "At least one row and at most a million rows of a person are used.");
  require(options.bins >= 2 && options.bins <= 1024, "bins", "A number has 2 to 1024 bins.");
  require(options.first_share > 0 && options.first_share < 1, "first_share",
          "The share of single columns lies between 0 and 1.");
  require(options.max_cells >= 1000 && options.max_cells <= 100000000, "max_cells",
          "The cliques of a model have 1,000 to 100,000,000 cells.");
}

void refuse_keys(const RowRules& rules) {
  if (!rules.keys().empty())
    throw GenerationError(
        {.field = "groups"},
        "PrivateMarginals does not keep keys (groups 'unique'); leave these groups out of the "
        "schema, or take SequentialTrees, which is not private.");
}

std::vector<double> counts_of(std::span<const std::vector<std::uint32_t>> states,
                              std::span<const std::size_t> sizes, const VariableSet& set) {
  std::size_t cells = 1;
  for (const std::uint32_t v : set) cells *= sizes[v];
  std::vector<double> out(cells);
  const std::size_t rows = states[set.front()].size();
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t cell = 0;
    for (const std::uint32_t v : set) cell = cell * sizes[v] + states[v][row];
    out[cell] += 1;
  }
  return out;
}

double cells_in(std::span<const std::size_t> sizes, const VariableSet& set) {
  double out = 1;
  for (const std::uint32_t v : set) out *= static_cast<double>(sizes[v]);
  return out;
}

double distance(std::span<const double> counts, std::span<const double> shares, double total) {
  double out = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) out += std::abs(counts[i] - total * shares[i]);
  return out;
}

// The true counts of candidates, kept while they are not too many. They never leave the fit.
class TrueCounts {
 public:
  TrueCounts(std::span<const std::vector<std::uint32_t>> states, std::span<const std::size_t> sizes)
      : states_(states), sizes_(sizes) {}

  void prepare(std::span<const VariableSet> sets, std::size_t threads) {
    std::vector<VariableSet> fresh;
    for (const VariableSet& set : sets) {
      const auto cells = static_cast<std::size_t>(cells_in(sizes_, set));
      if (kept_.contains(set) || cells_ + cells > kCachedCells) continue;
      cells_ += cells;
      fresh.push_back(set);
    }
    std::vector<std::vector<double>> found(fresh.size());
    parallel_for(
        fresh.size(), [&](std::size_t i) { found[i] = counts_of(states_, sizes_, fresh[i]); }, threads, 4);
    for (std::size_t i = 0; i < fresh.size(); ++i) kept_.emplace(std::move(fresh[i]), std::move(found[i]));
  }
  std::vector<double> of(const VariableSet& set) const {
    const auto at = kept_.find(set);
    return at == kept_.end() ? counts_of(states_, sizes_, set) : at->second;
  }
  double distance_to(const VariableSet& set, std::span<const double> shares, double total) const {
    const auto at = kept_.find(set);
    return at == kept_.end() ? distance(counts_of(states_, sizes_, set), shares, total)
                             : distance(at->second, shares, total);
  }

 private:
  std::span<const std::vector<std::uint32_t>> states_;
  std::span<const std::size_t> sizes_;
  std::map<VariableSet, std::vector<double>> kept_;
  std::size_t cells_ = 0;
};

std::string names_of(const VariableSet& set, std::span<const std::size_t> modelled, const Schema& schema) {
  std::string out;
  for (const std::uint32_t v : set) out += (out.empty() ? "" : " x ") + schema.fields[modelled[v]].name;
  return out;
}

NoisyMarginal measured(const VariableSet& set, std::vector<double> counts, double rho, PrivateBudget& budget,
                       const std::string& released) {
  const double sigma = budget.measure(counts, rho, released);
  NoisyMarginal out{set, std::move(counts), {}};
  out.precisions.assign(out.counts.size(), 1 / (sigma * sigma));
  return out;
}

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

// Combinations that the schema lists as a factor of the model: cells of which no listed one is are
// impossible. That is public, so it costs nothing, and fewer rows are drawn again.
struct ListedFactor {
  VariableSet variables;
  std::vector<double> potential;
};
std::optional<ListedFactor> listed_factor(const Schema& schema, const GroupRule& group,
                                          std::span<const PrivateColumn> columns,
                                          std::span<const std::size_t> modelled, double most_cells) {
  constexpr double kImpossible = -1e6;  // a logarithm: probabilities are then exactly 0
  std::vector<ColumnCoding> codings;
  for (const PrivateColumn& column : columns) codings.push_back(column.coding);
  const Combinations listed = listed_combinations(schema, group, codings);
  const std::size_t width = listed.columns.size();
  if (width < 2) return std::nullopt;
  std::vector<std::pair<std::uint32_t, std::size_t>> order;  // variable, place in the combinations
  double cells = 1;
  for (std::size_t k = 0; k < width; ++k) {
    const auto at = std::ranges::find(modelled, listed.columns[k]) - modelled.begin();
    order.emplace_back(static_cast<std::uint32_t>(at), k);
    cells *= columns[listed.columns[k]].states;
  }
  if (cells > most_cells) return std::nullopt;
  std::ranges::sort(order);
  ListedFactor out{{}, std::vector<double>(static_cast<std::size_t>(cells), kImpossible)};
  for (const auto& [variable, place] : order) out.variables.push_back(variable);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    std::vector<std::size_t> places{0};
    for (const auto& [variable, k] : order) {
      const PrivateColumn& column = columns[listed.columns[k]];
      const double cell = listed.cells[i * width + k];
      std::vector<std::uint32_t> states;
      if (!std::isnan(cell) || column.missing) states.push_back(column.state_of(cell));
      if (!std::isnan(cell) && column.rest) states.push_back(column.rest_state());
      std::vector<std::size_t> longer;
      for (const std::size_t begun : places)
        for (const std::uint32_t state : states) longer.push_back(begun * column.states + state);
      places = std::move(longer);
    }
    for (const std::size_t place : places) out.potential[place] = 0;
  }
  // Nothing was told of the listed values: the rules say so.
  if (std::ranges::find(out.potential, 0.0) == out.potential.end()) return std::nullopt;
  return out;
}

// The column that breaks a rule, or their number. `known` is for its use.
std::size_t broken_at(const RowRules& rules, std::span<const ColumnCoding> codings,
                      std::span<const std::size_t> modelled, std::span<const double> cells,
                      std::vector<std::uint8_t>& known) {
  std::ranges::fill(known, std::uint8_t{0});
  for (const std::size_t c : modelled) {
    if (!rules.touches(c)) continue;
    if (!rules.admits(c, cells[c], {cells, known}, codings)) return c;
    known[c] = 1;
  }
  return codings.size();
}

// Sets what follows from the other cells of the row: totals of sums. Drawing again until a total fits its
// parts would keep the rows with few and small parts alone. A number beyond what the column may be stays as
// drawn; so the rules refuse the row.
void set_following(const RowRules& rules, std::span<const ColumnCoding> codings,
                   std::span<const std::size_t> modelled, std::span<const std::size_t> following,
                   std::span<double> cells, std::vector<std::uint8_t>& known) {
  if (following.empty()) return;
  std::ranges::fill(known, std::uint8_t{0});
  for (const std::size_t c : modelled) known[c] = 1;
  for (const std::size_t c : following) known[c] = 0;
  for (const std::size_t c : following) {
    const auto range = rules.range(c, {cells, known}, codings);
    const auto& ends = codings[c].values;
    if (range && range->first == range->second &&
        (rules.is_total(c) || (range->first >= ends.front() && range->first <= ends.back())))
      cells[c] = range->first;
    known[c] = 1;
  }
}

// Numbers that a list of combinations has: a state may hold others, which would only be refused. What is
// drawn is one of those of the state that the row's other combined cells leave, each as likely as the next.
class ListedNumbers {
 public:
  ListedNumbers(const RowRules& rules, std::span<const PrivateColumn> columns,
                std::span<const ColumnCoding> codings, std::span<const std::size_t> modelled)
      : rules_(rules), columns_(columns), codings_(codings), listed_(columns.size()) {
    for (const std::size_t c : modelled) {
      if (!rules.combined(c)) continue;
      if (columns[c].coding.is_category())
        labels_.push_back(c);
      else
        numbers_.push_back(c), listed_[c] = rules.listed(c);
    }
  }

  // For each number that is free of such a column: found(column, those that are left), which gives the cell.
  template <class IsFree, class StateOf, class Found>
  void each(std::span<const double> cells, const IsFree& is_free, const StateOf& state_of,
            const Found& found) const {
    if (numbers_.empty()) return;
    detail::RowCells known(columns_.size());
    for (const std::size_t c : labels_) known.set(c, cells[c]);
    for (const std::size_t c : numbers_)
      if (!is_free(c) || std::isnan(cells[c])) known.set(c, cells[c]);
    for (const std::size_t c : numbers_) {
      if (known.known[c]) continue;
      std::vector<double> left;
      for (const double cell : listed_[c])
        if (columns_[c].state_of(cell) == state_of(c) && rules_.admits(c, cell, known.view(), codings_))
          left.push_back(cell);
      known.set(c, found(c, left));
    }
  }

 private:
  const RowRules& rules_;
  std::span<const PrivateColumn> columns_;
  std::span<const ColumnCoding> codings_;
  std::vector<std::vector<double>> listed_;  // by column
  std::vector<std::size_t> labels_, numbers_;
};

struct Candidates {
  std::vector<VariableSet> sets;
  std::vector<double> scores;
};

// Pairs that keep the junction tree below `limit` cells, and triples within its cliques.
std::vector<VariableSet> candidates_of(const GraphicalModel& model, double limit, double largest,
                                       std::size_t threads) {
  const auto& sizes = model.sizes();
  const auto d = static_cast<std::uint32_t>(sizes.size());
  std::vector<VariableSet> linked;
  for (const VariableSet& set : model.sets())
    if (set.size() == 2) linked.push_back(set);
  std::vector<VariableSet> pairs;
  if (d <= kFewColumns) {
    for (std::uint32_t a = 0; a < d; ++a)
      for (std::uint32_t b = a + 1; b < d; ++b) pairs.push_back({a, b});
  } else {
    std::vector<VariableSet> neighbours(d);
    for (const VariableSet& set : linked)
      neighbours[set[0]].push_back(set[1]), neighbours[set[1]].push_back(set[0]), pairs.push_back(set);
    for (std::uint32_t a = 0; a < d; ++a)
      for (const std::uint32_t middle : neighbours[a])
        for (const std::uint32_t b : neighbours[middle])
          if (a < b) pairs.push_back({a, b});
    std::ranges::sort(pairs);
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  }
  std::vector<std::uint8_t> fits(pairs.size());
  parallel_for(
      pairs.size(),
      [&](std::size_t i) {
        if (cells_in(sizes, pairs[i]) > largest) return;
        if (model.holds(pairs[i])) {
          fits[i] = 1;
          return;
        }
        std::vector<VariableSet> sets = model.sets();
        sets.push_back(pairs[i]);
        fits[i] = JunctionTree::cells_of(sizes, sets) <= limit;
      },
      threads, 8);
  std::vector<VariableSet> out;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (fits[i]) out.push_back(pairs[i]);
  std::vector<VariableSet> triples;
  for (const JunctionTree::Clique& clique : model.tree().cliques) {
    const VariableSet& v = clique.variables;
    for (std::size_t a = 0; a < v.size(); ++a)
      for (std::size_t b = a + 1; b < v.size(); ++b)
        for (std::size_t c = b + 1; c < v.size(); ++c)
          if (cells_in(sizes, {v[a], v[b], v[c]}) <= largest) triples.push_back({v[a], v[b], v[c]});
  }
  std::ranges::sort(triples);
  triples.erase(std::unique(triples.begin(), triples.end()), triples.end());
  out.insert(out.end(), triples.begin(), triples.end());
  return out;
}

// What the model says of each candidate.
std::vector<std::vector<double>> shares_of(const GraphicalModel& model, std::span<const VariableSet> sets,
                                           std::size_t threads) {
  std::vector<std::vector<double>> out(sets.size());
  std::vector<std::vector<std::size_t>> by_first(model.sizes().size());
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (sets[i].size() == 2)
      by_first[sets[i][0]].push_back(i);
    else
      others.push_back(i);
  parallel_for(
      by_first.size(),
      [&](std::size_t v) {
        if (by_first[v].empty()) return;
        auto pairs = model.pairs_with(static_cast<std::uint32_t>(v));
        for (const std::size_t i : by_first[v]) out[i] = std::move(pairs[sets[i][1]]);
      },
      threads);
  parallel_for(
      others.size(), [&](std::size_t k) { out[others[k]] = model.marginal(sets[others[k]]); }, threads);
  return out;
}

}  // namespace

double concentrated_budget(double epsilon, double delta) {
  const double noise = noise_multiplier({.epsilon = epsilon, .delta = delta}, Accounting::renyi);
  return 1 / (2 * noise * noise);
}

double epsilon_of_rho(double rho, double delta) {
  return epsilon_of(GaussianMechanism{1 / std::sqrt(2 * rho)}, 1, delta, Accounting::renyi);
}

PrivateMarginals::PrivateMarginals(PrivateMarginalsOptions options) : options_(std::move(options)) {
  check(options_);
}

void PrivateMarginals::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  NoiseSource noise = NoiseSource::operating_system();
  fit(real, noise, progress, cancel);
}

void PrivateMarginals::fit(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                           const CancelToken& cancel) {
  cancel.check();
  if (real.columns() == 0) throw SchemaError("The table has no columns; there is nothing to learn.");
  PrivateMarginals made(options_);
  made.schema_ = real.schema();
  std::string target = options_.target;
  if (target.empty())
    if (const auto labels = real.schema().with_role(Role::target); !labels.empty())
      target = labels.front()->name;
  if (!target.empty() && !real.has(target))
    throw ConfigError({.field = target}, "The target is not a column of the table.");

  const std::size_t unnamed = unnamed_label_columns(real.schema());
  const double threshold_delta = unnamed > 0 ? kThresholdShare * options_.delta : 0;
  const double rho = concentrated_budget(options_.epsilon, options_.delta - threshold_delta);
  const double m = real.schema().subject() ? static_cast<double>(options_.rows_per_person) : 1.0;
  const double shares = static_cast<double>(real.columns()) + (target.empty() ? 0 : kTargetShare - 1);
  const double column_rho = rho * options_.first_share / shares;
  const PrivateDomainOptions domain_options{
      .bins = options_.bins,
      .infer = options_.infer,
      .column_rho = column_rho,
      .target = target,
      .target_rho = kTargetShare * column_rho,
      .threshold_delta = unnamed > 0 ? threshold_delta / static_cast<double>(unnamed) : 0,
      .threads = options_.threads};
  check_domain(real, domain_options, m);
  if (std::ranges::find(real.schema().groups, "unique", &GroupRule::kind) != real.schema().groups.end())
    refuse_keys(check_rules(real));
  const LedgerEntry entry{
      .mechanism = "private marginals: discrete Gaussian and exponential mechanism, zero-concentrated",
      .sensitivity = m,
      .unit = protected_unit(real.schema(), options_.rows_per_person),
      .epsilon = options_.epsilon,
      .delta = options_.delta,
      .released =
          message("model of a table with ", real.columns(), real.columns() == 1 ? " column" : " columns"),
      .private_noise = noise.is_private(),
      .noise_multiplier = 1 / std::sqrt(2 * rho),
      .steps = 1};
  if (!options_.ledger.empty()) LedgerFile(options_.ledger).append(entry);  // before the first draw
  made.ledger_.add(entry);

  PrivateBudget budget(rho, m, noise);
  const std::vector<std::size_t> rows = rows_used(real, options_.rows_per_person, noise);
  PrivateDomain domain = discover_domain(real, rows, domain_options, budget);
  made.columns_ = std::move(domain.columns);
  std::size_t target_variable = std::numeric_limits<std::size_t>::max();
  for (std::size_t c = 0; c < made.columns_.size(); ++c) {
    if (!made.columns_[c].modelled()) continue;
    if (real.schema().fields[c].name == target) target_variable = made.modelled_.size();
    made.modelled_.push_back(c);
  }
  made.measure_pairs(domain.states, std::move(domain.marginals), budget, target_variable, progress, cancel);
  made.spending_ = budget.spending();
  if (progress) progress({.phase = "fit", .done = 100, .total = 100, .note = {}});
  *this = std::move(made);
}

void PrivateMarginals::measure_pairs(std::span<const std::vector<std::uint32_t>> states,
                                     std::vector<NoisyMarginal> marginals, PrivateBudget& budget,
                                     std::size_t target, const ProgressSink& progress,
                                     const CancelToken& cancel) {
  const std::size_t d = states.size();
  std::vector<std::size_t> sizes;
  for (const std::size_t c : modelled_) sizes.push_back(columns_[c].states);
  const double total = noisy_total(marginals);
  model_ = GraphicalModel(sizes, total);
  if (d == 0) return;
  std::vector<VariableSet> singles;
  for (const NoisyMarginal& m : marginals) singles.push_back(m.variables);
  model_.add(singles, first_potentials(marginals), options_.threads);
  for (const GroupRule& group : schema_.groups) {
    if (group.kind != "combinations") continue;
    const auto most = static_cast<double>(options_.max_cells);
    const auto factor = listed_factor(schema_, group, columns_, modelled_, most);
    std::vector<VariableSet> sets = model_.sets();
    if (factor) sets.push_back(factor->variables);
    if (!factor || JunctionTree::cells_of(sizes, sets) > most) continue;
    std::vector<double> potential = factor->potential;
    if (const auto at = std::ranges::find(model_.sets(), factor->variables); at != model_.sets().end())
      for (std::size_t i = 0; i < potential.size(); ++i)
        potential[i] += model_.potentials()[static_cast<std::size_t>(at - model_.sets().begin())][i];
    model_.add(std::vector<VariableSet>{factor->variables}, std::vector<std::vector<double>>{potential},
               options_.threads);
  }
  const auto estimate = [&](std::size_t iterations) {
    model_.estimate(marginals, {.iterations = iterations, .threads = options_.threads}, cancel);
  };
  const double all = budget.spent() + budget.left();
  const auto tell = [&](const std::string& note) {
    cancel.check();
    if (progress)
      progress({.phase = "fit",
                .done = std::min<std::uint64_t>(99, static_cast<std::uint64_t>(100 * budget.spent() / all)),
                .total = 100,
                .note = note});
  };
  const auto released = [&](const VariableSet& set) {
    return "counts: " + names_of(set, modelled_, schema_);
  };
  const auto weight_of = [&](const VariableSet& set) {
    const bool has = std::ranges::find(set, static_cast<std::uint32_t>(target)) != set.end();
    return has || target >= d ? 1 : 1 / options_.target_weight;
  };
  // Single columns get what is left where no pair may be measured.
  const auto measure_singles = [&] {
    const double each = budget.left() * (1 - kSlack) / static_cast<double>(d);
    for (std::uint32_t v = 0; v < d && budget.sigma_of(each) < kMostNoise; ++v)
      marginals.push_back(measured({v}, counts_of(states, sizes, {v}), each, budget, released({v})));
  };
  if (d == 1) {
    measure_singles();
    return estimate(1000);
  }

  // With little budget, as many rounds as leave each choice an epsilon that can be drawn (noise.hpp).
  const double least = kLeastChoice * kLeastChoice / 8 / kChoiceShare;  // rho of a round
  const double most = budget.left() / least;
  const auto rounds =
      std::min(static_cast<double>(options_.rounds > 0 ? std::max(options_.rounds, d) : 3 * d), most);
  if (rounds < 1) {
    measure_singles();
    return estimate(200);
  }
  double rho = budget.left() / rounds;
  const auto largest = static_cast<double>(options_.max_cells);
  TrueCounts truth(states, sizes);
  std::vector<VariableSet> sets;
  std::vector<double> scores;
  const auto penalty = [&](const VariableSet& set, double round_rho) {
    return kMeanDeviation * budget.sigma_of(round_rho * (1 - kChoiceShare)) * cells_in(sizes, set);
  };

  // A spanning tree. Until a pair joins two parts, the model has these independent: no estimate between.
  for (std::uint32_t a = 0; a < d; ++a)
    for (std::uint32_t b = a + 1; b < d; ++b)
      if (cells_in(sizes, {a, b}) <= largest) sets.push_back({a, b});
  truth.prepare(sets, options_.threads);
  scores.resize(sets.size());
  std::vector<std::vector<double>> single;
  for (std::uint32_t v = 0; v < d; ++v) single.push_back(model_.marginal({v}));
  parallel_for(
      sets.size(),
      [&](std::size_t i) {
        std::vector<double> product;
        for (const double p : single[sets[i][0]])
          for (const double q : single[sets[i][1]]) product.push_back(p * q);
        scores[i] = weight_of(sets[i]) * (truth.distance_to(sets[i], product, total) - penalty(sets[i], rho));
      },
      options_.threads, 8);
  std::vector<std::size_t> part(d);
  std::iota(part.begin(), part.end(), std::size_t{0});
  for (;;) {
    std::vector<double> left;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < sets.size(); ++i)
      if (part[sets[i][0]] != part[sets[i][1]]) left.push_back(scores[i]), places.push_back(i);
    if (left.empty() || budget.left() < rho) break;
    const VariableSet pair = sets[places[budget.choose(left, rho * kChoiceShare, 1, "choice of a pair")]];
    marginals.push_back(measured(pair, truth.of(pair), rho * (1 - kChoiceShare), budget, released(pair)));
    const std::size_t from = part[pair[1]], to = part[pair[0]];
    for (std::size_t& p : part)
      if (p == from) p = to;
    tell(released(pair));
  }
  estimate(100);

  while (budget.left() > std::max(all * 1e-6, least)) {
    if (budget.left() < 2 * rho) rho = budget.left() * (1 - kSlack);
    // As large a tree as the part of the budget that is spent with this round.
    const double limit = std::max(largest * (budget.spent() + rho) / all, model_.tree().cells);
    sets = candidates_of(model_, limit, largest, options_.threads);
    if (sets.empty()) {
      measure_singles();
      break;
    }
    truth.prepare(sets, options_.threads);
    const auto shares = shares_of(model_, sets, options_.threads);
    scores.assign(sets.size(), 0);
    parallel_for(
        sets.size(),
        [&](std::size_t i) {
          scores[i] =
              weight_of(sets[i]) * (truth.distance_to(sets[i], shares[i], total) - penalty(sets[i], rho));
        },
        options_.threads, 8);
    const std::size_t chosen = budget.choose(scores, rho * kChoiceShare, 1, "choice of a marginal");
    const VariableSet set = sets[chosen];
    marginals.push_back(measured(set, truth.of(set), rho * (1 - kChoiceShare), budget, released(set)));
    estimate(40);
    const std::vector<double> now = model_.marginal(set);
    double moved = 0;
    for (std::size_t i = 0; i < now.size(); ++i) moved += total * std::abs(now[i] - shares[chosen][i]);
    if (moved <= penalty(set, rho)) rho *= 4;
    tell(released(set));
  }
  estimate(1000);
}

// --- drawing

Table PrivateMarginals::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  std::vector<std::vector<double>> cells(columns_.size());
  for (const std::size_t c : modelled_) cells[c].resize(request.rows);
  draw_rows(request, cells);
  CodedTable coded;
  coded.schema = schema_;
  for (const PrivateColumn& column : columns_) coded.columns.push_back(column.coding);
  return detail::decoded(coded, cells, request.rows, Random(request.seed), options_.threads);
}

void PrivateMarginals::draw_rows(const SampleRequest& request,
                                 std::vector<std::vector<double>>& cells) const {
  std::vector<ColumnCoding> codings;
  for (const PrivateColumn& column : columns_) codings.push_back(column.coding);
  const CellConditions conditions(request.conditions.get(), codings, name());
  const RowRules rules(schema_, codings);
  refuse_keys(rules);
  const ListedNumbers listed(rules, columns_, codings, modelled_);
  const Random random(request.seed);
  const std::size_t d = modelled_.size();
  std::vector<std::size_t> variable_of(columns_.size());
  for (std::size_t v = 0; v < d; ++v) variable_of[modelled_[v]] = v;
  const std::vector<std::size_t> order = rules.ordered(modelled_);

  struct Row {
    std::vector<double> fixed, cells;
    std::vector<std::uint8_t> known;
    std::vector<std::size_t> following;
    std::vector<std::uint32_t> states;
  };
  const auto new_row = [&] {
    return Row{std::vector<double>(conditions.empty() ? 0 : columns_.size()),
               std::vector<double>(columns_.size()), std::vector<std::uint8_t>(columns_.size()),
               rules.following(order, std::vector<std::uint8_t>(columns_.size())),
               std::vector<std::uint32_t>(d)};
  };
  const auto draw = [&](const TreeSampler& sampler, std::size_t number, Row& row) {
    if (!conditions.empty()) {
      conditions.row(number, row.fixed);
      for (std::size_t c = 0; c < row.fixed.size(); ++c) row.known[c] = std::isnan(row.fixed[c]) ? 0 : 1;
      row.following = rules.following(order, row.known);
    }
    std::size_t wrong = columns_.size();
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
      const Random own = random.stream(1).stream(static_cast<std::uint64_t>(attempt));
      sampler.draw(own, number, row.states);
      const Random within = own.stream(2);
      for (std::size_t v = 0; v < d; ++v) {
        const std::size_t c = modelled_[v];
        const bool free = row.fixed.empty() || std::isnan(row.fixed[c]);
        row.cells[c] = free ? columns_[c].draw(row.states[v], within.block(number, v)) : row.fixed[c];
      }
      listed.each(
          row.cells, [&](std::size_t c) { return row.fixed.empty() || std::isnan(row.fixed[c]); },
          [&](std::size_t c) { return row.states[variable_of[c]]; },
          [&](std::size_t c, const std::vector<double>& left) {
            const std::uint64_t bits = within.block(number, variable_of[c])[3];
            return left.empty() ? row.cells[c] : row.cells[c] = left[bits * left.size() >> 32];
          });
      set_following(rules, codings, modelled_, row.following, row.cells, row.known);
      wrong = broken_at(rules, codings, modelled_, row.cells, row.known);
      if (wrong == columns_.size()) break;
    }
    if (wrong < columns_.size())
      throw GenerationError(
          {.field = schema_.fields[wrong].name},
          message("In row ", number, ", ", kMostAttempts,
                  " draws in a row broke the rules of the schema for this column; the rules, "
                  "the conditions and what was learnt do not go together."));
    for (const std::size_t c : modelled_) cells[c][number] = row.cells[c];
  };

  if (conditions.empty()) {
    std::vector<std::vector<double>> beliefs;
    for (std::size_t c = 0; c < model_.tree().cliques.size(); ++c) beliefs.push_back(model_.clique(c));
    const TreeSampler sampler(model_.tree(), model_.sizes(), beliefs);
    detail::over_rows(request, options_.threads, [&](std::size_t first, std::size_t last) {
      Row row = new_row();
      for (std::size_t number = first; number < last; ++number) draw(sampler, number, row);
    });
    return;
  }
  // Rows of the same evidence share the inference.
  std::map<std::vector<std::int32_t>, std::vector<std::size_t>> groups;
  std::vector<double> fixed(columns_.size());
  const std::size_t different = std::min<std::size_t>(conditions.rows(), request.rows);
  for (std::size_t i = 0; i < different; ++i) {
    conditions.row(i, fixed);
    std::vector<std::int32_t> evidence(d, -1);
    for (std::size_t v = 0; v < d; ++v)
      if (const double cell = fixed[modelled_[v]]; !std::isnan(cell))
        evidence[v] = static_cast<std::int32_t>(columns_[modelled_[v]].state_of(cell));
    groups[std::move(evidence)].push_back(i);
  }
  std::vector<std::pair<std::vector<std::int32_t>, std::vector<std::size_t>>> list(groups.begin(),
                                                                                   groups.end());
  ProgressCounter progress(request.progress, "sample", request.rows);
  const auto draw_group = [&](std::size_t g, std::size_t threads) {
    request.cancel.check();
    const auto beliefs = model_.given(list[g].first);
    if (!(std::accumulate(beliefs[0].begin(), beliefs[0].end(), 0.0) > 0))
      throw GenerationError(message("Row ", list[g].second.front(),
                                    " of the conditions asks for values that the model never has together."));
    const TreeSampler sampler(model_.tree(), model_.sizes(), beliefs);
    parallel_for(
        list[g].second.size(),
        [&](std::size_t k) {
          Row row = new_row();
          std::uint64_t done = 0;
          for (std::size_t number = list[g].second[k]; number < request.rows;
               number += conditions.rows(), ++done)
            draw(sampler, number, row);
          progress.add(done);
        },
        threads);
  };
  if (list.size() == 1)
    draw_group(0, options_.threads);
  else
    parallel_for(list.size(), [&](std::size_t g) { draw_group(g, 1); }, options_.threads);
  progress.finish();
}

// How many of the model's rows keep the rules: of kDraws that are drawn with a seed of their own.
double PrivateMarginals::share_kept(const RowRules& rules, std::span<const ColumnCoding> codings) const {
  constexpr std::size_t kDraws = 1U << 16;
  if (std::ranges::none_of(modelled_, [&](std::size_t c) { return rules.touches(c); })) return 1;
  std::vector<std::vector<double>> beliefs;
  for (std::size_t c = 0; c < model_.tree().cliques.size(); ++c) beliefs.push_back(model_.clique(c));
  const TreeSampler sampler(model_.tree(), model_.sizes(), beliefs);
  const ListedNumbers listed(rules, columns_, codings, modelled_);
  const Random random(0);
  const std::vector<std::size_t> following =
      rules.following(rules.ordered(modelled_), std::vector<std::uint8_t>(columns_.size()));
  std::atomic<std::size_t> kept = 0;
  detail::over_rows({.rows = kDraws}, options_.threads, [&](std::size_t first, std::size_t last) {
    std::vector<double> cells(columns_.size());
    std::vector<std::uint8_t> known(columns_.size());
    std::vector<std::uint32_t> states(modelled_.size());
    std::size_t own = 0;
    for (std::size_t row = first; row < last; ++row) {
      sampler.draw(random.stream(1), row, states);
      for (std::size_t v = 0; v < states.size(); ++v)
        cells[modelled_[v]] = columns_[modelled_[v]].draw(states[v], random.stream(2).block(row, v));
      listed.each(
          cells, [](std::size_t) { return true; },
          [&](std::size_t c) { return columns_[c].state_of(cells[c]); },
          [&](std::size_t c, const std::vector<double>& left) {
            return left.empty() ? cells[c] : cells[c] = left[row % left.size()];
          });
      set_following(rules, codings, modelled_, following, cells, known);
      own += broken_at(rules, codings, modelled_, cells, known) == columns_.size();
    }
    kept += own;
  });
  return std::max<double>(static_cast<double>(kept), 1) / kDraws;
}

std::vector<double> PrivateMarginals::log_prob(const Table& table, const ProgressSink& progress,
                                               const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  std::vector<ColumnCoding> codings;
  for (const PrivateColumn& column : columns_) codings.push_back(column.coding);
  const std::vector<std::vector<double>> cells = cells_of(codings, table);
  const RowRules rules(schema_, codings);
  std::vector<double> out = detail::log_share_of_absent(codings, cells, table.rows());
  const ListedNumbers listed(rules, columns_, codings, modelled_);
  const double log_kept = std::log(share_kept(rules, codings));
  const std::vector<std::size_t> following =
      rules.following(rules.ordered(modelled_), std::vector<std::uint8_t>(columns_.size()));
  detail::over_rows(
      {.rows = table.rows(), .progress = progress, .cancel = cancel}, options_.threads,
      [&](std::size_t first, std::size_t last) {
        std::vector<std::vector<std::pair<std::uint32_t, double>>> left(modelled_.size());
        detail::RowCells state(columns_.size()), others(columns_.size());
        std::vector<std::uint8_t> determined(columns_.size());
        std::vector<double> own(columns_.size());
        for (std::size_t row = first; row < last; ++row) {
          state.forget();
          for (const std::size_t c : modelled_) others.set(c, cells[c][row]);
          for (const std::size_t c : following) others.known[c] = 0;
          for (const std::size_t c : following) {
            const auto range = rules.range(c, others.view(), codings);
            determined[c] = range && range->first == range->second;
            others.known[c] = 1;
          }
          std::vector<double> listed_share(
              columns_.size());  // of a listed number in its state; 0: not listed
          for (const std::size_t c : modelled_) own[c] = cells[c][row];
          listed.each(
              own, [](std::size_t) { return true; },
              [&](std::size_t c) {
                return std::isinf(own[c]) ? columns_[c].states : columns_[c].state_of(own[c]);
              },
              [&](std::size_t c, const std::vector<double>& those) {
                if (!those.empty()) listed_share[c] = 1 / static_cast<double>(those.size());
                return own[c];
              });
          double width = 0;  // logarithm
          bool possible = !std::isinf(out[row]);
          for (std::size_t v = 0; v < modelled_.size() && possible; ++v) {
            const std::size_t c = modelled_[v];
            const PrivateColumn& column = columns_[c];
            const double cell = cells[c][row];
            left[v].clear();
            possible = !std::isinf(cell) && rules.admits(c, cell, state.view(), codings) &&
                       (!std::isnan(cell) || column.missing);
            if (!possible) break;
            state.set(c, cell);
            if (!column.coding.is_category() && !std::isnan(cell))
              width += std::log(measure_width(column.coding));
            if (determined[c]) {  // whatever its own state was
              possible = !std::isnan(cell);
              for (std::uint32_t of = 0; of < column.states; ++of) left[v].emplace_back(of, 1.0);
              continue;
            }
            if (listed_share[c] > 0) {
              left[v].emplace_back(column.state_of(cell), listed_share[c]);
              continue;
            }
            const auto add = [&](std::uint32_t of) {
              const double share = column.log_share(of, cell);
              if (!std::isinf(share)) left[v].emplace_back(of, std::exp(share));
            };
            add(column.state_of(cell));
            if (column.rest && !std::isnan(cell)) add(column.rest_state());
            possible = !left[v].empty();
          }
          out[row] = possible ? out[row] + model_.log_likelihood(left) - width - log_kept
                              : -std::numeric_limits<double>::infinity();
        }
      },
      "log_prob");
  return out;
}

// --- what it tells

std::vector<std::string> PrivateMarginals::untold() const {
  std::vector<std::string> out;
  for (const PrivateColumn& column : columns_)
    if (column.coding.form == CodingForm::absent) out.push_back(column.coding.field.name);
  return out;
}

std::vector<std::string> PrivateMarginals::unresolved() const {
  return unresolved_of(columns_);
}

std::vector<std::vector<std::string>> PrivateMarginals::marginals() const {
  std::vector<std::vector<std::string>> out;
  for (const VariableSet& set : model_.sets()) {
    std::vector<std::string>& names = out.emplace_back();
    for (const std::uint32_t v : set) names.push_back(schema_.fields[modelled_[v]].name);
  }
  return out;
}

std::string PrivateMarginals::describe() const {
  detail::require_fitted(fitted());
  const LedgerEntry& entry = ledger_.entries().front();
  std::string out;
  if (!is_private())
    out +=
        "NOT PRIVATE: made with test noise that a seed repeats. Do not give this model or its rows away.\n";
  out +=
      message("Promise: epsilon ", entry.epsilon, ", delta ", entry.delta, ", for each ", entry.unit, ".\n");
  out += "Public: names, kinds and roles of the columns, and all that the schema states.\n";
  double rho = 0;
  for (const PrivateSpending& one : spending_) rho += one.rho;
  out += message("Spent, of rho ", rho, " in all:\n");
  for (const PrivateSpending& one : spending_)
    out += message("  ", one.released, ": ", one.releases, " x ", one.mechanism,
                   one.mechanism == "exponential" ? ", epsilon " : ", standard deviation ", one.noise,
                   ", rho ", one.rho, one.delta > 0 ? message(", delta ", one.delta) : std::string(), "\n");
  for (const std::string& name : untold())
    out += message("Nothing could be told of '", name, "' under this budget; it is missing in every row.\n");
  for (const std::string& name : unresolved())
    out +=
        message("How fine the values of '", name,
                "' are could not be told under this budget; their decimals, or whole days, are a guess.\n");
  return out;
}

// --- files

std::string PrivateMarginals::save() const {
  detail::require_fitted(fitted());
  using detail::ArrayJson;
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"epsilon", options_.epsilon},
                           {"delta", options_.delta},
                           {"target", options_.target},
                           {"target_weight", options_.target_weight},
                           {"rows_per_person", options_.rows_per_person},
                           {"bins", options_.bins},
                           {"first_share", options_.first_share},
                           {"rounds", options_.rounds},
                           {"max_cells", options_.max_cells},
                           {"infer", options_.infer}};
  file.about["private"] = is_private();
  file.about["ledger"] = ArrayJson::parse(to_json(ledger_));
  detail::put_spending(file, spending_);
  file.about["schema"] = ArrayJson::parse(to_json(schema_));
  detail::put_private_columns(file, columns_);
  file.about["total"] = model_.total();
  file.about["sets"] = model_.sets();
  for (std::size_t s = 0; s < model_.sets().size(); ++s)
    file.put(message("potential.", s), model_.potentials()[s]);
  const std::string digest = file.digest();
  file.about["digest"] = digest;
  return file.file();
}

namespace {

using detail::ArrayJson;
using detail::ModelArrays;

// What the releases cost, from their noise alone, must be what the ledger says or less.
void check_ledger(const ModelArrays& file, const Ledger& ledger, std::span<const PrivateSpending> spending,
                  bool says_private) {
  file.require(ledger.entries().size() == 1, "not one entry in its privacy ledger");
  const LedgerEntry& entry = ledger.entries().front();
  file.require(entry.private_noise == says_private, "a ledger that says something else about its noise");
  const auto [rho, delta] = detail::cost_of(file, spending, entry.sensitivity);
  file.require(!spending.empty() && rho > 0 && rho < 1e12, "no measurement in its ledger");
  file.require(delta < entry.delta && entry.delta < 1 && entry.epsilon > 0, "a ledger without a budget");
  file.require(epsilon_of_rho(rho, entry.delta - delta) <= entry.epsilon * (1 + 1e-6),
               "more was spent than its ledger says");
}

}  // namespace

PrivateMarginals PrivateMarginals::load(std::string_view bytes, const std::string& path) {
  ModelArrays file(bytes, path, "private_marginals");
  PrivateMarginals out;
  try {
    const auto digest = file.value<std::string>(file.about, "digest");
    file.about.erase("digest");
    file.require(file.digest() == digest, "it was changed after it was saved");
    const auto options = file.value<ArrayJson>(file.about, "options");
    PrivateMarginalsOptions& o = out.options_;
    o.epsilon = file.value<double>(options, "epsilon");
    o.delta = file.value<double>(options, "delta");
    o.target = file.value<std::string>(options, "target");
    o.target_weight = file.value<double>(options, "target_weight");
    o.rows_per_person = file.value<std::size_t>(options, "rows_per_person");
    o.bins = file.value<std::size_t>(options, "bins");
    o.first_share = file.value<double>(options, "first_share");
    o.rounds = file.value<std::size_t>(options, "rounds");
    o.max_cells = file.value<std::size_t>(options, "max_cells");
    o.infer = file.value<bool>(options, "infer");
    check(o);
    out.schema_ = schema_from_json(file.value<ArrayJson>(file.about, "schema").dump());
    out.ledger_ = ledger_from_json(file.value<ArrayJson>(file.about, "ledger").dump());
    out.spending_ = detail::get_spending(file);
    check_ledger(file, out.ledger_, out.spending_, file.value<bool>(file.about, "private"));
    out.columns_ = detail::get_private_columns(file, out.schema_);
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < out.columns_.size(); ++i) {
      if (!out.columns_[i].modelled()) continue;
      out.modelled_.push_back(i);
      sizes.push_back(out.columns_[i].states);
    }
    const auto sets = file.value<std::vector<VariableSet>>(file.about, "sets");
    for (const VariableSet& set : sets)
      for (const std::uint32_t v : set)
        file.require(v < sizes.size(), "a marginal of a column that is not there");
    file.require(JunctionTree::cells_of(sizes, sets) <= kMostModelCells, "a model too large to be ours");
    std::vector<std::vector<double>> potentials;
    for (std::size_t s = 0; s < sets.size(); ++s) {
      potentials.push_back(file.get<double>(message("potential.", s)));
      for (const double p : potentials.back())
        file.require(std::isfinite(p) && std::abs(p) < 1e12, "a potential that is not a number");
      file.require(!potentials.back().empty(), "a marginal without a potential");
    }
    out.model_ = GraphicalModel(sizes, file.value<double>(file.about, "total"));
    if (!sets.empty()) out.model_.add(sets, potentials);
  } catch (const ModelError&) {
    throw;
  } catch (const Error& error) {
    file.fail(error.what());
  }
  return out;
}

}  // namespace synthema
