#include <doctest/doctest.h>

#include <cmath>

#include "privacy/accountant_vectors.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/privacy/analytic_gaussian.hpp"
#include "synthema/privacy/calibration.hpp"
#include "synthema/privacy/privacy_loss_distribution.hpp"

using namespace synthema;
namespace vectors = accountant_vectors;

TEST_CASE("the Gaussian mechanism: never less noise than the exact answer, and hardly more") {
  for (const auto& v : vectors::kLeastNoise) {
    CAPTURE(v.epsilon);
    CAPTURE(v.delta);
    const double noise = gaussian_noise_multiplier(v.epsilon, v.delta);
    CHECK(noise >= v.noise);
    CHECK(noise <= v.noise * (1 + 1e-9));
    CHECK(gaussian_epsilon(v.noise, v.delta) >= v.epsilon * (1 - 1e-12));
    CHECK(gaussian_epsilon(v.noise, v.delta) <= v.epsilon * (1 + 1e-9));
  }
}

TEST_CASE("far tails: delta down to 1e-300") {
  for (const double epsilon : {0.1, 3.0, 100.0})
    for (const double delta : {1e-30, 1e-100, 1e-300}) {
      const double noise = gaussian_noise_multiplier(epsilon, delta);
      CHECK(gaussian_epsilon(noise, delta) == doctest::Approx(epsilon).epsilon(1e-8));
      // The classical mechanism, sqrt(2 ln(1.25 / delta)) / epsilon (Dwork and Roth), is never below it for
      // epsilon <= 1.
      if (epsilon <= 1) CHECK(noise < std::sqrt(2 * std::log(1.25 / delta)) / epsilon);
    }
}

TEST_CASE("property: at random targets the noise keeps the target, and a little less noise does not") {
  Random random(20180806);
  for (int trial = 0; trial < 200; ++trial) {
    const double epsilon = std::exp(-3 + 6 * random.uniform());
    const double delta = std::exp(-5 - 25 * random.uniform());
    const double releases = static_cast<double>(1 + random.below(1000));
    const double noise = gaussian_noise_multiplier(epsilon, delta, releases);
    CAPTURE(epsilon);
    CAPTURE(delta);
    CHECK(gaussian_delta(noise / std::sqrt(releases), epsilon) <= delta);
    CHECK(gaussian_delta(noise / std::sqrt(releases) * (1 - 1e-6), epsilon) > delta);
  }
}

TEST_CASE("property: with sampling, both accountings keep the target and the tight one needs less noise") {
  for (const NoiseTarget& target : {NoiseTarget{1, 1e-5, 0.01, 500}, NoiseTarget{0.2, 1e-6, 0.1, 50},
                                    NoiseTarget{5, 1e-7, 0.004, 3000}}) {
    const double tight = noise_multiplier(target);
    const double loose = noise_multiplier(target, Accounting::renyi);
    const auto spent = [&](double noise, Accounting by) {
      return epsilon_of(GaussianMechanism{noise, target.sampling_rate}, target.releases, target.delta, by);
    };
    CHECK(spent(tight, Accounting::numerical) <= target.epsilon);
    CHECK(spent(tight * (1 - 5e-4), Accounting::numerical) > target.epsilon);
    CHECK(spent(loose, Accounting::renyi) <= target.epsilon);
    CHECK(spent(loose * (1 - 5e-4), Accounting::renyi) > target.epsilon);
    CHECK(tight < loose);
  }
}

TEST_CASE("a rare sample of one release needs little noise, and the search ends") {
  const double noise = noise_multiplier({.epsilon = 0.01, .delta = 1e-6, .sampling_rate = 1e-4});
  CHECK(noise > 0.3);
  CHECK(noise < 1);
}

TEST_CASE("next to no noise: a sampled release is that of the sampled rows, and is never understated") {
  for (const double noise : {3e-3, 1e-3, 1e-4, 1e-6})
    for (const double rate : {0.01, 0.5}) {
      CAPTURE(noise);
      CAPTURE(rate);
      // Where losses are this large, delta is the rate times that of the release without sampling.
      const double exact = gaussian_epsilon(noise, 1e-5 / rate) + std::log(rate);
      const double found = epsilon_of(GaussianMechanism{noise, rate}, 1, 1e-5);
      CHECK(found >= exact * (1 - 1e-9));
      CHECK(found <= exact * (1 + 1e-5));
    }
  CHECK(epsilon_of(GaussianMechanism{1e-4, 1e-6}, 1, 1e-5) < 1e-5);  // hardly ever is anybody sampled
  CHECK(epsilon_of(LaplaceMechanism{1e-7}, 1, 1e-6) == doctest::Approx(1e7));
  CHECK(epsilon_of(LaplaceMechanism{1e-7}, 1, 1e-6) <= 1e7);
}

TEST_CASE("so many releases that no grid holds them have the Renyi bound") {
  const GaussianMechanism rare{1, 1e-6};
  const std::uint64_t many = 2 * PrivacyLossDistribution::kMostTimes;
  CHECK(epsilon_of(rare, many, 1e-5) == epsilon_of(rare, many, 1e-5, Accounting::renyi));
}

TEST_CASE("without sampling the closed form is used") {
  CHECK(noise_multiplier({.epsilon = 1, .delta = 1e-5, .releases = 100}) ==
        gaussian_noise_multiplier(1, 1e-5, 100));
  CHECK(epsilon_of(GaussianMechanism{2}, 4, 1e-5) == gaussian_epsilon(1, 1e-5));
  CHECK(epsilon_of(LaplaceMechanism{1}, 1, 1e-9) == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("wrong targets are refused by name") {
  CHECK_THROWS_WITH_AS(noise_multiplier({.epsilon = -1}), doctest::Contains("epsilon"), ConfigError);
  CHECK_THROWS_WITH_AS(noise_multiplier({.delta = 1}), doctest::Contains("delta"), ConfigError);
  CHECK_THROWS_WITH_AS(noise_multiplier({.sampling_rate = 0}), doctest::Contains("sampling_rate"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(noise_multiplier({.releases = 0}), doctest::Contains("release"), ConfigError);
  CHECK_THROWS_WITH_AS(noise_multiplier({.epsilon = 0, .delta = 1e-100}), doctest::Contains("1e12"),
                       ConfigError);
}
