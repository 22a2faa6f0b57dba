// A tree whose leaves hold distributions: grown on bins, like HistogramTree, but cut where the distribution
// of the target differs most, not its mean alone. The gain of a cut of n rows into l and r is
//   sum over classes k of  l_k^2 / l + r_k^2 / r - n_k^2 / n
// For classes without order these are counts of classes, and the gain is the decrease of the Gini impurity
// (Breiman et al. 1984, section 4.3). For ordered ones they are counts of "at most class k", and the gain is
// the decrease of the continuous ranked probability score (Gneiting and Raftery 2007, section 4.2), which
// sees a change of spread as well as one of the mean. Where target and column do not depend on each other,
// the gain of a cut is distributed as a weighted sum of chi-squares of known mean and deviation; `min_gain`
// says by how many deviations a cut must exceed what the best of as many cuts of noise is expected to gain,
// so it means the same for two classes and for thirty, for two labels and for a hundred.
// Rows of one person are no evidence of their own: where `people` says whose they are, what chance may gain
// is multiplied by how much more the gain of the cut varies for that (src/learn/design_effect.hpp). A person
// with many rows makes no cut.
//
// Counts are whole numbers below 2^53 in double, so a tree depends on nothing but its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/learn/histogram_tree.hpp"

namespace synthema {

// What a tree may ask for: bins of one column, all rows. The last bin means missing.
struct TreeInput {
  std::span<const std::uint8_t> cells;
  std::size_t bins = 1;  // at most 256
  bool categorical = false;

  std::uint8_t missing() const { return static_cast<std::uint8_t>(bins - 1); }
};

struct TreeTarget {
  std::span<const std::uint8_t> classes;  // by row
  std::size_t count = 1;                  // of classes, at most 256
  bool ordered = false;
  std::span<const std::uint32_t> rows = {};  // to grow on; empty: all
  // Whose row it is, by row; empty: each is of another one. Rows of one person stand together in `rows`.
  std::span<const std::uint32_t> people = {};
};

struct DistributionTreeOptions {
  std::size_t min_samples_leaf = 20;
  double min_gain = 0;                   // of a cut, in standard deviations above chance
  std::size_t min_category_samples = 5;  // rarer ones in a node go right
  // Below the root only so many inputs are asked: those that exceed chance most there. 0: all.
  std::size_t candidates = 0;
};

// The node's `column` is the index of the input, its `gain` as above; `value` is not used.
// ConfigError unless a leaf has at least one row.
SYNTHEMA_EXPORT GrownTree grow_distribution_tree(std::span<const TreeInput> inputs, const TreeTarget& target,
                                                 const DistributionTreeOptions& options,
                                                 const CancelToken& cancel = {});

}  // namespace synthema
