// Different items / items over all rows, with its delete-one-unit jackknife: an item is lost with a unit if
// it occurs in that unit alone.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

class DistinctItems {
 public:
  DistinctItems(const Units& units) : units_(units), items_(units.count), alone_(units.count) {}

  void add(std::size_t row, std::uint64_t item) {
    const std::size_t unit = units_.of_row[row];
    ++items_[unit];
    ++total_;
    const auto [entry, fresh] = owner_.try_emplace(item, unit);
    if (fresh) {
      ++alone_[unit];
    } else if (entry->second != kShared && entry->second != unit) {
      --alone_[entry->second];
      entry->second = kShared;
    }
  }
  double different() const { return static_cast<double>(owner_.size()); }
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

 private:
  static constexpr std::size_t kShared = static_cast<std::size_t>(-1);
  const Units& units_;
  std::unordered_map<std::uint64_t, std::size_t> owner_;  // the only unit with the item, or kShared
  std::vector<std::size_t> items_, alone_;                // by unit
  std::size_t total_ = 0;
};

}  // namespace synthema::detail
