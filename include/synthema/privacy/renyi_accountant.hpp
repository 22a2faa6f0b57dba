// Renyi differential privacy (Mironov, CSF 2017) of Gaussian, Poisson-subsampled Gaussian (Mironov, Talwar,
// Zhang, "Renyi differential privacy of the sampled Gaussian mechanism", 2019), Laplace and
// exponential mechanisms.
// Composition adds; the guarantee at an order a becomes (epsilon, delta) by proposition 12 of Canonne, Kamath
// and Steinke ("The discrete Gaussian for differential privacy", NeurIPS 2020; the same as theorem 21 of
// Balle et al., AISTATS 2020). The result is an upper bound, some percent above the tight one of
// PrivacyLossDistribution; it holds for the discrete Gaussian as well (their theorem 4).
#pragma once

#include <cstdint>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/privacy/mechanism.hpp"

namespace synthema {

// The Renyi divergence of order `order` (above 1, at most 1e6) between the outputs on neighbouring data, the
// worse of the two directions. Integer orders of the sampled Gaussian are a finite sum of positive terms;
// others are integrated numerically to about 1e-12 (series as in other libraries differ from each other
// there); below a noise multiplier of 0.05, bounded by the integers beside them.
double renyi_divergence(const Mechanism& mechanism, double order);

class SYNTHEMA_EXPORT RenyiAccountant {
 public:
  struct Epsilon {
    double epsilon = 0;
    double order = 0;  // the order that gave it; at an end of the list, more orders may give less
  };

  // 1.1 to 10.9 by tenths, 11 to 63, 128, 256, 512, 1024: the list that dp-accounting uses.
  static std::vector<double> default_orders();
  explicit RenyiAccountant(std::vector<double> orders = default_orders());

  // `times` releases of this kind, one after another on the same data; later ones may depend on earlier ones.
  RenyiAccountant& add(const Mechanism& mechanism, std::uint64_t times = 1);

  Epsilon epsilon(double delta) const;
  double delta(double epsilon) const;

  const std::vector<double>& orders() const { return orders_; }
  const std::vector<double>& divergences() const { return divergences_; }  // one per order

 private:
  std::vector<double> orders_;
  std::vector<double> divergences_;
};

}  // namespace synthema
