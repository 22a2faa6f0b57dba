// Sets of variables that a private fit may measure next, what the rows say of them and what the model does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "synthema/learn/graphical_model.hpp"

namespace synthema::detail {

double cells_in(std::span<const std::size_t> sizes, const VariableSet& set);

// The true counts, kept while they are not too many. They never leave the fit.
class TrueCounts {
 public:
  // `states` by variable and row; all must outlive it.
  TrueCounts(std::span<const std::vector<std::uint32_t>> states, std::span<const std::size_t> sizes)
      : states_(states), sizes_(sizes) {}

  void prepare(std::span<const VariableSet> sets, std::size_t threads);
  std::vector<double> of(const VariableSet& set) const;
  // The sum of the differences to `total` times these shares. A row more or less changes it by at most 1.
  double distance_to(const VariableSet& set, std::span<const double> shares, double total) const;

 private:
  std::span<const std::vector<std::uint32_t>> states_;
  std::span<const std::size_t> sizes_;
  std::map<VariableSet, std::vector<double>> kept_;
  std::size_t cells_ = 0;
};

// All pairs of no more than `largest` cells.
std::vector<VariableSet> all_pairs(std::span<const std::size_t> sizes, double largest);
// Pairs that keep the junction tree below `limit` cells, and triples within its cliques; each of no more than
// `largest` cells.
std::vector<VariableSet> candidates_of(const GraphicalModel& model, double limit, double largest,
                                       std::size_t threads);
// What the model says of each.
std::vector<std::vector<double>> shares_of(const GraphicalModel& model, std::span<const VariableSet> sets,
                                           std::size_t threads);

}  // namespace synthema::detail
