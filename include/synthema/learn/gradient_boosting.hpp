// GradientBoosting: a sum of histogram trees, each fitted to the gradients of the loss of those before it
// (Friedman, "Greedy function approximation", Annals of Statistics 2001; second order as in
// histogram_tree.hpp).
//   two classes     log loss of one score        more classes   log loss of the softmax, one tree a class
//   a number        squared error
// The same rows give the same model whatever their order and the number of threads, but for early stopping,
// which sets apart positions drawn from `random`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"
#include "synthema/learn/binned_table.hpp"
#include "synthema/learn/histogram_tree.hpp"
#include "synthema/learn/target.hpp"

namespace synthema {

struct BoostingOptions {
  std::size_t rounds = 100;  // at most
  double learning_rate = 0.1;
  TreeOptions tree = {};
  // Where the training rows are more than `early_stopping_from`, `validation_share` of them are set apart and
  // boosting ends when their loss has not fallen by `tolerance` for `patience` rounds.
  std::size_t early_stopping_from = 10'000;
  double validation_share = 0.1;
  std::size_t patience = 10;
  double tolerance = 1e-7;
  CancelToken cancel = {};
};

class SYNTHEMA_EXPORT GradientBoosting {
 public:
  // Fits to these rows of the table, all of which have a target. ConfigError if options
  // contradict each other, EvaluationError if there are no rows or no columns, or the target is not valid.
  GradientBoosting(const BinnedTable& table, std::span<const BinnedColumn> columns, const Target& target,
                   std::span<const std::uint32_t> rows, const BoostingOptions& options = {},
                   Random random = Random());

  // The table must have been cut by the same binning; rows empty: all. Row by row, {rows, classes or 1}.
  Predictions predict(const BinnedTable& table, std::span<const std::uint32_t> rows = {}) const;

  std::size_t rounds() const { return trees_.size() / target_outputs_; }
  std::span<const HistogramTree> trees() const { return trees_; }  // round by round, one an output
  // Share of the gain of all splits that each column has; sums to 1, or all 0 where nothing was cut.
  std::vector<double> importance() const;

 private:
  std::vector<BinnedColumn> columns_;
  std::size_t classes_ = 0, target_outputs_ = 1;
  std::size_t threads_ = 0;
  std::vector<double> baseline_;
  std::vector<HistogramTree> trees_;
};

}  // namespace synthema
