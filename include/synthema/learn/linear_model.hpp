// LinearModel: ridge regression (a number), logistic regression (two classes) and multinomial logistic
// regression (more), by the size of the target. Minimises
//   sum over rows of the loss + l2 / 2 * sum of the squared coefficients, the intercepts not among them
// (scikit-learn's objective with C = 1 / l2; the loss of a number is half the squared error), by Newton steps
// solved by Cholesky where there are one output and at most 511 columns, else with preconditioned conjugate
// gradients (Nocedal and Wright, "Numerical Optimization", algorithm 7.1). Sums run over fixed blocks of
// rows, so the number of threads changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/learn/design_matrix.hpp"
#include "synthema/learn/target.hpp"

namespace synthema {

struct LinearOptions {
  double l2 = 1;
  std::size_t steps = 100;   // Newton steps at most
  double tolerance = 1e-11;  // ends where no derivative of the mean loss is larger
  std::size_t threads = 0;
  CancelToken cancel = {};
};

class SYNTHEMA_EXPORT LinearModel {
 public:
  // Fits to these rows, all of which have a target. ConfigError for a negative l2, EvaluationError for no
  // rows.
  LinearModel(const DesignMatrix& design, const Target& target, std::span<const std::uint32_t> rows,
              const LinearOptions& options = {});

  // Rows empty: all. Row by row, {rows, classes or 1}.
  Predictions predict(const DesignMatrix& design, std::span<const std::uint32_t> rows = {}) const;

  // Output by output (one for two classes or a number, else one a class).
  std::vector<double> coefficients(std::size_t output = 0) const;
  double intercept(std::size_t output = 0) const;
  bool converged() const { return converged_; }

 private:
  std::size_t classes_, outputs_, columns_;
  std::vector<double> weights_;  // outputs * (columns + 1), the intercept last
  bool converged_ = false;
};

}  // namespace synthema
