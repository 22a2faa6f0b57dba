// What a privacy accountant is told of one release: the noise in units of the sensitivity, never the data.
// Neighbouring data sets differ by one unit (a row, or a patient where the schema names a subject) that is
// added or removed; substituting one unit counts as two such steps.
#pragma once

#include <variant>

namespace synthema {

// The sum of clipped contributions plus Gaussian noise, over a Poisson sample of the units.
struct GaussianMechanism {
  double noise_multiplier = 0;  // standard deviation / L2 sensitivity, positive
  double sampling_rate = 1;     // each unit takes part with this probability, independently; in (0, 1]
};

// A sum plus Laplace noise.
struct LaplaceMechanism {
  double noise_multiplier = 0;  // scale b / L1 sensitivity, positive
};

// One of several candidates, drawn in proportion to exp(epsilon score / (2 sensitivity)): how MST and AIM
// choose the marginals that they measure. epsilon-private, and by its bounded range more private in
// composition.
struct ExponentialMechanism {
  double epsilon = 0;  // of one choice, positive
};

using Mechanism = std::variant<GaussianMechanism, LaplaceMechanism, ExponentialMechanism>;

// ConfigError names the parameter that is out of range.
void check_mechanism(const Mechanism& mechanism);

// ConfigErrors for the two numbers of a guarantee: epsilon finite and at least 0, delta in (0, 1).
void check_epsilon(double epsilon);
void check_delta(double delta);

}  // namespace synthema
