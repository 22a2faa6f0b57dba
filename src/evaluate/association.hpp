// How strongly two columns of one table depend on each other. Rows that lack either value are left out by the
// caller; what has no value (a constant, too few rows) is nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace synthema::detail {

// Note of a pair in which a synthetic column is constant and the real ones are not.
constexpr const char* kNoDependence = "a synthetic column is constant and depends on nothing: counted as 0";

// Pearson's correlation, in [-1, 1]. Nothing where a column is constant.
std::optional<double> pearson(std::span<const double> x, std::span<const double> y);

// Ranks from 1, ties their mean.
std::vector<double> mean_ranks(std::span<const double> values);

// Correlation ratio squared: share of the variance of `y` that lies between the groups, in [0, 1] (Fisher).
std::optional<double> correlation_ratio_squared(std::span<const std::uint32_t> groups, std::size_t count,
                                                std::span<const double> y);

// Counts of two columns of labels, with what follows from them.
class Contingency {
 public:
  Contingency(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, std::size_t labels_a,
              std::size_t labels_b);

  // Chi-square / (n (min(labels that occur) - 1)), the square of Cramer's V, in [0, 1]; `yates`: with the
  // continuity correction of tables of 2 x 2.
  std::optional<double> cramers_v_squared(bool yates = false) const;
  // Mutual information / mean of the two entropies, in [0, 1]; nothing where both are constant.
  std::optional<double> normalised_information() const;
  // 1 - total variation distance to the shares of another table whose labels have the same numbers.
  double similarity(const Contingency& other) const;

 private:
  struct Cell {
    std::uint32_t a, b;
    double count;
    friend bool operator<(const Cell& x, const Cell& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; }
  };
  double n_ = 0;
  std::vector<double> of_a_, of_b_;
  std::vector<Cell> cells_;  // those that occur, in order
};

}  // namespace synthema::detail
