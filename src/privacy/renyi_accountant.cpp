#include "synthema/privacy/renyi_accountant.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "synthema/core/error.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema {

namespace {

using detail::kInfinity;

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == -kInfinity ? a : a + std::log1p(std::exp(b - a));
}

// ln(exp(x) - 1) for x > 0.
double log_expm1(double x) {
  return x > 40 ? x : std::log(std::expm1(x));
}

// ln(exp(x) + 1), and the other direction without overflow.
double log1p_exp(double x) {
  return x > 40 ? x : std::log1p(std::exp(x));
}

double laplace_divergence(double noise, double order) {
  const double a = order;
  return log_add(std::log(a / (2 * a - 1)) + (a - 1) / noise, std::log((a - 1) / (2 * a - 1)) - a / noise) /
         (a - 1);
}

// A loss that stays within a range of epsilon has epsilon^2 / 8 of concentrated privacy (Cesar and Rogers,
// "Bounding, concentrating, and truncating", ALT 2021), and no divergence is above epsilon.
double exponential_divergence(double epsilon, double order) {
  return std::min(epsilon, order * epsilon * epsilon / 8);
}

// The sampled Gaussian, Mironov et al. 2019: with mu0 = N(0, s^2), mu1 = N(1, s^2) and
// u(z) = q (mu1 / mu0 - 1), the divergence is ln(A) / (a - 1), A = E over mu0 of (1 + u)^a. Both forms below
// give ln(A - 1) as a sum of positive terms, so that a tiny q loses no digits.

// Section 3.3, integer a: A - 1 = sum over k >= 2 of C(a, k) q^k (1 - q)^(a - k) (exp((k^2 - k) / 2 s^2) -
// 1).
double log_excess_integer(double noise, double q, int a) {
  double total = -kInfinity;
  double choose = 0;  // ln C(a, k)
  for (int k = 1; k <= a; ++k) {
    choose += std::log(static_cast<double>(a - k + 1) / k);
    if (k == 1) continue;
    const double kk = k;
    const double rest = a == k ? 0 : (a - kk) * std::log1p(-q);
    total =
        log_add(total, choose + kk * std::log(q) + rest + log_expm1((kk * kk - kk) / (2 * noise * noise)));
  }
  return total;
}

// ln((1 + u)^a - 1 - a u) for u > -1, a > 1, where u = q (exp(x) - 1): the integrand of A - 1, because u has
// mean zero. Positive by Bernoulli's inequality.
double log_bernoulli_gap(double x, double q, double a) {
  const double u = q * std::expm1(std::min(x, 700.0));
  if (std::abs(u) * a < 1e-2) {
    double series = 1;  // C(a, 2) u^2 (1 + (a - 2) u / 3 (1 + (a - 3) u / 4 (...)))
    for (int k = 9; k >= 3; --k) series = 1 + series * (a - k + 1) * u / k;
    return u == 0 ? -kInfinity : std::log(a * (a - 1) / 2) + 2 * std::log(std::abs(u)) + std::log(series);
  }
  const double power = x > 700 ? a * (std::log(q) + x) : a * std::log1p(u);  // ln (1 + u)^a
  if (power > 40) return power;
  return std::log(std::expm1(power) - a * u);
}

// The trapezoid rule converges exponentially for integrands that are analytic in a strip: here one of half
// width pi s^2, where 1 + u has its zeros (Trefethen and Weideman, SIAM Review 2014, theorem 5.1).
double log_excess_integral(double noise, double q, double a) {
  const double s2 = noise * noise;
  const double step = std::min(noise / 8, s2 / 4);
  // Beyond these ends the integrand is below exp(-45) of what A is at least: max(1, q^a exp((a^2 - a) / 2
  // s^2)).
  const double spread = std::sqrt(2 * (45 + std::min((a * a - a) / (2 * s2), -a * std::log(q))));
  const double first = std::floor(-spread * noise / step), last = std::ceil((a + spread * noise) / step);
  double largest = -kInfinity, sum = 0;  // a running log-sum-exp
  for (double i = first; i <= last; ++i) {
    const double z = i * step;
    const double term = log_bernoulli_gap((2 * z - 1) / (2 * s2), q, a) - z * z / (2 * s2);
    if (term > largest) sum = sum * std::exp(largest - term), largest = term;
    if (term > -kInfinity) sum += std::exp(term - largest);
  }
  return largest + std::log(sum) + std::log(step / (noise * std::sqrt(2 * M_PI)));
}

// ln A at this order.
double log_moment(double noise, double q, double a) {
  const double whole = std::floor(a);
  if (a == whole) return a == 1 ? 0 : log1p_exp(log_excess_integer(noise, q, static_cast<int>(a)));
  if (noise >= 0.05) return log1p_exp(log_excess_integral(noise, q, a));
  // So little noise would need very many points. ln A is convex in the order: the chord is an upper bound.
  const double part = a - whole;
  return (1 - part) * log_moment(noise, q, whole) + part * log_moment(noise, q, whole + 1);
}

double gaussian_divergence(const GaussianMechanism& gaussian, double order) {
  const double noise = gaussian.noise_multiplier, q = gaussian.sampling_rate;
  return q == 1 ? order / (2 * noise * noise) : log_moment(noise, q, order) / (order - 1);
}

}  // namespace

double renyi_divergence(const Mechanism& mechanism, double order) {
  check_mechanism(mechanism);
  if (!(order > 1 && order <= 1e6))
    throw ConfigError({.field = "order"},
                      message("A Renyi order must be above 1 and at most 1e6, but one is ", order, "."));
  if (const auto* gaussian = std::get_if<GaussianMechanism>(&mechanism))
    return gaussian_divergence(*gaussian, order);
  if (const auto* laplace = std::get_if<LaplaceMechanism>(&mechanism))
    return laplace_divergence(laplace->noise_multiplier, order);
  return exponential_divergence(std::get<ExponentialMechanism>(mechanism).epsilon, order);
}

std::vector<double> RenyiAccountant::default_orders() {
  std::vector<double> orders;
  for (int tenth = 1; tenth < 100; ++tenth) orders.push_back(1 + tenth / 10.0);
  for (int order = 11; order < 64; ++order) orders.push_back(order);
  for (const double order : {128, 256, 512, 1024}) orders.push_back(order);
  return orders;
}

RenyiAccountant::RenyiAccountant(std::vector<double> orders)
    : orders_(std::move(orders)), divergences_(orders_.size(), 0.0) {
  if (orders_.empty())
    throw ConfigError({.field = "orders"}, "The accountant needs at least one Renyi order.");
  for (const double order : orders_) renyi_divergence(LaplaceMechanism{1}, order);  // refuses a wrong order
}

RenyiAccountant& RenyiAccountant::add(const Mechanism& mechanism, std::uint64_t times) {
  for (std::size_t i = 0; i < orders_.size(); ++i)
    divergences_[i] += static_cast<double>(times) * renyi_divergence(mechanism, orders_[i]);
  return *this;
}

RenyiAccountant::Epsilon RenyiAccountant::epsilon(double delta) const {
  check_delta(delta);
  Epsilon best{kInfinity, orders_.front()};
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    const double a = orders_[i], divergence = divergences_[i];
    double epsilon = divergence + std::log1p(-1 / a) - (std::log(delta) + std::log(a)) / (a - 1);
    // Total variation is at most sqrt(1 - exp(-KL)) (Bretagnolle and Huber), and KL is at most the
    // divergence.
    if (delta * delta > -std::expm1(-divergence)) epsilon = 0;
    if (epsilon < best.epsilon) best = {epsilon, a};
  }
  best.epsilon = std::max(0.0, best.epsilon);
  return best;
}

double RenyiAccountant::delta(double epsilon) const {
  check_epsilon(epsilon);
  double best = 1;
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    const double a = orders_[i], divergence = divergences_[i];
    best = std::min({best, std::exp((a - 1) * (divergence - epsilon + std::log1p(-1 / a)) - std::log(a)),
                     std::sqrt(-std::expm1(-divergence))});
  }
  return best;
}

}  // namespace synthema
