// CoxModel: proportional hazards (Cox, JRSS B 1972). Maximises the partial log-likelihood, ties by Breslow,
//   sum over events of (x b - log sum over rows at risk of e^(x b)) - l2 / 2 |b|^2
// by Newton steps with halving; the baseline hazard is Breslow's. Memory: columns^2; time of a step: rows x
// entries^2 + different event times x columns^2.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/learn/design_matrix.hpp"

namespace synthema {

struct CoxOptions {
  double l2 = 1e-3;
  std::size_t steps = 50;
  double tolerance = 1e-9;  // ends where no derivative over the number of events is larger
  CancelToken cancel = {};
};

class SYNTHEMA_EXPORT CoxModel {
 public:
  // One duration (not negative) and event (1: happened, 0: censored) a row. EvaluationError if no event
  // happened, the lengths differ, or the design has more than 1,000 columns; ConfigError for a negative l2.
  CoxModel(const DesignMatrix& design, std::span<const double> duration, std::span<const char> event,
           const CoxOptions& options = {});

  std::vector<double> risks(const DesignMatrix& design) const;  // x b, the larger the earlier
  double survival(double risk, double time) const;              // chance that the event comes after `time`
  const std::vector<double>& coefficients() const { return weights_; }
  bool converged() const { return converged_; }

 private:
  std::vector<double> weights_, times_, hazard_;  // cumulative hazard from each time on, of a risk of origin_
  double origin_ = 0;
  bool converged_ = false;
};

// Share of comparable pairs in which the row with the earlier event has the higher risk, equal risks half
// (Harrell et al., JAMA 1982). A pair is comparable if the earlier time is an event's, or both are equal and
// one is. With what each row adds to its error (sum 0 over rows): its variance is about the sum of squares.
// Nothing where no pair is comparable. Time: rows^2.
struct Concordance {
  double value = 0.5;
  std::vector<double> influence;
};
std::optional<Concordance> concordance(std::span<const double> risks, std::span<const double> duration,
                                       std::span<const char> event, std::size_t threads = 0,
                                       const CancelToken& cancel = {});

}  // namespace synthema
