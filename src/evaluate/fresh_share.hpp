// The ceiling of a share that gives training rows away: what fresh rows have by chance, as far as it was
// measured.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "synthema/evaluate/score.hpp"

namespace synthema::detail {

// A share of each real row against those of all others varies as many times as much as that of independent
// people: that one has what another has is found at both, and the same rows are what synthetic ones are held
// against. Simulated tables gave 2.6 to 3.9 (docs/calibration.md).
constexpr double kLeaveOneOutSpread = 3.5;

// The share of rows of `people` others. Its error is that of a test of two proportions: with the share that
// synthetic and fresh rows have together, so that 0 of few fresh rows is not taken for never.
inline Bound fresh_share(const Score& score, double share, std::size_t people, std::string source,
                         double spread = 1) {
  const auto made = static_cast<double>(score.n), fresh = static_cast<double>(people);
  const double together = (score.value.value_or(share) * made + share * fresh) / (made + fresh);
  return {share, std::move(source), std::sqrt(spread * together * (1 - together) / fresh)};
}

}  // namespace synthema::detail
