// Different items / items over all rows, with its delete-one-unit jackknife: an item is lost with a unit if
// it occurs in that unit alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

// From the sum over pairs of units of squared second differences of a count, the variance of count / items
// that a delete-one jackknife has too much: sum Q^2 / (u (u - 1)), Q = u / items times the difference (Efron
// and Stein, Annals of Statistics 1981, equation 5.5 for functionals of second order).
inline double second_order_variance(double squares, std::size_t units, std::size_t items) {
  const auto u = static_cast<double>(units), n = static_cast<double>(items);
  return squares * u / (u - 1) / n / n;
}

class DistinctItems {
 public:
  DistinctItems(const Units& units) : units_(units), items_(units.count), alone_(units.count) {}

  void add(std::size_t row, std::uint64_t item) {
    const std::size_t unit = units_.of_row[row];
    ++items_[unit];
    ++total_;
    const auto [entry, fresh] = owners_.try_emplace(item, Owners{unit, kNobody});
    if (fresh) {
      ++alone_[unit];
      return;
    }
    auto& [first, second] = entry->second;
    if (first == kMany || first == unit || second == unit) return;
    if (second == kNobody) {
      --alone_[first];
      second = unit;
    } else {
      first = second = kMany;
    }
  }
  double different() const { return static_cast<double>(owners_.size()); }
  double total() const { return static_cast<double>(total_); }
  // statistic(different, total) without each unit.
  template <class Statistic>
  std::vector<double> without_each(const Statistic& statistic) const {
    std::vector<double> out;
    for (std::size_t u = 0; u < units_.count; ++u)
      out.push_back(
          statistic(different() - static_cast<double>(alone_[u]), total() - static_cast<double>(items_[u])));
    return out;
  }

  // Variance that the jackknife of `different / total` counts twice: what hangs on pairs of units. The second
  // difference of the number of different items is the number that exactly these two units have.
  double second_order() const {
    if (units_.count < 2 || total_ == 0) return 0;
    std::map<Owners, double> of_pair;
    for (const auto& [item, owners] : owners_)
      if (owners.second != kNobody && owners.second != kMany)
        ++of_pair[std::minmax(owners.first, owners.second)];
    double squares = 0;
    for (const auto& [pair, items] : of_pair) squares += items * items;
    return second_order_variance(squares, units_.count, total_);
  }

 private:
  using Owners = std::pair<std::size_t, std::size_t>;  // the one or two units with an item, or kMany
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1), kMany = kNobody - 1;
  const Units& units_;
  std::unordered_map<std::uint64_t, Owners> owners_;
  std::vector<std::size_t> items_, alone_;  // by unit
  std::size_t total_ = 0;
};

}  // namespace synthema::detail
