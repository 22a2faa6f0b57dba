// The budget of a private fit, in zero-concentrated differential privacy (Bun and Steinke, TCC 2016), in
// which releases add; what each release spends of it, and the noise that it gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/privacy/noise.hpp"

namespace synthema {

// One kind of release, as the artefact tells it.
struct PrivateSpending {
  std::string released = {};   // "counts of labels: ward"
  std::string mechanism = {};  // "discrete Gaussian", "exponential"
  std::uint64_t releases = 0;  // of this kind
  double noise = 0;            // standard deviation of each count, or the epsilon of each choice
  double rho = 0;              // of all of them together
  double delta = 0;            // that a threshold costs
};

// What one person can change any histogram by (rows of one person that are used) and what was spent of rho.
class SYNTHEMA_EXPORT PrivateBudget {
 public:
  PrivateBudget(double rho, double sensitivity, NoiseSource& source);

  // Adds exact noise to counts and returns its standard deviation. The counts are one histogram: a person is
  // in at most `sensitivity` rows of it. ConfigError where it would exceed the budget.
  double measure(std::span<double> counts, double rho, const std::string& released, double delta = 0);
  // One of the scores, which a person changes by at most `sensitivity` times `weight`.
  std::size_t choose(std::span<const double> scores, double rho, double weight, const std::string& released);

  double sigma_of(double rho) const;  // the noise of measure()
  double rho_of(double sigma) const;  // the inverse
  double left() const { return rho_ - spent_; }
  double spent() const { return spent_; }
  double sensitivity() const { return sensitivity_; }
  const std::vector<PrivateSpending>& spending() const { return spending_; }

 private:
  void spend(PrivateSpending entry);

  double rho_, sensitivity_, spent_ = 0;
  NoiseSource* source_;
  std::vector<PrivateSpending> spending_;
};

// The largest rho whose zero-concentrated differential privacy is (epsilon, delta)-private, rounded down.
SYNTHEMA_EXPORT double concentrated_budget(double epsilon, double delta);
// The epsilon of rho at delta, rounded up.
SYNTHEMA_EXPORT double epsilon_of_rho(double rho, double delta);

}  // namespace synthema
