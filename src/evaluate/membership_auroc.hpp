// How well a number tells members from others: AUROC, with the interval of DeLong, DeLong and Clarke-Pearson
// (Biometrics 1988). Where subjects have several rows it is they who are told apart, each by the mean over
// the rows; nobody may be in both groups.
#pragma once

#include <span>
#include <vector>

#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

// For each value the share of the others below it, ties halved.
std::vector<double> shares_below(std::span<const double> values, std::vector<double> others);

// Value, n, ceiling, interval and, where subjects have several rows, the AUROC of single rows as a part; a
// member should have the larger number.
void set_membership_auroc(Score& score, std::span<const double> members, std::span<const double> others,
                          const Units& member_units, const Units& other_units);

}  // namespace synthema::detail
