#include "src/generate/tabular/score_correlation.hpp"

#include <cmath>
#include <numeric>

#include "src/generate/tabular/normal_box.hpp"
#include "synthema/core/normal.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kTerms = 50;
constexpr double kLeastEigenvalue = 1e-6;

// He_{k-1}(x) phi(x) over the root of k!: the integral of the k-th normalised polynomial from x on.
void integrals_above(double share, std::vector<double>& out) {
  out.assign(kTerms, 0.0);
  if (!(share > 0) || !(share < 1)) return;
  const double x = normal_quantile(share), density = normal_density(x);
  double previous = 0, current = 1;
  for (std::size_t k = 1; k <= kTerms; ++k) {
    const auto n = static_cast<double>(k);
    out[k - 1] = current * density / std::sqrt(n);
    const double next = (x * current - std::sqrt(n - 1) * previous) / std::sqrt(n);
    previous = current;
    current = next;
  }
}

}  // namespace

std::vector<double> hermite_coefficients(std::span<const double> values, std::span<const double> cumulative) {
  std::vector<double> out(kTerms), above, next;
  double mean = 0, square = 0, below = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean += (cumulative[i] - below) * values[i];
    below = cumulative[i];
  }
  below = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    square += (cumulative[i] - below) * (values[i] - mean) * (values[i] - mean);
    below = cumulative[i];
  }
  if (!(square > 1e-20 * (1 + mean * mean))) return out;
  integrals_above(0, above);
  for (std::size_t i = 0; i < values.size(); ++i) {
    integrals_above(cumulative[i], next);
    for (std::size_t k = 0; k < kTerms; ++k) out[k] += (values[i] - mean) * (above[k] - next[k]);
    std::swap(above, next);
  }
  for (double& one : out) one /= std::sqrt(square);
  return out;
}

double column_correlation(std::span<const double> a, std::span<const double> b, double of_scores) {
  double out = 0;
  for (std::size_t k = a.size(); k-- > 0;) out = (out + a[k] * b[k]) * of_scores;
  return out;
}

double score_correlation(std::span<const double> a, std::span<const double> b, double of_columns) {
  if (a[0] * b[0] == 0) return 0;
  double low = -kMostCorrelated, high = kMostCorrelated;
  for (int i = 0; i < 40; ++i) {
    const double middle = std::midpoint(low, high);
    (column_correlation(a, b, middle) < of_columns ? low : high) = middle;
  }
  return std::midpoint(low, high);
}

Matrix nearest_correlation(const Matrix& raw) {
  Matrix out = raw;
  if (Eigen::LLT<Matrix>(raw).info() != Eigen::Success) {
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(raw);
    const Eigen::VectorXd values = solver.eigenvalues().cwiseMax(kLeastEigenvalue);
    out = solver.eigenvectors() * values.asDiagonal() * solver.eigenvectors().transpose();
  }
  const Eigen::VectorXd scale = out.diagonal().cwiseSqrt().cwiseInverse();
  return scale.asDiagonal() * out * scale.asDiagonal();
}

}  // namespace synthema::detail
