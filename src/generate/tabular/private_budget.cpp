#include "synthema/generate/tabular/private_budget.hpp"

#include <cmath>
#include <utility>

#include "synthema/core/error.hpp"
#include "synthema/privacy/calibration.hpp"

namespace synthema {

PrivateBudget::PrivateBudget(double rho, double sensitivity, NoiseSource& source)
    : rho_(rho), sensitivity_(sensitivity), source_(&source) {}

double PrivateBudget::sigma_of(double rho) const {
  return sensitivity_ / std::sqrt(2 * rho);
}

double PrivateBudget::rho_of(double sigma) const {
  return sensitivity_ * sensitivity_ / (2 * sigma * sigma);
}

void PrivateBudget::spend(PrivateSpending entry) {
  if (!(entry.rho > 0) || spent_ + entry.rho > rho_ * (1 + 1e-9))
    throw ConfigError({.field = "rho"}, "A release would spend more than is left of the fit's own budget.");
  spent_ += entry.rho;
  for (PrivateSpending& there : spending_)
    if (there.released == entry.released && there.mechanism == entry.mechanism &&
        there.noise == entry.noise) {
      there.releases += entry.releases, there.rho += entry.rho, there.delta += entry.delta;
      return;
    }
  spending_.push_back(std::move(entry));
}

double PrivateBudget::measure(std::span<double> counts, double rho, const std::string& released,
                              double delta) {
  const double least = sigma_of(rho);
  const Ratio variance = Ratio::at_least(least * least);
  const double sigma =
      std::sqrt(static_cast<double>(variance.numerator) / static_cast<double>(variance.denominator));
  spend({released, "discrete Gaussian", 1, sigma, rho, delta});
  for (double& count : counts) count += static_cast<double>(discrete_gaussian(*source_, variance));
  return sigma;
}

std::size_t PrivateBudget::choose(std::span<const double> scores, double rho, double weight,
                                  const std::string& released) {
  const double epsilon = std::sqrt(8 * rho);  // of bounded range epsilon: Cesar and Rogers, ALT 2021
  spend({released, "exponential", 1, epsilon, rho, 0});
  return exponential_choice(*source_, scores, epsilon, sensitivity_ * weight);
}

double concentrated_budget(double epsilon, double delta) {
  const double noise = noise_multiplier({.epsilon = epsilon, .delta = delta}, Accounting::renyi);
  return 1 / (2 * noise * noise);
}

double epsilon_of_rho(double rho, double delta) {
  return epsilon_of(GaussianMechanism{1 / std::sqrt(2 * rho)}, 1, delta, Accounting::renyi);
}

}  // namespace synthema
