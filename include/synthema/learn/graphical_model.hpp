// A distribution over discrete variables as a Markov random field, estimated from noisy marginals: McKenna,
// Sheldon and Miklau, "Graphical-model based estimation and inference for differential privacy" (ICML 2019,
// "private-PGM"). Of all distributions that explain the marginals best (weighted least squares) it is the one
// of largest entropy, a product of one potential for each measured set of variables. Inference is exact, by
// messages on a junction tree; its cost and memory are the cells of the cliques.
//
// Tables are row-major over their variables in ascending order, the last one fastest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"

namespace synthema {

using VariableSet = std::vector<std::uint32_t>;  // ascending

// Counts of the joint values of some variables, each with noise of its own precision.
struct NoisyMarginal {
  VariableSet variables = {};
  std::vector<double> counts = {};
  std::vector<double> precisions = {};  // 1 / variance of each count, not negative
};

struct JunctionTree {
  struct Clique {
    VariableSet variables;
    VariableSet separator;   // what it shares with its parent; empty at a root
    std::size_t parent = 0;  // its own number at the first clique
    std::size_t cells = 1;
  };
  std::vector<Clique> cliques;  // parents before children; one tree, joined by empty separators where needed
  double cells = 0;             // of all cliques

  // By greedy elimination: the variable whose clique has the fewest cells goes first.
  JunctionTree(std::span<const std::size_t> sizes, std::span<const VariableSet> sets);
  // Their number of cells, without making the tree.
  static double cells_of(std::span<const std::size_t> sizes, std::span<const VariableSet> sets);
};

struct EstimationOptions {
  std::size_t iterations = 1000;  // at most
  double tolerance = 1e-6;        // ends where twenty iterations lower the loss by less than this share of it
  std::size_t threads = 0;        // never changes the result
};

class SYNTHEMA_EXPORT GraphicalModel {
 public:
  GraphicalModel() = default;
  // Independent and uniform. ConfigError for a variable without values or a total that is not positive.
  GraphicalModel(std::vector<std::size_t> sizes, double total);

  const std::vector<std::size_t>& sizes() const { return sizes_; }
  double total() const { return total_; }
  const std::vector<VariableSet>& sets() const { return sets_; }
  // The potential of each set, as logarithms.
  const std::vector<std::vector<double>>& potentials() const { return potentials_; }
  const JunctionTree& tree() const { return tree_; }

  // Adds sets with these log-potentials (empty: zero) and calibrates. ConfigError where they do not fit.
  void add(std::span<const VariableSet> sets, std::span<const std::vector<double>> potentials = {},
           std::size_t threads = 0);

  // Fits the potentials by mirror descent with line search (their algorithm 1), from where they are. Sets
  // that are not there yet are added. Returns the loss: half the sum of precision times squared difference.
  double estimate(std::span<const NoisyMarginal> marginals, const EstimationOptions& options,
                  const CancelToken& cancel = {});

  // Probabilities of a clique's cells.
  const std::vector<double>& clique(std::size_t number) const { return beliefs_[number]; }
  // Of a set that lies in one clique; ConfigError where it does not.
  std::vector<double> marginal(const VariableSet& variables) const;
  // Whether one clique has all of them.
  bool holds(const VariableSet& variables) const;
  // P(variable, other) for every other one, by number; row-major with `variable` first. The own entry is
  // empty.
  std::vector<std::vector<double>> pairs_with(std::uint32_t variable) const;

  // Beliefs given values of some variables (-1: free), by clique: cells that contradict them are zero. The
  // sum of each is the probability of the evidence; 0 where it is impossible.
  std::vector<std::vector<double>> given(std::span<const std::int32_t> evidence) const;

  // Natural logarithm of the sum, over the joint values that are left by these (value, weight) of each
  // variable, of their probability times the product of their weights; -inf where that is 0.
  double log_likelihood(std::span<const std::vector<std::pair<std::uint32_t, double>>> left) const;

 private:
  void rebuild();
  void settle();  // what follows from the beliefs
  void calibrate(std::span<const std::vector<double>> potentials, std::vector<std::vector<double>>& beliefs,
                 std::size_t threads) const;
  std::size_t home_of(const VariableSet& variables) const;

  std::vector<std::size_t> sizes_;
  double total_ = 1;
  std::vector<VariableSet> sets_;
  std::vector<std::vector<double>> potentials_;
  JunctionTree tree_{{}, {}};
  std::vector<std::vector<double>> beliefs_;  // by clique
  // By clique: its cell -> cell of its separator; the parent's cell -> cell of the same separator.
  std::vector<std::vector<std::uint32_t>> own_separator_, parent_separator_;
  std::vector<std::size_t> separator_cells_;
  std::vector<std::vector<double>> separator_shares_;  // probabilities of each separator's cells
  std::vector<std::vector<std::size_t>> children_, levels_;
  std::vector<std::size_t> home_;                    // clique of each set
  std::vector<std::vector<std::uint32_t>> set_map_;  // cell of the home -> cell of the set
  std::vector<std::vector<std::size_t>> sets_at_;    // by clique
};

// Joint values drawn from beliefs of the cliques of a tree, one clique after the other.
class SYNTHEMA_EXPORT TreeSampler {
 public:
  TreeSampler(const JunctionTree& tree, std::span<const std::size_t> sizes,
              std::span<const std::vector<double>> beliefs);
  // The values of row `row`, which depend on nothing else; `values` has one place for each variable.
  void draw(const Random& random, std::uint64_t row, std::span<std::uint32_t> values) const;

 private:
  struct Step {
    VariableSet separator, fresh;
    std::size_t cells = 1;           // of `fresh`
    std::vector<double> cumulative;  // by separator cell, then by cell of `fresh`
  };
  std::vector<std::size_t> sizes_;
  std::vector<Step> steps_;
};

SYNTHEMA_EXPORT TreeSampler sampler_of(const GraphicalModel& model);

// Cells of a table over `from` as cells of the table over `onto`, a part of it.
std::vector<std::uint32_t> projection(std::span<const std::size_t> sizes, const VariableSet& from,
                                      const VariableSet& onto);

}  // namespace synthema
