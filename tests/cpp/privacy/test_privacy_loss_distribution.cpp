#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "privacy/accountant_vectors.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/analytic_gaussian.hpp"
#include "synthema/privacy/privacy_loss_distribution.hpp"

using namespace synthema;
namespace vectors = accountant_vectors;

namespace {

// The hockey-stick divergence of the sampled Gaussian by integration over outcomes, sum of max(0, P - e^eps
// Q): no privacy-loss distribution is in it.
double direct_delta(const GaussianMechanism& gaussian, double epsilon, bool removed) {
  const double s = gaussian.noise_multiplier, q = gaussian.sampling_rate, step = s / 20000;
  double sum = 0;
  for (double z = -12 * s; z < 1 + 12 * s; z += step) {
    const double mu0 = std::exp(-z * z / (2 * s * s)), mu1 = std::exp(-(z - 1) * (z - 1) / (2 * s * s));
    const double mixed = (1 - q) * mu0 + q * mu1;
    sum += std::max(0.0, removed ? mixed - std::exp(epsilon) * mu0 : mu0 - std::exp(epsilon) * mixed);
  }
  return sum * step / (s * std::sqrt(2 * M_PI));
}

}  // namespace

TEST_CASE("one release is exact at the points of the grid, in both directions") {
  for (const double rate : {0.01, 0.3, 0.999}) {
    const GaussianMechanism gaussian{0.8, rate};
    const PrivacyLossDistribution one(gaussian, 1e-2);
    for (const double epsilon : {0.0, 0.01, 0.1, 1.0, 2.0}) {
      CAPTURE(rate);
      CAPTURE(epsilon);
      CHECK(one.removed().delta(epsilon) ==
            doctest::Approx(direct_delta(gaussian, epsilon, true)).epsilon(1e-6));
      CHECK(one.added().delta(epsilon) ==
            doctest::Approx(direct_delta(gaussian, epsilon, false)).epsilon(1e-6));
    }
  }
}

TEST_CASE("little noise, large losses") {
  const GaussianMechanism gaussian{0.15, 0.01};
  const PrivacyLossDistribution one(gaussian, 1e-2);
  for (const double epsilon : {0.0, 1.0, 10.0, 20.0}) {
    CAPTURE(epsilon);
    CHECK(one.removed().delta(epsilon) ==
          doctest::Approx(direct_delta(gaussian, epsilon, true)).epsilon(1e-6));
  }
}

TEST_CASE("losses whose exponentials are beyond double precision") {
  struct Run {
    Mechanism mechanism;
    std::uint64_t releases;
  };
  for (const Run& run : {Run{GaussianMechanism{0.02, 0.5}, 1}, Run{GaussianMechanism{0.3, 0.5}, 300},
                         Run{LaplaceMechanism{0.5}, 2000}, Run{ExponentialMechanism{2}, 2000}}) {
    CAPTURE(run.releases);
    const PrivacyLossDistribution all = PrivacyLossDistribution(run.mechanism, 1e-2).composed(run.releases);
    for (const double delta : {1e-3, 1e-5, 1e-7}) {
      const double epsilon = all.epsilon(delta);
      CHECK(epsilon > 750);  // exp(-750) is 0
      CHECK(all.delta(epsilon) == doctest::Approx(delta).epsilon(1e-6));
    }
  }
}

TEST_CASE("between grid points delta is never understated") {
  const GaussianMechanism gaussian{0.8, 0.3};
  const PrivacyLossDistribution coarse(gaussian, 0.25);
  for (double epsilon = 0.01; epsilon < 3; epsilon += 0.07)
    CHECK(coarse.removed().delta(epsilon) >= direct_delta(gaussian, epsilon, true) * (1 - 1e-7));
}

TEST_CASE("compositions of Gaussians are above the closed form, and close to it") {
  for (const int releases : {1, 2, 10, 1000})
    for (const double noise : {0.5, 1.0, 5.0}) {
      const PrivacyLossDistribution all =
          PrivacyLossDistribution(GaussianMechanism{noise * std::sqrt(static_cast<double>(releases))})
              .composed(static_cast<std::uint64_t>(releases));
      for (const double delta : {1e-3, 1e-6, 1e-8}) {
        CAPTURE(releases);
        CAPTURE(noise);
        CAPTURE(delta);
        const double exact = gaussian_epsilon(noise, delta);
        CHECK(all.epsilon(delta) >= exact * (1 - 1e-11));
        CHECK(all.epsilon(delta) <= exact * (1 + 1e-3));
        CHECK(all.delta(exact) >= delta * (1 - 1e-9));
      }
    }
}

TEST_CASE("sampled runs: dp-accounting's upper bound to 1e-4, and above its lower bound") {
  for (const auto& run : vectors::kRuns) {
    CAPTURE(run.noise);
    const double ours = PrivacyLossDistribution(GaussianMechanism{run.noise, run.rate})
                            .composed(static_cast<std::uint64_t>(run.steps))
                            .epsilon(run.delta);
    CHECK(ours == doctest::Approx(run.numerical).epsilon(1e-4));
    CHECK(ours > run.optimistic);
    CHECK(ours < run.renyi);
  }
  for (const auto& run : vectors::kLaplaceRuns) {
    const double ours = PrivacyLossDistribution(LaplaceMechanism{run.noise}).composed(20).epsilon(run.delta);
    CHECK(ours == doctest::Approx(run.numerical).epsilon(1e-4));
    CHECK(ours < run.renyi);
  }
}

TEST_CASE("a finer grid gives less epsilon, never more") {
  const GaussianMechanism gaussian{1, 0.02};
  double before = std::numeric_limits<double>::infinity();
  for (const double step : {1e-2, 3e-3, 1e-3, 3e-4}) {
    const double epsilon = PrivacyLossDistribution(gaussian, step).composed(500).epsilon(1e-6);
    CHECK(epsilon < before);
    before = epsilon;
  }
}

TEST_CASE("composition: powers are repeated products, and the order does not matter") {
  const PrivacyLossDistribution a(GaussianMechanism{1, 0.05}, 1e-3), b(LaplaceMechanism{10}, 1e-3);
  CHECK(a.composed(3).epsilon(1e-5) ==
        doctest::Approx(a.composed(a).composed(a).epsilon(1e-5)).epsilon(1e-6));
  CHECK(a.composed(b).epsilon(1e-5) == doctest::Approx(b.composed(a).epsilon(1e-5)).epsilon(1e-9));
  CHECK(a.composed(b).epsilon(1e-5) > a.epsilon(1e-5));
  // Many products: the grid is trimmed, so it grows like the spread and not like the number of them.
  PrivacyLossDistribution sum = a;
  for (int i = 1; i < 40; ++i) sum = sum.composed(a);
  CHECK(sum.epsilon(1e-5) == doctest::Approx(a.composed(40).epsilon(1e-5)).epsilon(1e-6));
  CHECK(sum.removed().masses.size() < 20 * a.removed().masses.size());
}

TEST_CASE("pure differential privacy: one Laplace release never exceeds 1 / b") {
  const PrivacyLossDistribution laplace(LaplaceMechanism{2});
  CHECK(laplace.epsilon(1e-12) <= 0.5 + 1e-4);
  CHECK(laplace.delta(0.5) < 1e-4);
  CHECK(laplace.delta(0) == doctest::Approx(1 - std::exp(-0.25)).epsilon(1e-6));  // total variation
}

TEST_CASE("choices compose like randomised response") {
  // Kairouz, Oh and Viswanath's theorem 3.3 worked out: k = 10 choices of epsilon 0.1, at epsilon (k - 2 i)
  // 0.1.
  const double e = 0.1;
  const int k = 10;
  const PrivacyLossDistribution all = PrivacyLossDistribution(ExponentialMechanism{e}, 1e-3).composed(k);
  for (int i = 0; i <= k / 2; ++i) {
    double delta = 0, choose = 1;
    for (int l = 0; l < i; ++l) {
      delta +=
          choose * (std::exp((k - l) * e) - std::exp((k - 2 * i + l) * e)) / std::pow(1 + std::exp(e), k);
      choose *= static_cast<double>(k - l) / (l + 1);
    }
    CHECK(all.delta((k - 2 * i) * e) == doctest::Approx(delta).epsilon(1e-4));
  }
}

TEST_CASE("mass is conserved, and what was cut off counts as an infinite loss") {
  const PrivacyLossDistribution all = PrivacyLossDistribution(GaussianMechanism{1, 0.01}).composed(100);
  for (const LossGrid* grid : {&all.removed(), &all.added()}) {
    const double mass = std::accumulate(grid->masses.begin(), grid->masses.end(), grid->infinite);
    CHECK(mass >= 1 - 1e-12);
    CHECK(mass <= 1 + 1e-10);
    CHECK(grid->infinite > 0);
  }
  CHECK(all.epsilon(1e-18) == std::numeric_limits<double>::infinity());
}

TEST_CASE("wrong steps and counts are refused by name") {
  CHECK_THROWS_WITH_AS(PrivacyLossDistribution(GaussianMechanism{1}, 0), doctest::Contains("step"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(PrivacyLossDistribution(GaussianMechanism{1}, 1e-9), doctest::Contains("larger step"),
                       ConfigError);
  const PrivacyLossDistribution one(GaussianMechanism{1});
  CHECK_THROWS_WITH_AS(one.composed(std::uint64_t{0}), doctest::Contains("between once"), ConfigError);
  CHECK_THROWS_WITH_AS(one.composed(PrivacyLossDistribution(GaussianMechanism{1}, 1e-3)),
                       doctest::Contains("same step"), ConfigError);
}
