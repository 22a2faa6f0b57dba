// The distances of a step of SequentialTrees: how often each is in which leaf.
#pragma once

#include "src/generate/tabular/order_distance.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

namespace synthema {

struct SequentialTrees::Distances : detail::OrderDistance {
  LeafCounts counts;
};

}  // namespace synthema
