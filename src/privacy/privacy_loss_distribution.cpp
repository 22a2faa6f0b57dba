#include "synthema/privacy/privacy_loss_distribution.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <unsupported/Eigen/FFT>

#include "synthema/core/error.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema {

namespace {

using detail::kInfinity;
constexpr std::int64_t kMostPoints = std::int64_t{1} << 24;
constexpr double kWidth = 8.9;   // standard deviations; the mass beyond is below 3e-19 and counts as infinite
constexpr double kTail = 1e-15;  // mass that one composition may cut off at each end

double normal_tail(double x) {  // of a standard normal above x
  return 0.5 * std::erfc(x / std::sqrt(2.0));
}

// Collects masses of outcomes by their loss.
class GridBuilder {
 public:
  // Losses from `low` to `high` will be added.
  GridBuilder(double step, double low, double high) {
    grid_.step = step;
    if (!(step > 0) || !std::isfinite(step))
      throw ConfigError({.field = "step"},
                        message("The step of the loss grid must be positive, but it is ", step, "."));
    if (!((high - low) / step < static_cast<double>(kMostPoints)))
      throw ConfigError({.field = "step"},
                        message("The losses span ", high - low, ", which in steps of ", step,
                                " is more than 2^24 grid points; use a larger step or more noise."));
    grid_.first = static_cast<std::int64_t>(std::floor(low / step)) - 1;
    const auto last = static_cast<std::int64_t>(std::ceil(high / step)) + 1;
    grid_.masses.assign(static_cast<std::size_t>(last - grid_.first + 1), 0.0);
  }

  std::int64_t cell_of(double loss) const { return static_cast<std::int64_t>(std::floor(loss / grid_.step)); }
  double loss_at(std::int64_t cell) const { return static_cast<double>(cell) * grid_.step; }

  // Splits `mass` at `loss` between grid points `cell` and `cell + 1`, keeping mass and mass * exp(-loss).
  // The upper share is raised by what rounding may have taken from it.
  void add(std::int64_t cell, double loss, double mass) {
    const double raised = 4 * std::numeric_limits<double>::epsilon() * (1 + std::abs(loss)) / grid_.step;
    const double upper = std::expm1(loss_at(cell) - loss) / std::expm1(-grid_.step) + raised;
    const double share = std::clamp(upper, 0.0, 1.0);
    const auto at = static_cast<std::size_t>(cell - grid_.first);
    grid_.masses[at] += mass * (1 - share);
    grid_.masses[at + 1] += mass * share;
  }
  void add(double loss, double mass) { add(cell_of(loss), loss, mass); }
  // All of it at the upper end of the cell: never less loss than it has.
  void add_above(std::int64_t cell, double mass) {
    grid_.masses[static_cast<std::size_t>(cell - grid_.first) + 1] += mass;
  }
  void add_infinite(double mass) { grid_.infinite += mass; }
  LossGrid take() { return std::move(grid_); }

 private:
  LossGrid grid_;
};

// Gauss-Legendre with five points on [-1, 1].
constexpr double kNode[] = {0, 0.5384693101056831, 0.9061798459386640};
constexpr double kWeight[] = {0.5688888888888889, 0.4786286704993665, 0.2369268850561891};

constexpr double kMostPieces = 1 << 20;  // of all outcomes
constexpr double kExactly = 0.5;         // change of the loss in a piece that is split exactly

// A continuum of outcomes z in [low, high]; the loss is monotone in z.
struct Outcomes {
  double low = 0, high = 0;
  double smooth = 0;                      // pieces of this width are integrated exactly by five points
  double smooth_density = 0;              // and these, of the density alone
  std::function<double(double)> density;  // of z
  std::function<double(double)> loss;     // at z
  std::function<double(double)> inverse;  // z of a loss
};

// The outcomes of each cell of the grid, integrated piece by piece: every integrand is positive and smooth.
// With so little noise that the losses of one deviation are very many pieces, those are as wide as the
// density allows, and what cannot be split exactly in them counts at the upper end of its cell: such losses
// are hundreds of thousands of cells large.
void integrate(GridBuilder& grid, const Outcomes& outcomes) {
  const bool wide = outcomes.high - outcomes.low > kMostPieces * outcomes.smooth;
  const double smooth = wide ? outcomes.smooth_density : outcomes.smooth;
  double z = outcomes.low;
  const bool rising = outcomes.loss(outcomes.high) > outcomes.loss(outcomes.low);
  std::int64_t cell = grid.cell_of(outcomes.loss(z));
  while (z < outcomes.high) {
    // Where the loss leaves this cell; NaN or beyond the end means that it does not.
    const double edge = outcomes.inverse(grid.loss_at(rising ? cell + 1 : cell));
    const double end = edge < outcomes.high ? std::max(edge, z) : outcomes.high;
    const int pieces = std::max(1, static_cast<int>(std::ceil((end - z) / smooth)));
    for (int piece = 0; piece < pieces; ++piece) {
      const double half = (end - z) / pieces / 2;
      const double middle = z + (2 * piece + 1) * half;
      const bool split =
          !wide || std::abs(outcomes.loss(middle + half) - outcomes.loss(middle - half)) < kExactly;
      for (int i = -2; i <= 2; ++i) {
        const double at = middle + (i < 0 ? -1 : 1) * kNode[std::abs(i)] * half;
        const double mass = kWeight[std::abs(i)] * half * outcomes.density(at);
        if (split)
          grid.add(cell, outcomes.loss(at), mass);
        else
          grid.add_above(cell, mass);
      }
    }
    z = end;
    cell += rising ? 1 : -1;
  }
}

double normal_density(double z, double mean, double noise) {
  const double x = (z - mean) / noise;
  return std::exp(-x * x / 2) / (noise * std::sqrt(2 * M_PI));
}

// With mu0 = N(0, s^2), mu1 = N(1, s^2) and mu = (1 - q) mu0 + q mu1, a removed unit is mu against mu0 and an
// added one is mu0 against mu (Zhu, Dong, Wang, "Optimal accounting of differential privacy via
// characteristic function", AISTATS 2022, section 4).
LossGrid gaussian_grid(const GaussianMechanism& gaussian, bool removed, double step) {
  const double s = gaussian.noise_multiplier, q = gaussian.sampling_rate;
  const double sign = removed ? 1 : -1;
  Outcomes outcomes;
  outcomes.low = (removed && q == 1 ? 1 : 0) - kWidth * s;
  outcomes.high = (removed ? 1 : 0) + kWidth * s;
  outcomes.smooth_density = s / 8;
  outcomes.smooth = std::min(s / 8, s * s / 2);  // scales of the density and of the loss
  outcomes.density = [=](double z) {
    if (!removed) return normal_density(z, 0, s);
    return (q < 1 ? (1 - q) * normal_density(z, 0, s) : 0) + q * normal_density(z, 1, s);
  };
  outcomes.loss = [=](double z) {
    const double x = (2 * z - 1) / (2 * s * s);
    if (q == 1) return sign * x;
    return sign * (x > 40 ? x + std::log(q) + std::log1p((1 - q) / q * std::exp(-x))
                          : std::log1p(q * std::expm1(x)));
  };
  outcomes.inverse = [=](double loss) {
    const double target = sign * loss;
    if (q == 1) return s * s * target + 0.5;
    // exp(x) = 1 + (exp(target) - 1) / q; no z has a loss below ln(1 - q).
    const double x = target > 40 ? target - std::log(q) + std::log1p((q - 1) * std::exp(-target))
                                 : std::log1p(std::expm1(target) / q);
    return s * s * x + 0.5;
  };
  const double ends[] = {outcomes.loss(outcomes.low), outcomes.loss(outcomes.high)};
  GridBuilder grid(step, std::min(ends[0], ends[1]), std::max(ends[0], ends[1]));
  integrate(grid, outcomes);
  grid.add_infinite(2 * normal_tail(kWidth));  // both ends that were cut off
  return grid.take();
}

// Lap(0, b) against Lap(1, b): two atoms and a continuum between them. The mechanism is symmetric.
LossGrid laplace_grid(double b, double step) {
  GridBuilder grid(step, -1 / b, 1 / b);
  Outcomes between;
  between.low = 0;
  between.high = std::min(1.0, 60 * b);  // what lies beyond is next to nothing, and counts as if it lay there
  between.smooth = between.smooth_density = b / 8;
  between.density = [=](double z) { return std::exp(-z / b) / (2 * b); };
  between.loss = [=](double z) { return (1 - 2 * z) / b; };
  between.inverse = [=](double loss) { return (1 - b * loss) / 2; };
  integrate(grid, between);
  grid.add(between.loss(between.high), (std::exp(-between.high / b) - std::exp(-1 / b)) / 2);
  grid.add(1 / b, 0.5);
  grid.add(-1 / b, std::exp(-1 / b) / 2);
  return grid.take();
}

// Of everything that is epsilon-private, randomised response has the largest delta everywhere, also after
// composition (Kairouz, Oh, Viswanath, "The composition theorem for differential privacy", ICML 2015).
LossGrid pure_grid(double epsilon, double step) {
  GridBuilder grid(step, -epsilon, epsilon);
  grid.add(epsilon, 1 / (1 + std::exp(-epsilon)));
  grid.add(-epsilon, 1 / (1 + std::exp(epsilon)));
  return grid.take();
}

// A window of losses (in grid points) outside which a `times`-fold sum has at most kTail on either side:
// Chernoff's bound, P(S >= x) <= exp(times * ln E exp(t loss) - t x), the best of some t.
struct Window {
  std::int64_t low = 0, high = 0;
};

class Chernoff {
 public:
  explicit Chernoff(const LossGrid& grid) : grid_(grid) {
    for (const double mass : grid.masses) logs_.push_back(std::log(mass));
  }

  Window window(double times) const {
    const auto first = static_cast<double>(grid_.first);
    const double last = first + static_cast<double>(grid_.masses.size()) - 1;
    const double high = std::min(times * last, bound(times, 1)),
                 low = std::max(times * first, -bound(times, -1));
    return {static_cast<std::int64_t>(std::floor(low)), static_cast<std::int64_t>(std::ceil(high))};
  }

 private:
  // The bound is quasi-convex in t: t falls from well above the best one of a normal sum until it gets worse.
  double bound(double times, double side) const {
    double best = kInfinity;
    for (double t = 4 * std::sqrt(-2 * std::log(kTail) / (times * variance())); t > 1e-9; t /= 2) {
      const double here = (times * log_moment(side * t) - std::log(kTail)) / (t * grid_.step);
      if (here > best) break;
      best = here;
    }
    return best;
  }
  double loss(std::size_t i) const {
    return grid_.step * static_cast<double>(grid_.first + static_cast<std::int64_t>(i));
  }
  double log_moment(double t) const {
    double largest = -kInfinity, sum = 0;
    for (std::size_t i = 0; i < logs_.size(); ++i) largest = std::max(largest, t * loss(i) + logs_[i]);
    for (std::size_t i = 0; i < logs_.size(); ++i) sum += std::exp(t * loss(i) + logs_[i] - largest);
    return largest + std::log(sum);
  }
  double variance() const {
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < logs_.size(); ++i) mean += grid_.masses[i] * loss(i);
    for (std::size_t i = 0; i < logs_.size(); ++i)
      square += grid_.masses[i] * (loss(i) - mean) * (loss(i) - mean);
    return square;
  }

  const LossGrid& grid_;
  std::vector<double> logs_;
};

std::size_t transform_size(std::int64_t points) {
  if (points > 2 * kMostPoints)
    throw ConfigError({.field = "step"},
                      message("The composed losses span ", points,
                              " grid points, more than 2^25; use a larger step or more noise."));
  return std::bit_ceil(static_cast<std::size_t>(std::max<std::int64_t>(points, 16)));
}

using Spectrum = std::vector<std::complex<double>>;

// The transform of the grid wrapped around at `size`; only the first half, the input is real.
Spectrum spectrum_of(const LossGrid& grid, std::size_t size) {
  std::vector<double> wrapped(size, 0.0);
  for (std::size_t i = 0; i < grid.masses.size(); ++i) wrapped[i % size] += grid.masses[i];
  Eigen::FFT<double> fft;
  fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  Spectrum out;
  fft.fwd(out, wrapped);
  return out;
}

// The distribution with this spectrum, whose first point before wrapping was `origin`, seen in the window.
// `factors`: how many spectra were multiplied; the error of each transform is relative to its largest
// value, 1.
LossGrid grid_of(const Spectrum& spectrum, std::size_t size, double step, std::int64_t origin, Window window,
                 double factors, double infinite) {
  Eigen::FFT<double> fft;
  fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  std::vector<double> wrapped(size);
  fft.inv(wrapped, spectrum, static_cast<Eigen::Index>(size));
  LossGrid out{.step = step, .first = window.low};
  const auto points = static_cast<std::size_t>(window.high - window.low + 1);
  out.masses.resize(points);
  const auto cycle = static_cast<std::int64_t>(size);
  for (std::size_t i = 0; i < points; ++i) {
    const std::int64_t at = ((window.low + static_cast<std::int64_t>(i) - origin) % cycle + cycle) % cycle;
    out.masses[i] = std::max(0.0, wrapped[static_cast<std::size_t>(at)]);
  }
  // In the Euclidean norm a transform is wrong by at most c * log2(size) units in the last place (Higham,
  // "Accuracy and stability of numerical algorithms", theorem 24.2), and a power multiplies that by its
  // exponent. The sum of absolute errors of the masses is at most sqrt(size) times their norm.
  double energy = 0;
  for (const auto& value : spectrum) energy += std::norm(value);
  const double rounding = 2 * factors * std::numeric_limits<double>::epsilon() *
                          std::log2(static_cast<double>(size)) * std::sqrt(2 * energy);
  out.infinite = std::min(1.0, infinite + 2 * kTail + rounding);
  return out;
}

// Without the ends that hold at most kTail each; what they held counts as infinite.
LossGrid trimmed(LossGrid grid) {
  std::size_t begin = 0, end = grid.masses.size();
  double low = 0, high = 0;
  while (begin + 1 < end && low + grid.masses[begin] <= kTail) low += grid.masses[begin++];
  while (begin + 1 < end && high + grid.masses[end - 1] <= kTail) high += grid.masses[--end];
  grid.masses = std::vector<double>(grid.masses.begin() + static_cast<std::ptrdiff_t>(begin),
                                    grid.masses.begin() + static_cast<std::ptrdiff_t>(end));
  grid.first += static_cast<std::int64_t>(begin);
  grid.infinite = std::min(1.0, grid.infinite + low + high);
  return grid;
}

LossGrid power(const LossGrid& grid, std::uint64_t times) {
  if (times == 1) return grid;
  const auto n = static_cast<double>(times);
  const Window window = Chernoff(grid).window(n);
  const std::size_t size = transform_size(window.high - window.low + 1);
  Spectrum spectrum = spectrum_of(grid, size);
  for (auto& value : spectrum) {
    const double angle = n * std::arg(value);
    value = std::polar(std::pow(std::abs(value), n), angle);
  }
  const double infinite = -std::expm1(n * std::log1p(-grid.infinite));
  return grid_of(spectrum, size, grid.step, static_cast<std::int64_t>(times) * grid.first, window, n,
                 infinite);
}

LossGrid product(const LossGrid& a, const LossGrid& b) {
  const auto points = static_cast<std::int64_t>(a.masses.size() + b.masses.size()) - 1;
  const std::size_t size = transform_size(points);
  Spectrum spectrum = spectrum_of(a, size);
  const Spectrum other = spectrum_of(b, size);
  for (std::size_t i = 0; i < spectrum.size(); ++i) spectrum[i] *= other[i];
  const std::int64_t first = a.first + b.first;
  const double infinite = a.infinite + b.infinite - a.infinite * b.infinite;
  return trimmed(grid_of(spectrum, size, a.step, first, {first, first + points - 1}, 2, infinite));
}

// The smallest epsilon >= 0 at which the grid's delta is at most `delta`: found between two grid points by
// going down from the largest loss, where delta = infinite + sum of p - sum of p exp(epsilon - loss). The
// second sum is kept at the point reached: losses of hundreds have exponentials beyond double precision.
double epsilon_of(const LossGrid& grid, double delta) {
  if (grid.infinite > delta) return kInfinity;
  const double shrink = std::exp(-grid.step);
  double mass = 0, other = 0, reached = 0;
  for (std::size_t i = grid.masses.size(); i-- > 0;) {
    const double loss = static_cast<double>(grid.first + static_cast<std::int64_t>(i)) * grid.step;
    const double at_loss = grid.infinite + mass - other * shrink;  // delta at this loss
    if (loss <= 0 || at_loss > delta) break;
    mass += grid.masses[i];
    other = other * shrink + grid.masses[i];
    reached = loss;
  }
  const double spare = mass + grid.infinite - delta;
  return spare <= 0 || other <= 0 ? 0 : std::max(0.0, reached + std::log(spare / other));
}

}  // namespace

double LossGrid::delta(double epsilon) const {
  double sum = infinite;
  for (std::size_t i = masses.size(); i-- > 0;) {
    const double loss = static_cast<double>(first + static_cast<std::int64_t>(i)) * step;
    if (loss <= epsilon) break;
    sum += masses[i] * -std::expm1(epsilon - loss);
  }
  return std::min(1.0, sum);
}

PrivacyLossDistribution::PrivacyLossDistribution(const Mechanism& mechanism, double step) {
  check_mechanism(mechanism);
  if (const auto* gaussian = std::get_if<GaussianMechanism>(&mechanism)) {
    removed_ = gaussian_grid(*gaussian, true, step);
    if (gaussian->sampling_rate < 1) added_ = gaussian_grid(*gaussian, false, step);
  } else if (const auto* laplace = std::get_if<LaplaceMechanism>(&mechanism)) {
    removed_ = laplace_grid(laplace->noise_multiplier, step);
  } else {
    removed_ = pure_grid(std::get<ExponentialMechanism>(mechanism).epsilon, step);
  }
}

PrivacyLossDistribution PrivacyLossDistribution::composed(std::uint64_t times) const {
  if (times < 1 || times > kMostTimes)
    throw ConfigError({.field = "times"},
                      message("A mechanism is composed between once and 1e9 times, not ", times, " times."));
  PrivacyLossDistribution out = *this;
  out.removed_ = power(removed_, times);
  if (!added_.masses.empty()) out.added_ = power(added_, times);
  return out;
}

PrivacyLossDistribution PrivacyLossDistribution::composed(const PrivacyLossDistribution& other) const {
  if (removed_.step != other.removed_.step)
    throw ConfigError({.field = "step"},
                      message("Only distributions with the same step compose, but these have ", removed_.step,
                              " and ", other.removed_.step, "."));
  PrivacyLossDistribution out = *this;
  out.removed_ = product(removed_, other.removed_);
  if (!added_.masses.empty() || !other.added_.masses.empty()) out.added_ = product(added(), other.added());
  return out;
}

double PrivacyLossDistribution::delta(double epsilon) const {
  check_epsilon(epsilon);
  return std::max(removed().delta(epsilon), added().delta(epsilon));
}

double PrivacyLossDistribution::epsilon(double delta) const {
  check_delta(delta);
  return std::max(epsilon_of(removed(), delta), epsilon_of(added(), delta));
}

}  // namespace synthema
