// The standard normal distribution.
#pragma once

#include <cmath>
#include <numbers>

namespace synthema {

// Standard deviations on both sides of the mean that hold 95 % of it.
inline constexpr double kNormal95 = 1.959963984540054;

inline double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

// What lies below x.
inline double normal_share(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

// x with this share below it; `share` in (0, 1). Abramowitz and Stegun 26.2.23, then Halley's steps to full
// precision.
inline double normal_quantile(double share) {
  if (share > 0.5) return -normal_quantile(1 - share);
  const double t = std::sqrt(-2 * std::log(share));
  double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int i = 0; i < 2; ++i) {
    const double error = (normal_share(x) - share) / normal_density(x);
    x -= error / (1 + x * error / 2);
  }
  return x;
}

}  // namespace synthema
