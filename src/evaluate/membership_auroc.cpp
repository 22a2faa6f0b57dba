#include "src/evaluate/membership_auroc.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/mean.hpp"
#include "synthema/core/normal.hpp"

namespace synthema::detail {

namespace {

double variance_of_mean(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double center = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  return squares / (n - 1) / n;
}

std::vector<double> mean_by_unit(std::span<const double> values, const Units& units) {
  std::vector<double> sums(units.count), rows(units.count);
  for (std::size_t row = 0; row < values.size(); ++row) {
    sums[units.of_row[row]] += values[row];
    ++rows[units.of_row[row]];
  }
  for (std::size_t unit = 0; unit < units.count; ++unit) sums[unit] /= rows[unit];
  return sums;
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
  const bool clustered = member_units.count < members.size() || other_units.count < others.size();
  const std::vector<double> in = mean_by_unit(members, member_units), out = mean_by_unit(others, other_units);
  const std::vector<double> of_members = shares_below(in, out), of_others = shares_below(out, in);
  const double auroc = mean_of(of_members);
  score.value = auroc;
  score.n = in.size() + out.size();
  score.ceiling = Bound{0.5, "theory: nobody can tell members from others"};
  if (clustered)
    score.parts.push_back({"single rows", mean_of(shares_below(members, {others.begin(), others.end()})),
                           members.size() + others.size(),
                           "each told apart by itself; the score is of subjects"});
  if (std::min(in.size(), out.size()) < kFewestUnits) {
    score.no_interval = "A normal interval needs ten training and ten holdout units or more.";
    return;
  }
  const double variance = variance_of_mean(of_members) + variance_of_mean(of_others);
  if (variance < 1e-24) {  // what rounding leaves of none
    score.no_interval = "All members score alike, or all above the others: the variance is zero.";
    return;
  }
  const double half = kNormal95 * std::sqrt(variance);
  score.interval =
      Interval{std::max(0.0, auroc - half), std::min(1.0, auroc + half), 0.95,
               message("DeLong over ", member_units.name, ", normal, synthetic rows held fixed")};
}

}  // namespace synthema::detail
