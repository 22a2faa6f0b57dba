// The distances of a step of SequentialTrees: how often each is in which leaf.
#pragma once

#include <array>

#include "src/generate/tabular/order_distance.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

namespace synthema {

struct SequentialTrees::Distances : detail::OrderDistance {
  LeafCounts counts;

  // What a distance is drawn from: those of the leaf, and of all rows where the rules admit none of these.
  std::array<CodeCounts, 2> levels(std::size_t leaf) const { return {counts.of(leaf), counts.all.view()}; }
};

}  // namespace synthema
