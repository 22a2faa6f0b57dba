#include "synthema/learn/graphical_model.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "synthema/core/error.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema {

namespace {

using detail::kInfinity;
constexpr double kSerialBelow = 30000;  // cells; threads cost more than they bring
constexpr double kMostCells = 4e9;      // of a clique, for 32-bit maps

bool contains(const VariableSet& all, const VariableSet& part) {
  return std::ranges::includes(all, part);
}

double cells_in(std::span<const std::size_t> sizes, const VariableSet& variables) {
  double out = 1;
  for (const std::uint32_t v : variables) out *= static_cast<double>(sizes[v]);
  return out;
}

// Cliques of the elimination order that takes the smallest clique first; those within another are left out.
std::vector<VariableSet> eliminate(std::span<const std::size_t> sizes, std::span<const VariableSet> sets) {
  const std::size_t n = sizes.size();
  std::vector<std::vector<bool>> linked(n, std::vector<bool>(n));
  std::vector<VariableSet> neighbours(n);
  const auto link = [&](std::uint32_t a, std::uint32_t b) {
    if (a == b || linked[a][b]) return false;
    linked[a][b] = linked[b][a] = true;
    neighbours[a].push_back(b);
    neighbours[b].push_back(a);
    return true;
  };
  for (const VariableSet& set : sets)
    for (const std::uint32_t a : set)
      for (const std::uint32_t b : set) link(a, b);
  std::vector<double> weight(n);
  const auto weigh = [&](std::uint32_t v) {
    weight[v] = static_cast<double>(sizes[v]) * cells_in(sizes, neighbours[v]);
  };
  for (std::uint32_t v = 0; v < n; ++v) weigh(v);
  std::vector<bool> gone(n);
  std::vector<VariableSet> out;
  for (std::size_t step = 0; step < n; ++step) {
    std::uint32_t best = 0;
    double least = kInfinity;
    for (std::uint32_t v = 0; v < n; ++v)
      if (!gone[v] && weight[v] < least) best = v, least = weight[v];
    if (least == kInfinity)  // products beyond doubles: any order will do, it is refused anyway
      best = static_cast<std::uint32_t>(std::ranges::find(gone, false) - gone.begin());
    VariableSet clique = neighbours[best];
    clique.push_back(best);
    std::ranges::sort(clique);
    gone[best] = true;
    for (const std::uint32_t a : neighbours[best]) std::erase(neighbours[a], best);
    for (const std::uint32_t a : neighbours[best])
      for (const std::uint32_t b : neighbours[best]) link(a, b);
    for (const std::uint32_t a : neighbours[best]) weigh(a);
    // A clique can only lie within one that was made before it.
    if (std::ranges::none_of(out, [&](const VariableSet& other) { return contains(other, clique); }))
      out.push_back(std::move(clique));
  }
  return out;
}

VariableSet shared(const VariableSet& a, const VariableSet& b) {
  VariableSet out;
  std::ranges::set_intersection(a, b, std::back_inserter(out));
  return out;
}

VariableSet joined(const VariableSet& a, const VariableSet& b) {
  VariableSet out;
  std::ranges::set_union(a, b, std::back_inserter(out));
  return out;
}

std::vector<double> summed(std::span<const double> values, std::span<const std::uint32_t> map,
                           std::size_t cells) {
  std::vector<double> out(cells);
  for (std::size_t i = 0; i < values.size(); ++i) out[map[i]] += values[i];
  return out;
}

}  // namespace

std::vector<std::uint32_t> projection(std::span<const std::size_t> sizes, const VariableSet& from,
                                      const VariableSet& onto) {
  std::vector<std::size_t> stride(from.size());
  std::size_t cells = 1, at = 1;
  for (std::size_t i = onto.size(); i-- > 0;) {
    const auto place = std::ranges::lower_bound(from, onto[i]) - from.begin();
    stride[static_cast<std::size_t>(place)] = at;
    at *= sizes[onto[i]];
  }
  for (const std::uint32_t v : from) cells *= sizes[v];
  std::vector<std::uint32_t> out(cells);
  std::vector<std::size_t> digits(from.size());
  std::size_t target = 0;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    out[cell] = static_cast<std::uint32_t>(target);
    for (std::size_t i = from.size(); i-- > 0;) {
      target += stride[i];
      if (++digits[i] < sizes[from[i]]) break;
      target -= stride[i] * digits[i];
      digits[i] = 0;
    }
  }
  return out;
}

JunctionTree::JunctionTree(std::span<const std::size_t> sizes, std::span<const VariableSet> sets) {
  std::vector<VariableSet> left = eliminate(sizes, sets);
  if (left.empty()) return;
  // Prim's spanning tree of the largest separators is a junction tree.
  std::vector<std::size_t> parent(left.size());
  std::vector<std::size_t> overlap(left.size());
  std::vector<bool> in(left.size());
  std::vector<std::size_t> place(left.size());
  for (std::size_t step = 0; step < left.size(); ++step) {
    std::size_t best = 0;
    bool found = false;
    for (std::size_t i = 0; i < left.size(); ++i)
      if (!in[i] && (!found || overlap[i] > overlap[best])) best = i, found = true;
    in[best] = true;
    place[best] = cliques.size();
    const std::size_t up = step == 0 ? 0 : place[parent[best]];
    const double size = cells_in(sizes, left[best]);
    cells += size;
    cliques.push_back({left[best], step == 0 ? VariableSet{} : shared(left[best], left[parent[best]]), up,
                       size < kMostCells ? static_cast<std::size_t>(size) : 0});
    for (std::size_t i = 0; i < left.size(); ++i) {
      const std::size_t with = in[i] ? 0 : shared(left[i], left[best]).size();
      if (!in[i] && (step == 0 || with > overlap[i])) overlap[i] = with, parent[i] = best;
    }
  }
}

double JunctionTree::cells_of(std::span<const std::size_t> sizes, std::span<const VariableSet> sets) {
  double out = 0;
  for (const VariableSet& clique : eliminate(sizes, sets)) out += cells_in(sizes, clique);
  return out;
}

GraphicalModel::GraphicalModel(std::vector<std::size_t> sizes, double total)
    : sizes_(std::move(sizes)), total_(total) {
  if (!(total > 0) || !std::isfinite(total))
    throw ConfigError({.field = "total"}, message("The total of a model must be positive, not ", total, "."));
  if (std::ranges::find(sizes_, std::size_t{0}) != sizes_.end())
    throw ConfigError({.field = "sizes"}, "Every variable of a model needs at least one value.");
  rebuild();
  calibrate(potentials_, beliefs_, 1);
  settle();
}

std::size_t GraphicalModel::home_of(const VariableSet& variables) const {
  std::size_t best = tree_.cliques.size();
  for (std::size_t c = 0; c < tree_.cliques.size(); ++c)
    if (contains(tree_.cliques[c].variables, variables) &&
        (best == tree_.cliques.size() || tree_.cliques[c].cells < tree_.cliques[best].cells))
      best = c;
  return best;
}

bool GraphicalModel::holds(const VariableSet& variables) const {
  return home_of(variables) < tree_.cliques.size();
}

void GraphicalModel::rebuild() {
  tree_ = JunctionTree(sizes_, sets_);
  const std::size_t n = tree_.cliques.size();
  own_separator_.assign(n, {});
  parent_separator_.assign(n, {});
  separator_cells_.assign(n, 1);
  children_.assign(n, {});
  levels_.clear();
  std::vector<std::size_t> level(n);
  for (std::size_t c = 0; c < n; ++c) {
    const JunctionTree::Clique& clique = tree_.cliques[c];
    if (clique.cells == 0)
      throw ConfigError("A clique of the model has more than 4e9 cells; measure fewer or smaller marginals.");
    if (c > 0) {
      level[c] = level[clique.parent] + 1;
      children_[clique.parent].push_back(c);
      own_separator_[c] = projection(sizes_, clique.variables, clique.separator);
      parent_separator_[c] = projection(sizes_, tree_.cliques[clique.parent].variables, clique.separator);
      separator_cells_[c] = static_cast<std::size_t>(cells_in(sizes_, clique.separator));
    }
    if (levels_.size() <= level[c]) levels_.emplace_back();
    levels_[level[c]].push_back(c);
  }
  home_.clear();
  set_map_.clear();
  sets_at_.assign(n, {});
  for (std::size_t s = 0; s < sets_.size(); ++s) {
    home_.push_back(home_of(sets_[s]));
    set_map_.push_back(projection(sizes_, tree_.cliques[home_[s]].variables, sets_[s]));
    sets_at_[home_[s]].push_back(s);
  }
}

// Towards the root, then back (Lauritzen and Spiegelhalter 1988): one exponential a cell.
void GraphicalModel::calibrate(std::span<const std::vector<double>> potentials,
                               std::vector<std::vector<double>>& beliefs, std::size_t threads) const {
  const std::size_t n = tree_.cliques.size();
  if (tree_.cells < kSerialBelow) threads = 1;
  beliefs.resize(n);
  std::vector<std::vector<double>> sums(n), messages(n);
  for (std::size_t l = levels_.size(); l-- > 0;)
    parallel_for(
        levels_[l].size(),
        [&](std::size_t k) {
          const std::size_t c = levels_[l][k];
          std::vector<double>& belief = beliefs[c];
          belief.assign(tree_.cliques[c].cells, 0.0);
          const auto add = [&](const std::vector<double>& table, const std::vector<std::uint32_t>& map) {
            for (std::size_t i = 0; i < belief.size(); ++i) belief[i] += table[map[i]];
          };
          for (const std::size_t s : sets_at_[c]) add(potentials[s], set_map_[s]);
          for (const std::size_t child : children_[c]) add(messages[child], parent_separator_[child]);
          const double largest = *std::ranges::max_element(belief);
          for (double& cell : belief) cell = std::exp(cell - largest);
          if (c == 0) return;
          sums[c] = summed(belief, own_separator_[c], separator_cells_[c]);
          messages[c].resize(sums[c].size());
          for (std::size_t i = 0; i < sums[c].size(); ++i) messages[c][i] = largest + std::log(sums[c][i]);
        },
        threads);
  for (const std::vector<std::size_t>& level : levels_)
    parallel_for(
        level.size(),
        [&](std::size_t k) {
          const std::size_t c = level[k];
          std::vector<double>& belief = beliefs[c];
          if (c == 0) {
            const double all = std::accumulate(belief.begin(), belief.end(), 0.0);
            for (double& cell : belief) cell /= all;
            return;
          }
          std::vector<double> scale =
              summed(beliefs[tree_.cliques[c].parent], parent_separator_[c], separator_cells_[c]);
          for (std::size_t i = 0; i < scale.size(); ++i)
            scale[i] = sums[c][i] > 0 ? scale[i] / sums[c][i] : 0;
          for (std::size_t i = 0; i < belief.size(); ++i) belief[i] *= scale[own_separator_[c][i]];
        },
        threads);
}

void GraphicalModel::add(std::span<const VariableSet> sets, std::span<const std::vector<double>> potentials,
                         std::size_t threads) {
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const VariableSet& set = sets[i];
    const bool ascending = std::ranges::adjacent_find(set, std::greater_equal{}) == set.end();
    if (set.empty() || !ascending || set.back() >= sizes_.size())
      throw ConfigError("A set of variables must be ascending, not empty, and of variables that exist.");
    const double cells = cells_in(sizes_, set);
    if (!potentials.empty() && !potentials[i].empty() && static_cast<double>(potentials[i].size()) != cells)
      throw ConfigError("A potential must have one value for each cell of its variables.");
    const auto at = std::ranges::find(sets_, set);
    const auto place = static_cast<std::size_t>(at - sets_.begin());
    if (at == sets_.end()) {
      if (cells > kMostCells) throw ConfigError("A marginal of more than 4e9 cells is too large to model.");
      sets_.push_back(set);
      potentials_.emplace_back(static_cast<std::size_t>(cells));
    }
    if (!potentials.empty() && !potentials[i].empty()) potentials_[place] = potentials[i];
  }
  rebuild();
  calibrate(potentials_, beliefs_, threads);
  settle();
}

void GraphicalModel::settle() {
  separator_shares_.assign(beliefs_.size(), {});
  for (std::size_t c = 1; c < beliefs_.size(); ++c)
    separator_shares_[c] = summed(beliefs_[c], own_separator_[c], separator_cells_[c]);
}

double GraphicalModel::estimate(std::span<const NoisyMarginal> marginals, const EstimationOptions& options,
                                const CancelToken& cancel) {
  std::vector<VariableSet> fresh;
  for (const NoisyMarginal& m : marginals)
    if (std::ranges::find(sets_, m.variables) == sets_.end() &&
        std::ranges::find(fresh, m.variables) == fresh.end())
      fresh.push_back(m.variables);
  if (!fresh.empty()) add(fresh, {}, options.threads);
  std::vector<std::vector<std::size_t>> of_set(sets_.size());  // measurements of each
  double steepest = 0;
  for (std::size_t i = 0; i < marginals.size(); ++i) {
    const NoisyMarginal& m = marginals[i];
    const auto s = static_cast<std::size_t>(std::ranges::find(sets_, m.variables) - sets_.begin());
    if (m.counts.size() != potentials_[s].size() || m.precisions.size() != m.counts.size())
      throw ConfigError("A marginal must have one count and one precision for each cell of its variables.");
    of_set[s].push_back(i);
    steepest += *std::ranges::max_element(m.precisions);
  }
  if (!(steepest > 0)) return 0;

  // Loss at beliefs; the gradient by set, and what the model says of each set.
  struct Point {
    std::vector<std::vector<double>> beliefs, gradient, counts;
    double loss = 0;
  };
  const auto look = [&](std::span<const std::vector<double>> potentials, Point& point) {
    calibrate(potentials, point.beliefs, options.threads);
    point.gradient.resize(sets_.size());
    point.counts.resize(sets_.size());
    std::vector<double> losses(sets_.size());
    parallel_for(
        sets_.size(),
        [&](std::size_t s) {
          std::vector<double>& counts = point.counts[s];
          counts = summed(point.beliefs[home_[s]], set_map_[s], potentials_[s].size());
          for (double& count : counts) count *= total_;
          point.gradient[s].assign(counts.size(), 0.0);
          for (const std::size_t i : of_set[s])
            for (std::size_t cell = 0; cell < counts.size(); ++cell) {
              const double difference = counts[cell] - marginals[i].counts[cell];
              const double pull = marginals[i].precisions[cell] * difference;
              point.gradient[s][cell] += pull;
              losses[s] += pull * difference / 2;
            }
        },
        tree_.cells < kSerialBelow ? 1 : options.threads);
    point.loss = std::accumulate(losses.begin(), losses.end(), 0.0);
  };
  Point here, there;
  look(potentials_, here);
  double step = 1 / (steepest * total_), mark = here.loss;
  std::vector<std::vector<double>> tried = potentials_;
  for (std::size_t iteration = 0, since = 0; iteration < options.iterations; ++iteration) {
    cancel.check();
    bool lower = false;
    for (int halvings = 0; halvings < 40 && !lower; ++halvings) {
      for (std::size_t s = 0; s < sets_.size(); ++s)
        for (std::size_t cell = 0; cell < tried[s].size(); ++cell)
          tried[s][cell] = potentials_[s][cell] - step * here.gradient[s][cell];
      look(tried, there);
      double expected = 0;
      for (std::size_t s = 0; s < sets_.size(); ++s)
        for (std::size_t cell = 0; cell < tried[s].size(); ++cell)
          expected += here.gradient[s][cell] * (here.counts[s][cell] - there.counts[s][cell]);
      lower = here.loss - there.loss >= 0.5 * expected && there.loss <= here.loss;
      step *= lower ? 1.5 : 0.4;
    }
    if (!lower) break;  // at the precision of doubles
    std::swap(potentials_, tried);
    std::swap(here, there);
    if (++since == 20) {
      if (mark - here.loss <= options.tolerance * mark) break;
      mark = here.loss;
      since = 0;
    }
  }
  beliefs_ = std::move(here.beliefs);
  settle();
  return here.loss;
}

std::vector<double> GraphicalModel::marginal(const VariableSet& variables) const {
  const std::size_t home = home_of(variables);
  if (home == tree_.cliques.size())
    throw ConfigError("A marginal was asked for that no clique of the model has.");
  return summed(beliefs_[home], projection(sizes_, tree_.cliques[home].variables, variables),
                static_cast<std::size_t>(cells_in(sizes_, variables)));
}

// Outwards from a clique with the variable: P(variable, separator) is carried along, and each clique adds
// what its other variables are given the separator through which it was entered.
std::vector<std::vector<double>> GraphicalModel::pairs_with(std::uint32_t variable) const {
  const std::size_t mine = sizes_[variable], start = home_of({variable});
  std::vector<std::vector<double>> out(sizes_.size());
  struct Visit {
    std::size_t clique, from;     // `from`: its own number at the start
    VariableSet entry;            // separator, `variable` not among it
    std::vector<double> carried;  // P(variable, entry), `variable` first
  };
  std::vector<Visit> open{{start, start, {}, {}}};
  // P(variable, wanted), `variable` first, from what the clique and the carried table know.
  const auto joint = [&](const Visit& visit, const VariableSet& wanted) {
    const JunctionTree::Clique& clique = tree_.cliques[visit.clique];
    const auto cells = static_cast<std::size_t>(cells_in(sizes_, wanted));
    std::vector<double> result(mine * cells);
    if (std::ranges::binary_search(clique.variables, variable)) {
      const auto own = projection(sizes_, clique.variables, {variable});
      const auto other = projection(sizes_, clique.variables, wanted);
      const std::vector<double>& belief = beliefs_[visit.clique];
      for (std::size_t i = 0; i < belief.size(); ++i) result[own[i] * cells + other[i]] += belief[i];
      return result;
    }
    const VariableSet both = joined(visit.entry, wanted);
    const std::vector<double> table =
        summed(beliefs_[visit.clique], projection(sizes_, clique.variables, both),
               static_cast<std::size_t>(cells_in(sizes_, both)));
    const auto entry = projection(sizes_, both, visit.entry), other = projection(sizes_, both, wanted);
    const auto entries = static_cast<std::size_t>(cells_in(sizes_, visit.entry));
    const std::vector<double> share = summed(table, entry, entries);
    for (std::size_t a = 0; a < mine; ++a)
      for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i] > 0)
          result[a * cells + other[i]] += visit.carried[a * entries + entry[i]] / share[entry[i]] * table[i];
    return result;
  };
  while (!open.empty()) {
    const Visit visit = std::move(open.back());
    open.pop_back();
    for (const std::uint32_t other : tree_.cliques[visit.clique].variables)
      if (other != variable && out[other].empty()) out[other] = joint(visit, {other});
    const auto go = [&](std::size_t next, const VariableSet& separator) {
      if (next == visit.from) return;
      VariableSet entry = separator;
      std::erase(entry, variable);
      std::vector<double> carried;
      const bool there = std::ranges::binary_search(tree_.cliques[next].variables, variable);
      if (!there) carried = joint(visit, entry);
      open.push_back({next, visit.clique, std::move(entry), std::move(carried)});
    };
    for (const std::size_t child : children_[visit.clique]) go(child, tree_.cliques[child].separator);
    if (visit.clique > 0) go(tree_.cliques[visit.clique].parent, tree_.cliques[visit.clique].separator);
  }
  return out;
}

std::vector<std::vector<double>> GraphicalModel::given(std::span<const std::int32_t> evidence) const {
  const std::size_t n = tree_.cliques.size();
  std::vector<std::vector<double>> out(n), sums(n);
  std::vector<std::vector<std::uint32_t>> dead(n);
  // Towards the root: what is left of each clique's conditional given its separator.
  for (std::size_t c = n; c-- > 0;) {
    out[c] = beliefs_[c];
    for (const std::uint32_t v : tree_.cliques[c].variables) {
      if (evidence[v] < 0) continue;
      const auto values = projection(sizes_, tree_.cliques[c].variables, {v});
      for (std::size_t i = 0; i < out[c].size(); ++i)
        if (values[i] != static_cast<std::uint32_t>(evidence[v])) out[c][i] = 0;
    }
    for (const std::size_t child : children_[c])
      for (std::size_t i = 0; i < out[c].size(); ++i) out[c][i] *= sums[child][parent_separator_[child][i]];
    if (c == 0) break;
    const std::vector<double> before = summed(beliefs_[c], own_separator_[c], separator_cells_[c]);
    sums[c] = summed(out[c], own_separator_[c], separator_cells_[c]);
    for (std::size_t i = 0; i < before.size(); ++i) sums[c][i] = before[i] > 0 ? sums[c][i] / before[i] : 0;
  }
  for (std::size_t c = 1; c < n; ++c) {
    std::vector<double> scale =
        summed(out[tree_.cliques[c].parent], parent_separator_[c], separator_cells_[c]);
    const std::vector<double> before = summed(out[c], own_separator_[c], separator_cells_[c]);
    for (std::size_t i = 0; i < scale.size(); ++i) scale[i] = before[i] > 0 ? scale[i] / before[i] : 0;
    for (std::size_t i = 0; i < out[c].size(); ++i) out[c][i] *= scale[own_separator_[c][i]];
  }
  return out;
}

// Towards the root; a message has one entry for each joint value that is left of the separator.
double GraphicalModel::log_likelihood(
    std::span<const std::vector<std::pair<std::uint32_t, double>>> left) const {
  const std::size_t n = tree_.cliques.size();
  using Message = std::vector<std::pair<std::uint32_t, double>>;  // (cell of the separator, likelihood)
  std::vector<Message> messages(n);
  double scale = 0;  // logarithm that was taken out of the messages
  for (std::size_t c = n; c-- > 0;) {
    const JunctionTree::Clique& clique = tree_.cliques[c];
    const std::size_t width = clique.variables.size();
    std::vector<std::size_t> choice(width);
    Message& message = messages[c];
    for (bool more = true; more;) {
      std::size_t cell = 0;
      double weight = 1;
      for (std::size_t i = 0; i < width; ++i) {
        const std::uint32_t v = clique.variables[i];
        const auto& [value, share] = left[v][choice[i]];
        cell = cell * sizes_[v] + value;
        if (!std::ranges::binary_search(clique.separator, v)) weight *= share;
      }
      const std::uint32_t at = c == 0 ? 0 : own_separator_[c][cell];
      weight *= beliefs_[c][cell];
      if (c > 0) weight = separator_shares_[c][at] > 0 ? weight / separator_shares_[c][at] : 0;
      for (const std::size_t child : children_[c]) {
        const std::uint32_t wanted = parent_separator_[child][cell];
        const auto found = std::ranges::find(messages[child], wanted, &Message::value_type::first);
        weight *= found == messages[child].end() ? 0 : found->second;
      }
      const auto there = std::ranges::find(message, at, &Message::value_type::first);
      if (there == message.end())
        message.emplace_back(at, weight);
      else
        there->second += weight;
      more = false;
      for (std::size_t i = 0; i < width && !more; ++i) {
        more = ++choice[i] < left[clique.variables[i]].size();
        if (!more) choice[i] = 0;
      }
    }
    double largest = 0;
    for (const auto& [at, weight] : message) largest = std::max(largest, weight);
    if (!(largest > 0)) return -kInfinity;
    for (auto& [at, weight] : message) weight /= largest;
    scale += std::log(largest);
  }
  return n == 0 ? 0 : scale + std::log(messages[0].front().second);
}

TreeSampler::TreeSampler(const JunctionTree& tree, std::span<const std::size_t> sizes,
                         std::span<const std::vector<double>> beliefs)
    : sizes_(sizes.begin(), sizes.end()) {
  for (std::size_t c = 0; c < tree.cliques.size(); ++c) {
    const JunctionTree::Clique& clique = tree.cliques[c];
    Step step{clique.separator, {}, 1, {}};
    std::ranges::set_difference(clique.variables, clique.separator, std::back_inserter(step.fresh));
    step.cells = static_cast<std::size_t>(cells_in(sizes, step.fresh));
    const auto given = projection(sizes, clique.variables, step.separator);
    const auto fresh = projection(sizes, clique.variables, step.fresh);
    step.cumulative.assign(clique.cells, 0);
    for (std::size_t i = 0; i < clique.cells; ++i)
      step.cumulative[given[i] * step.cells + fresh[i]] = beliefs[c][i];
    for (std::size_t i = 0; i < clique.cells; ++i)
      if (i % step.cells > 0) step.cumulative[i] += step.cumulative[i - 1];
    steps_.push_back(std::move(step));
  }
}

void TreeSampler::draw(const Random& random, std::uint64_t row, std::span<std::uint32_t> values) const {
  for (std::size_t c = 0; c < steps_.size(); ++c) {
    const Step& step = steps_[c];
    std::size_t given = 0;
    for (const std::uint32_t v : step.separator) given = given * sizes_[v] + values[v];
    const auto begin = step.cumulative.begin() + static_cast<std::ptrdiff_t>(given * step.cells);
    const auto end = begin + static_cast<std::ptrdiff_t>(step.cells);
    const PhiloxBlock bits = random.block(row, c);
    const double share = ((std::uint64_t{bits[0]} << 21 | bits[1] >> 11) + 0.5) * 0x1p-53;
    auto at = std::upper_bound(begin, end, share * *(end - 1));
    if (at == end) at = std::lower_bound(begin, end, *(end - 1));  // the last that adds anything
    auto cell = static_cast<std::size_t>(at - begin);
    for (std::size_t i = step.fresh.size(); i-- > 0;) {
      values[step.fresh[i]] = static_cast<std::uint32_t>(cell % sizes_[step.fresh[i]]);
      cell /= sizes_[step.fresh[i]];
    }
  }
}

TreeSampler sampler_of(const GraphicalModel& model) {
  std::vector<std::vector<double>> beliefs;
  for (std::size_t c = 0; c < model.tree().cliques.size(); ++c) beliefs.push_back(model.clique(c));
  return {model.tree(), model.sizes(), beliefs};
}

}  // namespace synthema
