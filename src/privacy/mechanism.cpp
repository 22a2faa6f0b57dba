#include "synthema/privacy/mechanism.hpp"

#include <cmath>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

void check_noise(double noise_multiplier) {
  if (!(noise_multiplier > 0) || !std::isfinite(noise_multiplier))
    throw ConfigError({.field = "noise_multiplier"},
                      message("The noise multiplier must be a positive number, but it is ", noise_multiplier,
                              "; without noise there is no guarantee to account for."));
}

}  // namespace

void check_mechanism(const Mechanism& mechanism) {
  if (const auto* gaussian = std::get_if<GaussianMechanism>(&mechanism)) {
    check_noise(gaussian->noise_multiplier);
    if (!(gaussian->sampling_rate > 0 && gaussian->sampling_rate <= 1))
      throw ConfigError({.field = "sampling_rate"},
                        message("The sampling rate must be above 0 and at most 1, but it is ",
                                gaussian->sampling_rate, "."));
  } else if (const auto* laplace = std::get_if<LaplaceMechanism>(&mechanism)) {
    check_noise(laplace->noise_multiplier);
  } else {
    const double epsilon = std::get<ExponentialMechanism>(mechanism).epsilon;
    if (!(epsilon > 0) || !std::isfinite(epsilon))
      throw ConfigError(
          {.field = "epsilon"},
          message("The epsilon of a choice must be a finite number above zero, but it is ", epsilon, "."));
  }
}

void check_epsilon(double epsilon) {
  if (!(epsilon >= 0) || !std::isfinite(epsilon))
    throw ConfigError({.field = "epsilon"},
                      message("Epsilon must be a finite number, zero or above, but it is ", epsilon, "."));
}

void check_delta(double delta) {
  if (!(delta > 0 && delta < 1))
    throw ConfigError({.field = "delta"}, message("Delta must be above 0 and below 1, but it is ", delta,
                                                  "; choose one well below 1 / (number of units)."));
}

}  // namespace synthema
