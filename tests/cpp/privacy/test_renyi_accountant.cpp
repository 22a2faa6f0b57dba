#include <doctest/doctest.h>

#include <cmath>

#include "privacy/accountant_vectors.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/analytic_gaussian.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

using namespace synthema;
namespace vectors = accountant_vectors;

namespace {

std::vector<double> whole_orders(int last) {
  std::vector<double> orders;
  for (int order = 2; order <= last; ++order) orders.push_back(order);
  return orders;
}

}  // namespace

TEST_CASE("integer orders equal dp-accounting and Opacus") {
  for (const auto& v : vectors::kIntegerOrders) {
    CAPTURE(v.noise);
    CAPTURE(v.order);
    CHECK(renyi_divergence(GaussianMechanism{v.noise, v.rate}, v.order) ==
          doctest::Approx(v.value).epsilon(1e-9));
  }
}

TEST_CASE("fractional orders equal the definition integrated with 40 digits") {
  for (const auto& v : vectors::kFractionalOrders) {
    CAPTURE(v.noise);
    CAPTURE(v.order);
    CHECK(renyi_divergence(GaussianMechanism{v.noise, v.rate}, v.order) ==
          doctest::Approx(v.value).epsilon(1e-9));
  }
}

TEST_CASE("the sum at an integer order is the limit of the integral beside it") {
  for (const double rate : {1e-5, 1e-3, 0.02, 0.5})
    for (const double noise : {0.1, 0.5, 1.0, 3.0, 30.0})
      for (const double order : {2.0, 8.0, 31.0}) {
        const GaussianMechanism gaussian{noise, rate};
        const double beside = renyi_divergence(gaussian, order * (1 + 1e-9));
        CHECK(beside == doctest::Approx(renyi_divergence(gaussian, order)).epsilon(1e-7));
      }
}

TEST_CASE("so little noise that the integral is bounded by a chord gives no less than the integral") {
  const double chord = renyi_divergence(GaussianMechanism{0.0499, 0.1}, 2.5);
  CHECK(chord > renyi_divergence(GaussianMechanism{0.05, 0.1}, 2.5));
  CHECK(chord < 1.1 * renyi_divergence(GaussianMechanism{0.05, 0.1}, 2.5));
}

TEST_CASE("a known composition of two mechanisms") {
  // Opacus' and dp-accounting's result for orders 2 to 32.
  RenyiAccountant accountant(whole_orders(32));
  accountant.add(GaussianMechanism{1, 1e-5}, 10).add(GaussianMechanism{3, 1e-4}, 4);
  CHECK(accountant.epsilon(1e-5).epsilon == doctest::Approx(0.3363440634).epsilon(1e-9));
  CHECK(accountant.epsilon(1e-5).order == 23);
}

TEST_CASE("whole runs equal dp-accounting and Opacus") {
  for (const auto& run : vectors::kRuns) {
    RenyiAccountant accountant(whole_orders(64));
    accountant.add(GaussianMechanism{run.noise, run.rate}, static_cast<std::uint64_t>(run.steps));
    CHECK(accountant.epsilon(run.delta).epsilon == doctest::Approx(run.renyi).epsilon(1e-9));
  }
  for (const auto& run : vectors::kLaplaceRuns) {
    RenyiAccountant accountant(whole_orders(64));
    accountant.add(LaplaceMechanism{run.noise}, 20);
    CHECK(accountant.epsilon(run.delta).epsilon == doctest::Approx(run.renyi).epsilon(1e-9));
  }
}

TEST_CASE("epsilon and delta are each other's inverse, and bound the exact Gaussian") {
  for (const double noise : {0.5, 1.0, 4.0})
    for (const double delta : {1e-3, 1e-6, 1e-10}) {
      RenyiAccountant accountant;
      accountant.add(GaussianMechanism{noise});
      const double epsilon = accountant.epsilon(delta).epsilon;
      CHECK(accountant.delta(epsilon) == doctest::Approx(delta).epsilon(1e-9));
      CHECK(epsilon >= gaussian_epsilon(noise, delta));
    }
}

TEST_CASE("Laplace: a large order is pure differential privacy") {
  CHECK(renyi_divergence(LaplaceMechanism{2}, 1e6) == doctest::Approx(0.5).epsilon(1e-5));
  CHECK(RenyiAccountant({1e6}).add(LaplaceMechanism{2}, 4).epsilon(1e-6).epsilon ==
        doctest::Approx(2).epsilon(1e-4));
}

TEST_CASE("a choice is bounded by its epsilon and, at small orders, by its range") {
  CHECK(renyi_divergence(ExponentialMechanism{0.1}, 2) == doctest::Approx(0.0025));
  CHECK(renyi_divergence(ExponentialMechanism{0.1}, 1e5) == 0.1);
  // The two ends of a range of epsilon with any mean are no worse: P over {0, x}, Q proportional to P
  // exp(-x).
  for (const double t : {0.1, 0.3, 0.5, 0.9}) {
    const double p = (1 - std::exp(-0.5 * t)) / (1 - std::exp(-0.5)), q = p * std::exp(0.5 * (t - 1));
    for (const double a : {1.5, 4.0, 30.0}) {
      const double exact =
          std::log(std::pow(p, a) * std::pow(q, 1 - a) + std::pow(1 - p, a) * std::pow(1 - q, 1 - a)) /
          (a - 1);
      CHECK(exact <= renyi_divergence(ExponentialMechanism{0.5}, a));
    }
  }
}

TEST_CASE("nothing released costs nothing") {
  CHECK(RenyiAccountant().epsilon(1e-6).epsilon == 0);
  CHECK(RenyiAccountant().delta(0) == 0);
}

TEST_CASE("wrong parameters are refused by name") {
  RenyiAccountant accountant;
  CHECK_THROWS_WITH_AS(accountant.add(GaussianMechanism{0}), doctest::Contains("noise_multiplier"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(accountant.add(GaussianMechanism{1, 1.5}), doctest::Contains("sampling_rate"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(accountant.add(LaplaceMechanism{NAN}), doctest::Contains("noise_multiplier"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(accountant.add(ExponentialMechanism{0}), doctest::Contains("epsilon"), ConfigError);
  CHECK_THROWS_WITH_AS(accountant.epsilon(0), doctest::Contains("delta"), ConfigError);
  CHECK_THROWS_WITH_AS(accountant.delta(-1), doctest::Contains("epsilon"), ConfigError);
  CHECK_THROWS_WITH_AS(RenyiAccountant({1.0}), doctest::Contains("order"), ConfigError);
  CHECK_THROWS_AS(RenyiAccountant(std::vector<double>{}), ConfigError);
}
