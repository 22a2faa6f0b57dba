#include "src/generate/tabular/marginal_candidates.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "synthema/core/parallel.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kFewColumns = 60;  // with more, only pairs with a column in between are candidates
constexpr std::size_t kCachedCells = 40'000'000;

std::vector<double> counts_of(std::span<const std::vector<std::uint32_t>> states,
                              std::span<const std::size_t> sizes, const VariableSet& set) {
  std::vector<double> out(static_cast<std::size_t>(cells_in(sizes, set)));
  const std::size_t rows = states[set.front()].size();
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t cell = 0;
    for (const std::uint32_t v : set) cell = cell * sizes[v] + states[v][row];
    out[cell] += 1;
  }
  return out;
}

double distance(std::span<const double> counts, std::span<const double> shares, double total) {
  double out = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) out += std::abs(counts[i] - total * shares[i]);
  return out;
}

void sort_once(std::vector<VariableSet>& sets) {
  std::ranges::sort(sets);
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
}

// Pairs that the model has, and those with one variable in between.
std::vector<VariableSet> nearby_pairs(const GraphicalModel& model) {
  const std::size_t d = model.sizes().size();
  std::vector<VariableSet> out, neighbours(d);
  for (const VariableSet& set : model.sets()) {
    if (set.size() != 2) continue;
    neighbours[set[0]].push_back(set[1]), neighbours[set[1]].push_back(set[0]);
    out.push_back(set);
  }
  for (std::uint32_t a = 0; a < d; ++a)
    for (const std::uint32_t middle : neighbours[a])
      for (const std::uint32_t b : neighbours[middle])
        if (a < b) out.push_back({a, b});
  sort_once(out);
  return out;
}

std::vector<VariableSet> triples_within(const JunctionTree& tree, std::span<const std::size_t> sizes,
                                        double largest) {
  std::vector<VariableSet> out;
  for (const JunctionTree::Clique& clique : tree.cliques) {
    const VariableSet& v = clique.variables;
    for (std::size_t a = 0; a < v.size(); ++a)
      for (std::size_t b = a + 1; b < v.size(); ++b)
        for (std::size_t c = b + 1; c < v.size(); ++c)
          if (cells_in(sizes, {v[a], v[b], v[c]}) <= largest) out.push_back({v[a], v[b], v[c]});
  }
  sort_once(out);
  return out;
}

}  // namespace

double cells_in(std::span<const std::size_t> sizes, const VariableSet& set) {
  double out = 1;
  for (const std::uint32_t v : set) out *= static_cast<double>(sizes[v]);
  return out;
}

void TrueCounts::prepare(std::span<const VariableSet> sets, std::size_t threads) {
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

std::vector<double> TrueCounts::of(const VariableSet& set) const {
  const auto at = kept_.find(set);
  return at == kept_.end() ? counts_of(states_, sizes_, set) : at->second;
}

double TrueCounts::distance_to(const VariableSet& set, std::span<const double> shares, double total) const {
  const auto at = kept_.find(set);
  return at == kept_.end() ? distance(counts_of(states_, sizes_, set), shares, total)
                           : distance(at->second, shares, total);
}

std::vector<VariableSet> all_pairs(std::span<const std::size_t> sizes, double largest) {
  std::vector<VariableSet> out;
  for (std::uint32_t a = 0; a < sizes.size(); ++a)
    for (std::uint32_t b = a + 1; b < sizes.size(); ++b)
      if (cells_in(sizes, {a, b}) <= largest) out.push_back({a, b});
  return out;
}

std::vector<VariableSet> candidates_of(const GraphicalModel& model, double limit, double largest,
                                       std::size_t threads) {
  const auto& sizes = model.sizes();
  const std::vector<VariableSet> pairs =
      sizes.size() <= kFewColumns ? all_pairs(sizes, largest) : nearby_pairs(model);
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
  const std::vector<VariableSet> triples = triples_within(model.tree(), sizes, largest);
  out.insert(out.end(), triples.begin(), triples.end());
  return out;
}

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

}  // namespace synthema::detail
