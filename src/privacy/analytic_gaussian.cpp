#include "synthema/privacy/analytic_gaussian.hpp"

#include <cmath>
#include <limits>

#include "src/privacy/bisection.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/mechanism.hpp"

namespace synthema {

namespace {

// ln of the normal distribution function; std::erfc alone underflows at -38.
double log_normal_cdf(double x) {
  if (x > -37) return std::log(0.5 * std::erfc(-x / std::sqrt(2.0)));
  // The asymptotic series; what is left out is below 10395 / x^12 < 2e-15.
  const double r = 1 / (x * x);
  const double series = -r * (1 - r * (3 - r * (15 - r * (105 - r * 945))));
  return -x * x / 2 - std::log(-x * std::sqrt(2 * M_PI)) + std::log1p(series);
}

}  // namespace

double gaussian_delta(double noise_multiplier, double epsilon) {
  check_mechanism(GaussianMechanism{noise_multiplier});
  check_epsilon(epsilon);
  const double half = 1 / (2 * noise_multiplier), shift = epsilon * noise_multiplier;
  // The difference is taken relative to the first term, whose logarithm may be far below zero.
  const double first = log_normal_cdf(half - shift);
  const double second = epsilon + log_normal_cdf(-half - shift);
  // What rounding did to `second - first` and to the two logarithms, in units of the first term.
  const double error =
      8 * std::numeric_limits<double>::epsilon() * (1 + std::abs(first) + std::abs(second) + epsilon);
  return std::min(1.0, std::exp(first) * (-std::expm1(std::min(0.0, second - first)) + error));
}

double gaussian_epsilon(double noise_multiplier, double delta) {
  check_mechanism(GaussianMechanism{noise_multiplier});
  check_delta(delta);
  if (gaussian_delta(noise_multiplier, 0) <= delta) return 0;
  return detail::smallest_that(
      [&](double epsilon) { return gaussian_delta(noise_multiplier, epsilon) <= delta; }, 1.0, 2.0, 1e-12);
}

double gaussian_noise_multiplier(double epsilon, double delta, double releases) {
  check_epsilon(epsilon);
  check_delta(delta);
  if (!(releases >= 1) || !std::isfinite(releases))
    throw ConfigError({.field = "releases"},
                      message("There must be at least one release, not ", releases, "."));
  const double one = detail::smallest_that(
      [&](double noise) { return gaussian_delta(noise, epsilon) <= delta; }, 1.0, 2.0, 1e-12);
  return one * std::sqrt(releases) * (1 + 4 * std::numeric_limits<double>::epsilon());
}

}  // namespace synthema
