#include "src/generate/tabular/normal_box.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "synthema/core/normal.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kPoints = 128;
constexpr double kFar = 5;                 // from here on the tail's expansion is used
constexpr double kNarrow = 1e-3;           // intervals over which the density is as good as constant
constexpr double kLeastOpen = 1e-9;        // a variance
constexpr double kFewPoints = 40;          // of all: fewer that count say too little
constexpr std::size_t kMostOrdered = 128;  // variables: the time grows with the cube
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
  if (gaps.empty()) return normal_quantile(left);
  std::vector<double> masses;
  for (const Piece& gap : gaps)
    masses.push_back(log_mass((gap.low - mean) / spread, (gap.high - mean) / spread));
  const double sum = log_sum(masses);
  if (std::isinf(sum)) return normal_quantile(left);
  return place_in(gaps, masses, sum, mean, spread, left);
}

// Variables that nearly say what another one is: columns that are missing together, one of many labels. Where
// the last of them are confined too, nearly all places of the first are impossible, and evenly spread points
// miss the others. So the first is drawn where the others would find their pieces.
class LookAhead {
 public:
  LookAhead(std::span<const double> factor, std::span<const ScoreFunction> functions)
      : factor_(factor), functions_(functions), told_(functions.size()) {
    const std::size_t n = functions.size();
    for (std::size_t j = 1; j < n; ++j) {
      double open = 0;  // variance of j that the variables up to i leave
      for (std::size_t i = j; i-- > 0;) {
        open += at(j, i + 1) * at(j, i + 1);
        if (open >= kOpen) break;
        if (at(j, i) * at(j, i) >= open && functions[i].allowed.empty())
          told_[i].push_back({j, std::sqrt(open)});
      }
    }
  }

  bool sees(std::size_t i) const { return !told_[i].empty(); }

  // Draws the noise of variable i, and corrects the weight by how much likelier it was drawn here.
  double draw(std::size_t i, std::span<const double> noise, double mean, double spread, double left,
              double& log_weight) const {
    const std::vector<double> means = means_of_told(i, noise);
    const std::vector<Piece> strata = strata_of(i, means, mean, spread);
    const std::vector<double> masses = log_masses(strata, mean, spread);
    const double sum = log_sum(masses);
    std::vector<double> promising = masses;
    for (std::size_t s = 0; s < strata.size(); ++s)
      if (std::isfinite(masses[s])) promising[s] += log_hope(i, means, middle_of(strata[s], mean, spread));
    const double hope = log_sum(promising);
    if (std::isinf(hope)) return place_in(strata, masses, sum, mean, spread, left);
    for (std::size_t s = 0;; ++s) {
      const double plain = std::exp(masses[s] - sum);
      const double share = (1 - kPlain) * std::exp(promising[s] - hope) + kPlain * plain;
      if (left >= share && s + 1 < strata.size()) {
        left -= share;
        continue;
      }
      log_weight += std::log(plain) - std::log(share);
      const double within = share > 0 ? std::clamp(left / share, 1e-12, 1 - 1e-12) : 0.5;
      return confined_normal((strata[s].low - mean) / spread, (strata[s].high - mean) / spread, within);
    }
  }

 private:
  static constexpr double kOpen = 0.02;  // variance below which a variable is nearly told
  static constexpr double kPlain = 0.1;  // of the draws are as if nothing were ahead
  struct Told {
    std::size_t variable;
    double deviation;  // that is left of it
  };

  double at(std::size_t row, std::size_t column) const { return factor_[row * functions_.size() + column]; }
  // The means of those that variable i nearly tells, before it is known.
  std::vector<double> means_of_told(std::size_t i, std::span<const double> noise) const {
    std::vector<double> out;
    for (const Told& told : told_[i])
      out.push_back(std::inner_product(
          noise.begin(), noise.begin() + static_cast<std::ptrdiff_t>(i),
          factor_.begin() + static_cast<std::ptrdiff_t>(told.variable * functions_.size()), 0.0));
    return out;
  }

  // The pieces of variable i, cut where the pieces of those ahead begin and end.
  std::vector<Piece> strata_of(std::size_t i, std::span<const double> means, double mean,
                               double spread) const {
    std::vector<double> cuts;
    for (std::size_t t = 0; t < means.size(); ++t) {
      const Told& told = told_[i][t];
      const double by = at(told.variable, i), ahead = means[t];
      for (const Piece& piece : functions_[told.variable].pieces)
        for (const double end : {piece.low, piece.high})
          for (const double away : {-3.0, -1.0, 1.0, 3.0})
            if (std::isfinite(end))
              cuts.push_back(mean + spread * (end - ahead + away * told.deviation) / by);
    }
    std::ranges::sort(cuts);
    std::vector<Piece> out;
    for (Piece piece : functions_[i].pieces) {
      for (const double cut : cuts)
        if (piece.low < cut && cut < piece.high) {
          out.push_back({piece.low, cut, piece.density});
          piece.low = cut;
        }
      out.push_back(piece);
    }
    return out;
  }

  // The noise in the middle of a stratum.
  static double middle_of(const Piece& piece, double mean, double spread) {
    return confined_normal((piece.low - mean) / spread, (piece.high - mean) / spread, 0.5);
  }

  // How likely they find their pieces where the noise of variable i is this.
  double log_hope(std::size_t i, std::span<const double> means, double own) const {
    double out = 0;
    for (std::size_t t = 0; t < means.size(); ++t) {
      const Told& told = told_[i][t];
      const double mean = means[t] + at(told.variable, i) * own;
      double most = kNone;  // of several pieces: which of them it is, is no matter here
      for (const Piece& piece : functions_[told.variable].pieces)
        most = std::max(most,
                        log_mass((piece.low - mean) / told.deviation, (piece.high - mean) / told.deviation));
      out += most;
    }
    return out;
  }

  std::span<const double> factor_;
  std::span<const ScoreFunction> functions_;
  std::vector<std::vector<Told>> told_;  // by variable, what it nearly tells
};

// The variables in an order in which few points do: always the one next whose pieces are the least likely,
// given the middle of what was chosen before (Gibson, Glasbey and Elston 1994; Genz and Bretz 2009,
// section 4.1.3).
struct Ordered {
  std::vector<double> factor;
  std::vector<ScoreFunction> functions;
};

Ordered least_likely_first(std::span<const double> factor, std::span<const ScoreFunction> functions) {
  const std::size_t n = functions.size();
  std::vector<double> rows(n * n), open(n, 1.0), means(n);  // of the new factor, by old number
  std::vector<std::size_t> order, left(n);
  std::iota(left.begin(), left.end(), std::size_t{0});
  const auto covariance = [&](std::size_t a, std::size_t b) {
    double out = 0;
    for (std::size_t k = 0; k <= std::min(a, b); ++k) out += factor[a * n + k] * factor[b * n + k];
    return out;
  };
  for (std::size_t j = 0; j < n; ++j) open[j] = covariance(j, j);
  for (std::size_t step = 0; step < n; ++step) {
    double least = std::numeric_limits<double>::infinity();
    auto chosen = left.begin();
    for (auto one = left.begin(); one != left.end(); ++one) {
      double mass = kNone;
      for (const Piece& piece : functions[*one].pieces) {
        const double spread = std::sqrt(std::max(open[*one], kLeastOpen));
        mass =
            std::max(mass, log_mass((piece.low - means[*one]) / spread, (piece.high - means[*one]) / spread));
      }
      if (mass < least) least = mass, chosen = one;
    }
    const std::size_t i = *chosen;
    left.erase(chosen);
    order.push_back(i);
    const double spread = std::sqrt(std::max(open[i], kLeastOpen));
    const double noise = confined_to(functions[i].pieces, means[i], spread, 0.5);
    rows[i * n + step] = spread;
    for (const std::size_t j : left) {
      double common = covariance(i, j);
      for (std::size_t k = 0; k < step; ++k) common -= rows[i * n + k] * rows[j * n + k];
      const double by = common / spread;
      rows[j * n + step] = by;
      open[j] -= by * by;
      means[j] += by * noise;
    }
  }
  Ordered out{std::vector<double>(n * n), {}};
  for (std::size_t step = 0; step < n; ++step) {
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(order[step] * n), step + 1,
                out.factor.begin() + static_cast<std::ptrdiff_t>(step * n));
    out.functions.push_back(functions[order[step]]);
  }
  return out;
}

// Of each point the logarithm of its weight. `ahead`: null where the points are spread evenly.
std::vector<double> log_weights(std::span<const double> factor, std::span<const ScoreFunction> functions,
                                double least_told, const LookAhead* ahead) {
  const std::size_t n = functions.size();
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
      const double sum = log_sum(masses);
      log_weight += sum;
      if (!functions[i].allowed.empty()) {
        around.clear();
        for (const Piece& piece : functions[i].allowed) around.push_back(mass(piece));
        log_weight -= log_sum(around);
      }
      if (i + 1 == n || !std::isfinite(log_weight)) break;
      const double left = lattice_point(lattice[i], point);
      if (ahead && ahead->sees(i)) {
        noise[i] = ahead->draw(i, noise, mean, spread, left, log_weight);
        continue;
      }
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
  return logs;
}

// How many points of equal weight would tell as much (Kish's effective sample size).
double points_that_count(std::span<const double> logs) {
  const double sum = log_sum(logs);
  if (std::isinf(sum)) return 0;
  double squares = 0;
  for (const double one : logs) squares += std::exp(2 * (one - sum));
  return 1 / squares;
}

}  // namespace

double confined_normal(double a, double b, double share) {
  if (narrow(a, b)) return a + share * (b - a);
  if (a > -b) return -confined_normal(-b, -a, 1 - share);
  if (b > -kFar) {
    const double low = normal_share(a), high = normal_share(b);
    return std::clamp(normal_quantile(std::clamp(low + share * (high - low), 1e-300, 1 - 1e-16)), a, b);
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
  if (std::ranges::any_of(functions, [](const ScoreFunction& one) { return one.pieces.empty(); }))
    return kNone;
  std::vector<double> logs = log_weights(factor, functions, least_told, nullptr);
  if (n > 1 && n <= kMostOrdered && points_that_count(logs) < kFewPoints) {
    // What is left beside those before it has its place in the order of drawing.
    const bool free =
        std::ranges::all_of(functions, [](const ScoreFunction& one) { return one.allowed.empty(); });
    const Ordered ordered =
        free ? least_likely_first(factor, functions)
             : Ordered{{factor.begin(), factor.end()}, {functions.begin(), functions.end()}};
    const LookAhead ahead(ordered.factor, ordered.functions);
    logs = log_weights(ordered.factor, ordered.functions, least_told, &ahead);
  }
  return log_sum(logs) - std::log(static_cast<double>(logs.size()));
}

}  // namespace synthema::detail
