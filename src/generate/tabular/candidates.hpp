// One of several candidates for the cells before what a condition fixes, in proportion to how likely each
// makes it: exact as their number grows.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "synthema/core/random.hpp"

namespace synthema::detail {

// From natural logarithms, which become weights; nothing where all are -infinity.
inline std::optional<std::size_t> draw_candidate(std::vector<double>& weights, Random random) {
  const double most = std::ranges::max(weights);
  if (std::isinf(most)) return std::nullopt;
  for (double& weight : weights) weight = std::exp(weight - most);
  return random.weighted(weights);
}

}  // namespace synthema::detail
