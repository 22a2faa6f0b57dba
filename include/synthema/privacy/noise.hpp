// Noise for differential privacy. It is secret or it is worth nothing: so it comes from the operating
// system's generator, never from a run's seed, and what is made with it does not repeat.
//
// Which bits, and why. Every bit is taken from getrandom(2) (Linux) or getentropy(3) (macOS, BSD): the
// kernel's ChaCha20, which waits at boot until it is seeded. Not std::random_device, which may by the
// standard be a fixed sequence and reads 32 bits per call from a source that the library chooses; and no
// generator of ours, whose state could be copied by fork() or end in a core dump. A buffer of 4 KiB saves
// calls; it is overwritten as it is used up and thrown away in a forked child.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "synthema/core/export.hpp"
#include "synthema/core/random.hpp"

namespace synthema {

class SYNTHEMA_EXPORT NoiseSource {
 public:
  static NoiseSource operating_system();
  // Reproducible noise, for tests of code that adds noise. It protects nobody: is_private() is false, and
  // what was made with it has to say so (LedgerEntry::private_noise).
  static NoiseSource seeded_for_tests(std::uint64_t seed);

  // Two sources must never give the same bits, so none can be copied or moved.
  NoiseSource(const NoiseSource&) = delete;
  NoiseSource& operator=(const NoiseSource&) = delete;

  bool is_private() const { return private_; }
  // 64 uniform bits. Error if the operating system refuses.
  std::uint64_t bits();

 private:
  NoiseSource(bool is_private, Random random) : private_(is_private), random_(random) {}
  void refill();

  bool private_;
  Random random_;  // of the tests' source only
  std::array<std::uint64_t, 512> buffer_{};
  std::size_t left_ = 0;  // unused words, at the front of the buffer
  long process_ = 0;      // that filled it
};

// A positive rational number: exact samplers know no other parameters.
struct Ratio {
  std::uint64_t numerator = 1;
  std::uint64_t denominator = 1;

  // The smallest multiple of 2^-20 that is at least `value`; rounding up is never less noise. ConfigError
  // outside (0, 2^30].
  static Ratio at_least(double value);
};

// The samplers of Canonne, Kamath and Steinke, "The discrete Gaussian for differential privacy" (NeurIPS
// 2020, algorithms 1 to 3): integer arithmetic only, so that no floating-point number can give away what was
// added to (Mironov, "On significance of the least significant bits for differential privacy", CCS 2012).
// For counts and other sums of integers. (How long a draw takes does depend on it.)

// P(x) proportional to exp(-|x| / scale): epsilon = sensitivity / scale. ConfigError for a scale above 2^30.
std::int64_t discrete_laplace(NoiseSource& source, Ratio scale);
// P(x) proportional to exp(-x^2 / (2 variance)): satisfies what RenyiAccountant says of a Gaussian of this
// variance. ConfigError for a variance above 2^30 (in units of 1).
std::int64_t discrete_gaussian(NoiseSource& source, Ratio variance);

// The index of one of the scores, drawn in proportion to exp(epsilon score / (2 sensitivity)) by rejection
// with exact coins: the exponential mechanism (McSherry and Talwar, FOCS 2007), which
// ExponentialMechanism{epsilon} accounts for. `sensitivity`: how much one unit can change any score. Scores
// enter as multiples of 2^-20 / epsilon; what that rounding could cost (2^-18) is taken off epsilon first.
// ConfigError without scores, for one that is not finite, or for an epsilon outside [2^-10, 2^10].
std::size_t exponential_choice(NoiseSource& source, std::span<const double> scores, double epsilon,
                               double sensitivity);

// Adds Gaussian noise of standard deviation `sigma` to each value, for sums of clipped gradients, and
// rounds each result to a multiple of 2^-20 sigma (a power of two near it): all data give results on the same
// grid, so the low bits, which floating-point noise would leave as a trace of the values, are gone. Draws are
// Box and Muller's on 64-bit uniforms; no draw is beyond 9.4 sigma, which has a probability below 1e-20.
// ConfigError if sigma is not positive or a value is not finite.
void add_gaussian_noise(std::span<double> values, double sigma, NoiseSource& source);

}  // namespace synthema
