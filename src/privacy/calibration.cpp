#include "synthema/privacy/calibration.hpp"

#include <algorithm>
#include <cmath>

#include "src/privacy/bisection.hpp"
#include "synthema/core/error.hpp"
#include "synthema/privacy/analytic_gaussian.hpp"
#include "synthema/privacy/privacy_loss_distribution.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

namespace synthema {

namespace {

constexpr double kTolerance = 1e-4;  // of a noise multiplier that has no closed form

void check_releases(std::uint64_t releases) {
  if (releases < 1) throw ConfigError({.field = "releases"}, "There must be at least one release, not 0.");
}

double renyi_epsilon(const Mechanism& mechanism, std::uint64_t releases, double delta) {
  return RenyiAccountant().add(mechanism, releases).epsilon(delta).epsilon;
}

// The losses of one release span about this much.
double loss_range(const Mechanism& mechanism) {
  if (const auto* gaussian = std::get_if<GaussianMechanism>(&mechanism))
    return (1 / gaussian->noise_multiplier + 18) / gaussian->noise_multiplier;
  if (const auto* laplace = std::get_if<LaplaceMechanism>(&mechanism)) return 2 / laplace->noise_multiplier;
  return 2 * std::get<ExponentialMechanism>(mechanism).epsilon;
}

// The grid adds a variance of up to step^2 / 4 to each release: small against epsilon, which the sum of the
// releases spreads over. One release has at most some 2^18 grid points.
double grid_step(const Mechanism& mechanism, double epsilon, std::uint64_t releases) {
  const double range = loss_range(mechanism);
  const double fine = std::clamp(epsilon / (20 * std::sqrt(static_cast<double>(releases))), 1e-6, 1e-4);
  return std::max(fine, range / (1 << 18));
}

double numerical_epsilon(const Mechanism& mechanism, std::uint64_t releases, double delta) {
  const auto* gaussian = std::get_if<GaussianMechanism>(&mechanism);
  if (gaussian && gaussian->sampling_rate == 1)
    return gaussian_epsilon(gaussian->noise_multiplier / std::sqrt(static_cast<double>(releases)), delta);
  const double bound = renyi_epsilon(mechanism, releases, delta);
  if (bound == 0 || releases > PrivacyLossDistribution::kMostTimes) return bound;
  const PrivacyLossDistribution one(mechanism, grid_step(mechanism, bound, releases));
  return std::min(bound, one.composed(releases).epsilon(delta));
}

}  // namespace

double epsilon_of(const Mechanism& mechanism, std::uint64_t releases, double delta, Accounting accounting) {
  check_mechanism(mechanism);
  check_delta(delta);
  check_releases(releases);
  return accounting == Accounting::renyi ? renyi_epsilon(mechanism, releases, delta)
                                         : numerical_epsilon(mechanism, releases, delta);
}

double noise_multiplier(const NoiseTarget& target, Accounting accounting) {
  check_mechanism(GaussianMechanism{1, target.sampling_rate});
  check_epsilon(target.epsilon);
  check_delta(target.delta);
  check_releases(target.releases);
  const auto keeps = [&](Accounting by) {
    return [&target, by](double noise) {
      const GaussianMechanism mechanism{noise, target.sampling_rate};
      return epsilon_of(mechanism, target.releases, target.delta, by) <= target.epsilon;
    };
  };
  if (accounting == Accounting::numerical && target.sampling_rate == 1)
    return gaussian_noise_multiplier(target.epsilon, target.delta, static_cast<double>(target.releases));
  const double by_renyi = detail::smallest_that(keeps(Accounting::renyi), 1.0, 2.0, kTolerance);
  if (accounting == Accounting::renyi) return by_renyi;
  return detail::smallest_that(keeps(Accounting::numerical), by_renyi, 1.1, kTolerance);
}

}  // namespace synthema
