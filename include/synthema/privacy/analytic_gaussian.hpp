// The Gaussian mechanism exactly: Balle and Wang, "Improving the Gaussian mechanism for differential privacy:
// analytical calibration and optimal denoising", ICML 2018, theorem 8. `noise_multiplier` is the standard
// deviation over the L2 sensitivity. k releases with multiplier s are one release with s / sqrt(k), so this
// is also the exact answer for compositions without sampling, which the accountants are tested against.
#pragma once

namespace synthema {

// The smallest delta at this epsilon, rounded up by the error of its evaluation.
double gaussian_delta(double noise_multiplier, double epsilon);
// The smallest epsilon at this delta, rounded up (relative 1e-12).
double gaussian_epsilon(double noise_multiplier, double delta);
// The smallest noise multiplier that gives (epsilon, delta), rounded up (relative 1e-12): never less noise
// than the exact answer. `releases` of the same kind share the budget.
double gaussian_noise_multiplier(double epsilon, double delta, double releases = 1);

}  // namespace synthema
