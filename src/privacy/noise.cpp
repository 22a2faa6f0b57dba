#include "synthema/privacy/noise.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

__extension__ using Wide = unsigned __int128;  // products of two 64-bit parameters

constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;   // scale or variance
constexpr std::uint64_t kFraction = std::uint64_t{1} << 20;  // denominators

void fill_from_system(void* bytes, std::size_t count) {
  auto* at = static_cast<std::uint8_t*>(bytes);
  while (count > 0) {
    const std::size_t part = count < 256 ? count : 256;  // more may be interrupted, or refused by getentropy
#ifdef __linux__
    const ssize_t got = getrandom(at, part, 0);
    if (got < 0 && errno == EINTR) continue;
#else
    const ssize_t got = getentropy(at, part) == 0 ? static_cast<ssize_t>(part) : -1;
#endif
    if (got <= 0)
      throw Error(message("The operating system gave no random bits (", std::strerror(errno),
                          "), so no private noise can be drawn."));
    at += got;
    count -= static_cast<std::size_t>(got);
  }
}

// Uniform in [0, n), exactly; by rejection from the next power of two.
Wide below(NoiseSource& source, Wide n) {
  int width = 0;
  while (width < 128 && (n - 1) >> width > 0) ++width;
  for (;;) {
    Wide draw = source.bits();
    if (width > 64) draw |= static_cast<Wide>(source.bits()) << 64;
    if (width < 128) draw &= (static_cast<Wide>(1) << width) - 1;
    if (draw < n) return draw;
  }
}

// Algorithm 1 for gamma = a / b <= 1: the first K whose Bernoulli(gamma / K) fails is odd.
bool bernoulli_exp_fraction(NoiseSource& source, Wide a, Wide b) {
  std::uint64_t k = 1;
  while (below(source, b * k) < a) ++k;
  return k % 2 == 1;
}

// Bernoulli(exp(-a / b)).
bool bernoulli_exp(NoiseSource& source, Wide a, Wide b) {
  for (; a > b; a -= b)
    if (!bernoulli_exp_fraction(source, 1, 1)) return false;
  return bernoulli_exp_fraction(source, a, b);
}

// Algorithm 2, for P(x) proportional to exp(-|x| s / t).
std::int64_t discrete_laplace(NoiseSource& source, std::uint64_t s, std::uint64_t t) {
  for (;;) {
    const auto u = static_cast<std::uint64_t>(below(source, t));
    if (!bernoulli_exp_fraction(source, u, t)) continue;
    std::uint64_t v = 0;
    while (bernoulli_exp_fraction(source, 1, 1)) ++v;
    const auto y = static_cast<std::int64_t>((static_cast<Wide>(v) * t + u) / s);
    const bool negative = source.bits() & 1;
    if (negative && y == 0) continue;
    return negative ? -y : y;
  }
}

void check_ratio(Ratio ratio, const char* name) {
  if (ratio.numerator == 0 || ratio.denominator == 0 || ratio.denominator > kFraction ||
      ratio.numerator / ratio.denominator > kLargest || ratio.numerator > kLargest * kFraction)
    throw ConfigError({.field = name}, message("The ", name,
                                               " of a discrete draw must be positive and at most 2^30, "
                                               "with a denominator of at most 2^20."));
}

double open_unit(std::uint64_t bits) {
  return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

}  // namespace

NoiseSource NoiseSource::operating_system() {
  return NoiseSource(true, Random());
}

NoiseSource NoiseSource::seeded_for_tests(std::uint64_t seed) {
  return NoiseSource(false, Random(seed));
}

std::uint64_t NoiseSource::bits() {
  if (!private_) {
    const std::uint64_t high = random_(), low = random_();
    return high << 32 | low;
  }
  if (left_ == 0 || process_ != ::getpid()) refill();
  std::uint64_t& word = buffer_[--left_];
  const std::uint64_t out = word;
  word = 0;
  return out;
}

void NoiseSource::refill() {
  fill_from_system(buffer_.data(), sizeof buffer_);
  left_ = buffer_.size();
  process_ = ::getpid();
}

Ratio Ratio::at_least(double value) {
  if (!(value > 0 && value <= static_cast<double>(kLargest)))
    throw ConfigError(message(
        "The parameter of a discrete draw must be positive and at most 2^30, but it is ", value, "."));
  return {static_cast<std::uint64_t>(std::ceil(value * static_cast<double>(kFraction))), kFraction};
}

std::int64_t discrete_laplace(NoiseSource& source, Ratio scale) {
  check_ratio(scale, "scale");
  return discrete_laplace(source, scale.denominator, scale.numerator);
}

// Algorithm 3: a discrete Laplace draw of scale t = floor(sigma) + 1 is accepted with probability
// exp(-(|y| - variance / t)^2 / (2 variance)); with variance = n / d that exponent is
// (|y| d t - n)^2 / (2 n d t^2). n <= 2^50 and d <= 2^20 keep the denominator below 2^103.
std::int64_t discrete_gaussian(NoiseSource& source, Ratio variance) {
  check_ratio(variance, "variance");
  const std::uint64_t n = variance.numerator, d = variance.denominator;
  auto t = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(n) / static_cast<double>(d)));
  while (static_cast<Wide>(t) * t * d > n) --t;  // the square root may be off by one either way
  while (static_cast<Wide>(t) * t * d <= n) ++t;
  const Wide denominator = static_cast<Wide>(2) * n * d * t * t;
  for (;;) {
    const std::int64_t y = discrete_laplace(source, 1, t);
    const Wide reach = static_cast<Wide>(y < 0 ? -y : y) * d * t;
    const Wide away = reach > n ? reach - n : n - reach;
    // Such a draw (|y| beyond 2^12 t) would be accepted with a probability below exp(-2^20): never seen.
    if (away >> 63 > 0) continue;
    if (bernoulli_exp(source, away * away, denominator)) return y;
  }
}

std::size_t exponential_choice(NoiseSource& source, std::span<const double> scores, double epsilon,
                               double sensitivity) {
  if (scores.empty()) throw ConfigError({.field = "scores"}, "A choice needs at least one score.");
  for (const double score : scores)
    if (!std::isfinite(score))
      throw ConfigError({.field = "scores"}, "A score to choose by is not a finite number.");
  if (!(epsilon >= 0x1p-10 && epsilon <= 0x1p10))
    throw ConfigError(
        {.field = "epsilon"},
        message("The epsilon of a choice must be between 2^-10 and 2^10, but it is ", epsilon, "."));
  if (!(sensitivity > 0) || !std::isfinite(sensitivity))
    throw ConfigError(
        {.field = "sensitivity"},
        message("The sensitivity of the scores must be positive, but it is ", sensitivity, "."));
  // Rounding moves each exponent by at most 2^-21, on two data sets and for two candidates.
  const double slope = (epsilon - 0x1p-18) / (2 * sensitivity);
  const double largest = *std::max_element(scores.begin(), scores.end());
  for (;;) {
    const auto i = static_cast<std::size_t>(below(source, scores.size()));
    // An exponent of 2^30 is a probability of zero in any run.
    const double exponent = std::min((largest - scores[i]) * slope, 0x1p30);
    const auto rounded = static_cast<std::uint64_t>(std::llround(exponent * static_cast<double>(kFraction)));
    if (bernoulli_exp(source, rounded, kFraction)) return i;
  }
}

void add_gaussian_noise(std::span<double> values, double sigma, NoiseSource& source) {
  if (!(sigma > 0) || !std::isfinite(sigma))
    throw ConfigError({.field = "sigma"},
                      message("The standard deviation of noise must be positive, but it is ", sigma, "."));
  for (const double value : values)
    if (!std::isfinite(value))
      throw ConfigError("A value that noise should be added to is not a finite number.");
  const double grid = std::ldexp(1.0, std::ilogb(sigma) - 20);
  for (std::size_t i = 0; i < values.size(); i += 2) {
    // The tail needs the small uniforms: 64 bits, not the 53 of open_unit.
    const double radius = std::sqrt(-2 * std::log((static_cast<double>(source.bits()) + 0.5) * 0x1p-64));
    const double angle = 2 * M_PI * open_unit(source.bits());
    const double draws[] = {radius * std::cos(angle), radius * std::sin(angle)};
    for (std::size_t k = 0; k < 2 && i + k < values.size(); ++k)
      values[i + k] = std::round((values[i + k] + sigma * draws[k]) / grid) * grid;
  }
}

}  // namespace synthema
