#include "src/evaluate/vector_distances.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "synthema/core/parallel.hpp"

namespace synthema::detail {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

Matrix centred(const Matrix& vectors) {
  const Vector mean = vectors.rowwise().mean();
  return vectors.colwise() - mean;
}

Matrix covariance(const Matrix& vectors) {
  const Matrix apart = centred(vectors);
  return apart * apart.transpose() / static_cast<double>(vectors.cols() - 1);
}

Matrix square_root(const Matrix& positive) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solved(positive);
  return solved.eigenvectors() * solved.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
         solved.eigenvectors().transpose();
}

}  // namespace

double frechet_distance(const Matrix& a, const Matrix& b) {
  const Matrix of_a = covariance(a), of_b = covariance(b), root = square_root(of_a);
  // (A B)^(1/2) has the trace of the root of A^(1/2) B A^(1/2), which is symmetric.
  const Eigen::SelfAdjointEigenSolver<Matrix> solved(root * of_b * root, Eigen::EigenvaluesOnly);
  const double shared = solved.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
  const Vector apart = a.rowwise().mean() - b.rowwise().mean();
  return std::max(0.0, apart.squaredNorm() + of_a.trace() + of_b.trace() - 2 * shared);
}

double central_moment_discrepancy(const Matrix& a, const Matrix& b) {
  const Vector apart = a.rowwise().mean() - b.rowwise().mean();
  double sum = apart.norm() / 2;
  const Matrix of_a = centred(a), of_b = centred(b);
  for (int order = 2; order <= 5; ++order) {
    const Vector moment_a = of_a.array().pow(order).rowwise().mean(),
                 moment_b = of_b.array().pow(order).rowwise().mean();
    sum += (moment_a - moment_b).norm() / std::pow(2.0, order);
  }
  return sum;
}

double mean_similarity(const Matrix& vectors) {
  const auto n = static_cast<double>(vectors.cols());
  const double own = vectors.colwise().squaredNorm().sum();
  return (vectors.rowwise().sum().squaredNorm() - own) / (n * (n - 1));
}

namespace {

struct Clustering {
  std::vector<std::size_t> of;
  double cost = std::numeric_limits<double>::infinity();
};

// Arthur and Vassilvitskii 2007.
Matrix first_centres(const Matrix& points, std::size_t clusters, Random& random) {
  Matrix centres(points.rows(), static_cast<Eigen::Index>(clusters));
  std::vector<double> nearest(static_cast<std::size_t>(points.cols()),
                              std::numeric_limits<double>::infinity());
  Eigen::Index chosen = static_cast<Eigen::Index>(random.below(nearest.size()));
  for (Eigen::Index c = 0; c < centres.cols(); ++c) {
    centres.col(c) = points.col(chosen);
    double sum = 0;
    for (Eigen::Index i = 0; i < points.cols(); ++i) {
      double& own = nearest[static_cast<std::size_t>(i)];
      own = std::min(own, (points.col(i) - centres.col(c)).squaredNorm());
      sum += own;
    }
    chosen = static_cast<Eigen::Index>(sum > 0 ? random.weighted(nearest) : random.below(nearest.size()));
  }
  return centres;
}

Clustering lloyd(const Matrix& points, std::size_t clusters, std::size_t steps, Random random,
                 const CancelToken& cancel) {
  Matrix centres = first_centres(points, clusters, random);
  Clustering out;
  out.of.assign(static_cast<std::size_t>(points.cols()), clusters);
  const Vector lengths = points.colwise().squaredNorm();
  for (std::size_t step = 0; step < steps; ++step) {
    cancel.check();
    const Matrix products = centres.transpose() * points;
    const Vector of_centres = centres.colwise().squaredNorm();
    bool moved = false;
    double cost = 0;
    for (Eigen::Index i = 0; i < points.cols(); ++i) {
      Eigen::Index best = 0;
      cost += std::max(0.0, lengths(i) + (of_centres - 2 * products.col(i)).minCoeff(&best));
      std::size_t& own = out.of[static_cast<std::size_t>(i)];
      moved = moved || own != static_cast<std::size_t>(best);
      own = static_cast<std::size_t>(best);
    }
    out.cost = cost;
    if (!moved) break;
    Matrix sums = Matrix::Zero(centres.rows(), centres.cols());
    Vector sizes = Vector::Zero(centres.cols());
    for (Eigen::Index i = 0; i < points.cols(); ++i) {
      const auto own = static_cast<Eigen::Index>(out.of[static_cast<std::size_t>(i)]);
      sums.col(own) += points.col(i);
      ++sizes(own);
    }
    for (Eigen::Index c = 0; c < centres.cols(); ++c)
      if (sizes(c) > 0) centres.col(c) = sums.col(c) / sizes(c);  // an empty cluster stays where it is
  }
  return out;
}

}  // namespace

std::vector<std::size_t> k_means(const Matrix& points, std::size_t clusters, std::size_t starts,
                                 std::size_t steps, Random random, std::size_t threads,
                                 const CancelToken& cancel) {
  std::vector<Clustering> tried(starts);
  parallel_for(
      starts, [&](std::size_t s) { tried[s] = lloyd(points, clusters, steps, random.stream(s), cancel); },
      threads);
  return std::min_element(tried.begin(), tried.end(),
                          [](const Clustering& a, const Clustering& b) { return a.cost < b.cost; })
      ->of;
}

namespace {

constexpr std::size_t kWeights = 25;
constexpr double kScale = 5, kVariance = 0.9;

double divergence(std::span<const double> p, const std::vector<double>& mixture) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) sum += p[i] * std::log(p[i] / mixture[i]);
  return std::max(0.0, sum);
}

double area(std::vector<std::pair<double, double>> points) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;  // the curve falls
  });
  double sum = 0;
  for (std::size_t i = 1; i < points.size(); ++i)
    sum += (points[i].first - points[i - 1].first) * (points[i].second + points[i - 1].second) / 2;
  return sum;
}

}  // namespace

double divergence_area(std::span<const double> p, std::span<const double> q) {
  std::vector<std::pair<double, double>> curve{{0, 1}, {1, 0}}, turned{{0, 1}, {1, 0}};
  std::vector<double> mixture(p.size());
  for (std::size_t w = 0; w < kWeights; ++w) {
    const double weight = 1e-6 + static_cast<double>(w) * (1 - 2e-6) / (kWeights - 1);
    for (std::size_t i = 0; i < p.size(); ++i) mixture[i] = weight * p[i] + (1 - weight) * q[i];
    const double x = std::exp(-kScale * divergence(q, mixture)),
                 y = std::exp(-kScale * divergence(p, mixture));
    curve.emplace_back(x, y);
    turned.emplace_back(y, x);
  }
  return (area(std::move(curve)) + area(std::move(turned))) / 2;
}

double mauve(const Matrix& p, const Matrix& q, Random random, std::size_t threads,
             const CancelToken& cancel) {
  Matrix all(p.rows(), p.cols() + q.cols());
  all << p, q;
  const Matrix apart = centred(all);
  const Eigen::SelfAdjointEigenSolver<Matrix> solved(apart * apart.transpose());
  const Vector variance = solved.eigenvalues().cwiseMax(0).reverse();
  Eigen::Index kept = 0;
  for (double sum = 0; kept < variance.size() && sum < kVariance * variance.sum(); ++kept)
    sum += variance(kept);
  kept = std::max<Eigen::Index>(1, kept);
  const Matrix points = solved.eigenvectors().rightCols(kept).transpose() * apart;
  const auto fewer = static_cast<double>(std::min(p.cols(), q.cols()));
  const auto clusters = static_cast<std::size_t>(std::clamp(std::round(fewer / 10), 2.0, 500.0));
  const std::vector<std::size_t> of = k_means(points, clusters, 5, 500, random, threads, cancel);
  std::vector<double> of_p(clusters), of_q(clusters);
  for (std::size_t i = 0; i < of.size(); ++i) {
    const bool first = static_cast<Eigen::Index>(i) < p.cols();
    (first ? of_p : of_q)[of[i]] += 1 / static_cast<double>(first ? p.cols() : q.cols());
  }
  return divergence_area(of_p, of_q);
}

}  // namespace synthema::detail
