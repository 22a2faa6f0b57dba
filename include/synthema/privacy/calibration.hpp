// From a promise to the noise that keeps it, and back. Every answer errs to the side of more noise or of a
// larger epsilon.
#pragma once

#include <cstdint>

#include "synthema/privacy/mechanism.hpp"

namespace synthema {

enum class Accounting {
  numerical,  // the closed form without sampling, else PrivacyLossDistribution: tight
  renyi,      // RenyiAccountant with its default orders: looser, the usual one of DP-SGD reports
};

// What is spent by `releases` of this mechanism on the same data, at this delta.
double epsilon_of(const Mechanism& mechanism, std::uint64_t releases, double delta,
                  Accounting accounting = Accounting::numerical);

struct NoiseTarget {
  double epsilon = 1;
  double delta = 1e-6;       // well below 1 / (number of units)
  double sampling_rate = 1;  // batch size / number of units, Poisson sampling
  std::uint64_t releases = 1;
};

// The Gaussian noise multiplier (standard deviation / sensitivity) that keeps the target, rounded up: by at
// most 1e-12 of itself without sampling, else by at most 1e-4. epsilon_of() at the answer is at most the
// target's epsilon.
double noise_multiplier(const NoiseTarget& target, Accounting accounting = Accounting::numerical);

}  // namespace synthema
