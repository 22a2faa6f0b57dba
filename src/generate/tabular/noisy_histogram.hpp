// A number's range and the cells of it, from noisy counts: of first cells, of which the far ones that noise
// alone would give are cut off, then of halves of heavy cells, a few times; at last made consistent (Hay et
// al., "Boosting the accuracy of differentially private histograms through consistency", VLDB 2010).
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "src/generate/tabular/private_learner.hpp"

namespace synthema::detail {

// In x of the coding, whose origin is still 0. Infinite where the schema names no end.
struct NumberRange {
  double lowest, highest;
};

class NoisyHistogram {
 public:
  struct Node {
    double low, high;  // as of NumberCell
    double count = 0, variance = std::numeric_limits<double>::infinity();
    std::vector<std::size_t> children = {};
  };

  // Of the cells of rows, NaN where missing, clipped to the range; `rho` is for all counts together.
  NoisyHistogram(const PrivateLearner& learner, const PrivateColumn& column, std::span<const double> cells,
                 double rho, NumberRange range);

  // The finest cells, ascending; none where nothing can be told.
  std::vector<Node> leaves() const;
  double missing() const { return missing_; }
  double missing_variance() const { return missing_variance_; }

  // Counts for each of which a column's rho has a part.
  static constexpr int kLevels = 9;

 private:
  void count_first(NumberRange range);
  void cut_far_cells(double sigma);
  std::vector<std::size_t> halve(std::span<const std::size_t> level, double total);
  void count_halves(std::span<const std::size_t> halves);
  void reconcile();

  const PrivateLearner& learner_;
  const PrivateColumn& column_;
  std::span<const double> cells_;
  double level_rho_;
  std::vector<Node> nodes_;         // children after their parents
  std::vector<std::size_t> roots_;  // ascending
  std::vector<std::size_t> at_;     // node of each row
  double missing_ = 0, missing_variance_ = 0;
};

}  // namespace synthema::detail
