#include "src/evaluate/membership_auroc.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthema::detail {

namespace {

// Variance of the mean of placements whose units are independent.
double variance_of_mean(const std::vector<double>& values, const Units& units) {
  const auto n = static_cast<double>(values.size()), m = static_cast<double>(units.count);
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  std::vector<double> by_unit(units.count, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) by_unit[units.of_row[i]] += values[i] - mean;
  double squares = 0;
  for (const double sum : by_unit) squares += sum * sum;
  return squares * m / (m - 1) / n / n;
}

}  // namespace

std::vector<double> shares_below(std::span<const double> values, std::vector<double> others) {
  std::sort(others.begin(), others.end());
  std::vector<double> out;
  for (const double value : values) {
    const auto [low, high] = std::equal_range(others.begin(), others.end(), value);
    out.push_back((static_cast<double>(low - others.begin()) + static_cast<double>(high - others.begin())) /
                  2 / static_cast<double>(others.size()));
  }
  return out;
}

void set_membership_auroc(Score& score, std::span<const double> members, std::span<const double> others,
                          const Units& member_units, const Units& other_units) {
  const std::vector<double> of_members = shares_below(members, {others.begin(), others.end()});
  const std::vector<double> of_others = shares_below(others, {members.begin(), members.end()});
  const double auroc =
      std::accumulate(of_members.begin(), of_members.end(), 0.0) / static_cast<double>(of_members.size());
  score.value = auroc;
  score.n = members.size() + others.size();
  score.ceiling = Bound{0.5, "theory: nobody can tell members from others"};
  if (std::min(member_units.count, other_units.count) < kFewestUnits) {
    score.no_interval = "A normal interval needs ten training and ten holdout units or more.";
    return;
  }
  const double variance =
      variance_of_mean(of_members, member_units) + variance_of_mean(of_others, other_units);
  if (variance < 1e-24) {  // what rounding leaves of none
    score.no_interval = "All members score alike, or all above the others: the variance is zero.";
    return;
  }
  const double half = 1.959963984540054 * std::sqrt(variance);
  const bool clustered =
      member_units.count < member_units.of_row.size() || other_units.count < other_units.of_row.size();
  score.interval =
      Interval{std::max(0.0, auroc - half), std::min(1.0, auroc + half), 0.95,
               message(clustered ? "Obuchowski" : "DeLong", ", normal, synthetic rows held fixed")};
}

}  // namespace synthema::detail
