#include "src/generate/tabular/normal_box.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace synthema::detail {

namespace {

constexpr std::size_t kPoints = 128;
constexpr double kFar = 5;        // from here on the tail's expansion is used
constexpr double kNarrow = 1e-3;  // intervals over which the density is as good as constant
constexpr double kNone = -std::numeric_limits<double>::infinity();

// log of the share above x, x >= kFar (Abramowitz and Stegun 26.2.12).
double log_tail(double x) {
  const double y = 1 / (x * x);
  return -x * x / 2 - std::log(x * std::sqrt(2 * std::numbers::pi)) +
         std::log1p(-y * (1 - y * (3 - 15 * y * (1 - 7 * y))));
}

bool narrow(double a, double b) {
  return (b - a) * (1 + std::max(std::abs(a), std::abs(b))) < kNarrow;
}

double log_mass(double a, double b) {
  if (!(a < b)) return kNone;
  if (narrow(a, b)) {
    const double middle = std::midpoint(a, b);
    return std::log(b - a) - middle * middle / 2 - std::log(2 * std::numbers::pi) / 2;
  }
  if (a > -b) {  // the heavier half lies above: mirror, so that shares are small numbers
    std::swap(a, b);
    a = -a, b = -b;
  }
  if (b > -kFar) return std::log(normal_share(b) - normal_share(a));
  const double most = log_tail(-b);
  return std::isinf(a) ? most : most + std::log1p(-std::exp(log_tail(-a) - most));
}

// Square roots of the primes: the generators of a Richtmyer lattice.
std::vector<double> generators(std::size_t n) {
  std::vector<double> out;
  std::vector<std::size_t> primes;
  for (std::size_t i = 2; out.size() < n; ++i) {
    if (std::ranges::any_of(primes, [&](std::size_t p) { return i % p == 0; })) continue;
    primes.push_back(i);
    out.push_back(std::sqrt(static_cast<double>(i)));
  }
  return out;
}

double lattice_point(double generator, std::size_t point) {
  const double x = generator * static_cast<double>(point + 1);
  return std::clamp(std::abs(2 * (x - std::floor(x)) - 1), 1e-12, 1 - 1e-12);  // the tent makes it smooth
}

double log_sum(std::span<const double> logs) {
  const double most = std::ranges::max(logs);
  if (std::isinf(most)) return most;
  double sum = 0;
  for (const double one : logs) sum += std::exp(one - most);
  return most + std::log(sum);
}

std::vector<double> log_masses(std::span<const Piece> pieces, double mean, double spread) {
  std::vector<double> out;
  for (const Piece& piece : pieces)
    out.push_back(log_mass((piece.low - mean) / spread, (piece.high - mean) / spread) +
                  std::log(piece.density));
  return out;
}

// The noise in one of these pieces: `left`, in (0, 1), chooses the piece and the place in it.
double place_in(std::span<const Piece> pieces, std::span<const double> masses, double sum, double mean,
                double spread, double left) {
  std::size_t chosen = 0;
  for (;; ++chosen) {
    const double share = std::exp(masses[chosen] - sum);
    if (left < share || chosen + 1 == masses.size()) {
      left = share > 0 ? std::clamp(left / share, 1e-12, 1 - 1e-12) : 0.5;
      break;
    }
    left -= share;
  }
  const Piece& piece = pieces[chosen];
  return confined_normal((piece.low - mean) / spread, (piece.high - mean) / spread, left);
}

// The noise in what these pieces, in ascending order, leave.
double outside(std::span<const Piece> allowed, double mean, double spread, double left) {
  std::vector<Piece> gaps;
  double from = kNone;
  for (const Piece& piece : allowed) {
    if (from < piece.low) gaps.push_back({from, piece.low, 1});
    from = piece.high;
  }
  if (from < -kNone) gaps.push_back({from, -kNone, 1});
  if (gaps.empty()) return normal_quantile_of(left);
  std::vector<double> masses;
  for (const Piece& gap : gaps)
    masses.push_back(log_mass((gap.low - mean) / spread, (gap.high - mean) / spread));
  const double sum = log_sum(masses);
  if (std::isinf(sum)) return normal_quantile_of(left);
  return place_in(gaps, masses, sum, mean, spread, left);
}

}  // namespace

double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

double normal_share(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

// Abramowitz and Stegun 26.2.23, then Halley's steps to full precision.
double normal_quantile_of(double share) {
  if (share > 0.5) return -normal_quantile_of(1 - share);
  const double t = std::sqrt(-2 * std::log(share));
  double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int i = 0; i < 2; ++i) {
    const double error = (normal_share(x) - share) / normal_density(x);
    x -= error / (1 + x * error / 2);
  }
  return x;
}

double confined_normal(double a, double b, double share) {
  if (narrow(a, b)) return a + share * (b - a);
  if (a > -b) return -confined_normal(-b, -a, 1 - share);
  if (b > -kFar) {
    const double low = normal_share(a), high = normal_share(b);
    return std::clamp(normal_quantile_of(std::clamp(low + share * (high - low), 1e-300, 1 - 1e-16)), a, b);
  }
  // The tail falls off like exp(b (b - x)) there.
  const double length = std::isinf(a) ? 1 : -std::expm1(b * (b - a));
  return std::clamp(b - std::log1p(-(1 - share) * length) / b, a, b);
}

double log_mass_of(std::span<const Piece> pieces, double mean, double spread) {
  return pieces.empty() ? kNone : log_sum(log_masses(pieces, mean, spread));
}

double confined_to(std::span<const Piece> pieces, double mean, double spread, double share) {
  const std::vector<double> masses = log_masses(pieces, mean, spread);
  return place_in(pieces, masses, log_sum(masses), mean, spread, share);
}

double log_mean_product(std::span<const double> factor, std::span<const ScoreFunction> functions,
                        double least_told) {
  const std::size_t n = functions.size();
  if (n == 0) return 0;
  const std::vector<double> lattice = generators(n);
  const std::size_t points = n == 1 ? 1 : kPoints;
  std::vector<double> noise(n), logs(points), masses, around;
  for (std::size_t point = 0; point < points; ++point) {
    double log_weight = 0;
    for (std::size_t i = 0; i < n && std::isfinite(log_weight); ++i) {
      double mean = 0;
      for (std::size_t j = 0; j < i; ++j) mean += factor[i * n + j] * noise[j];
      const double spread = factor[i * n + i];
      const auto mass = [&](const Piece& piece) {
        return log_mass((piece.low - mean) / spread, (piece.high - mean) / spread) + std::log(piece.density);
      };
      masses.clear();
      for (const Piece& piece : functions[i].pieces) masses.push_back(mass(piece));
      if (masses.empty()) return kNone;
      const double sum = log_sum(masses);
      log_weight += sum;
      if (!functions[i].allowed.empty()) {
        around.clear();
        for (const Piece& piece : functions[i].allowed) around.push_back(mass(piece));
        log_weight -= log_sum(around);
      }
      if (i + 1 == n || !std::isfinite(log_weight)) break;
      const double left = lattice_point(lattice[i], point);
      if (functions[i].allowed.empty()) {
        noise[i] = place_in(functions[i].pieces, masses, sum, mean, spread, left);
        continue;
      }
      // A free draw is left as it is where it was taken; where the rules refused it, what was taken instead
      // tells its score, or nothing.
      const double taken = std::min(std::exp(log_sum(around)), 1.0);
      if (spread * spread >= least_told)
        noise[i] = std::clamp(place_in(functions[i].pieces, masses, sum, mean, spread, left), -kFarthestTold,
                              kFarthestTold);
      else if (left < taken)
        noise[i] = place_in(functions[i].pieces, masses, sum, mean, spread, left / taken);
      else
        noise[i] = outside(functions[i].allowed, mean, spread, (left - taken) / (1 - taken));
    }
    logs[point] = log_weight;
  }
  return log_sum(logs) - std::log(static_cast<double>(points));
}

}  // namespace synthema::detail
