// Distances of two samples of numbers; both not empty, sorted or not.
#pragma once

#include <vector>

namespace synthema {

// Largest distance of the two empirical cumulative distributions (Kolmogorov-Smirnov), in [0, 1].
double ks_distance(std::vector<double> a, std::vector<double> b);
// Area between them (Wasserstein-1), in the unit of the numbers.
double wasserstein_distance(std::vector<double> a, std::vector<double> b);

}  // namespace synthema
