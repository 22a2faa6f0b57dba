// How well a number tells members from others: AUROC, with the interval of DeLong, DeLong and Clarke-Pearson
// (Biometrics 1988) where rows are independent and that of Obuchowski (Biometrics 1997) where subjects have
// several; nobody may be in both groups.
#pragma once

#include <span>
#include <vector>

#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

// For each value the share of the others below it, ties halved.
std::vector<double> shares_below(std::span<const double> values, std::vector<double> others);

// Value, n, ceiling and interval; a member should have the larger number.
void set_membership_auroc(Score& score, std::span<const double> members, std::span<const double> others,
                          const Units& member_units, const Units& other_units);

}  // namespace synthema::detail
