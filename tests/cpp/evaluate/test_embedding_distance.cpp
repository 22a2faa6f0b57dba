#include <doctest/doctest.h>

#include <cmath>

#include "src/evaluate/vector_distances.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/embedding_distance.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum EmbeddingMeasure;

namespace {

Eigen::MatrixXd cloud(Eigen::Index n, double shift, double scale, std::uint64_t seed) {
  Eigen::MatrixXd out(3, n);
  Random random(seed);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index k = 0; k < 3; ++k) out(k, i) = shift + scale * (random.uniform() - 0.5);
  return out;
}

EvaluationContext letters() {
  EvaluationContext context;
  context.embedder = [](std::span<const std::string> texts) {
    std::vector<std::vector<float>> out;
    for (const std::string& text : texts) {
      out.push_back({1, 0, 0});
      for (const char c : text) ++out.back()[static_cast<std::size_t>(c) % 3];
    }
    return out;
  };
  return context;
}

}  // namespace

TEST_CASE("Frechet distance in closed form") {
  // Two diagonal covariances of clouds that are scaled copies: (1 - 2)^2 of the trace; and the shift.
  const Eigen::MatrixXd a = cloud(500, 0, 1, 1);
  const Eigen::MatrixXd centred = a.colwise() - a.rowwise().mean();
  const double trace = centred.squaredNorm() / 499;
  CHECK(detail::frechet_distance(a, a) == Approx(0).epsilon(1e-9));
  CHECK(detail::frechet_distance(a, a.array() + 2) == Approx(12));
  CHECK(detail::frechet_distance(centred, 2 * centred) == Approx(trace));
}

TEST_CASE("moments and similarity by hand") {
  Eigen::MatrixXd a(1, 2), b(1, 2);
  a << 0.5, -0.5;
  b << 1, -1;
  // Means agree; second 1/4 and 1, fourth 1/16 and 1, odd ones 0.
  CHECK(detail::central_moment_discrepancy(a, b) == Approx(0.75 / 4 + (15.0 / 16) / 16));
  Eigen::MatrixXd c(2, 3);
  c << 1, 0, 1, 0, 1, 0;
  CHECK(detail::mean_similarity(c) == Approx(1.0 / 3));
}

TEST_CASE("MAUVE: equal histograms 1, apart 0, in between ordered") {
  const std::vector<double> half{0.5, 0.5, 0}, other{0, 0.5, 0.5}, far{0, 0, 1};
  CHECK(detail::divergence_area(half, half) == Approx(1));
  // Disjoint: the curve falls along the axes, but for the 25 weights at their middle.
  CHECK(detail::divergence_area(half, far) < 0.01);
  const double between = detail::divergence_area(half, other);
  CHECK(between > 0.05);
  CHECK(between < 0.6);
  const Eigen::MatrixXd p = cloud(300, 0, 1, 1);
  CHECK(detail::mauve(p, cloud(300, 0, 1, 2), Random(1), 2) > 0.9);
  CHECK(detail::mauve(p, cloud(300, 3, 1, 2), Random(1), 2) < 0.05);
}

TEST_CASE("k-means finds clusters that lie apart") {
  Eigen::MatrixXd points(3, 90);
  points << cloud(30, 0, 0.1, 1), cloud(30, 5, 0.1, 2), cloud(30, -5, 0.1, 3);
  CancelToken cancelled;
  cancelled.cancel();
  CHECK_THROWS_AS(detail::k_means(points, 3, 5, 100, Random(1), 2, cancelled), Cancelled);
  const auto of = detail::k_means(points, 3, 5, 100, Random(1), 1);
  for (std::size_t i = 0; i < 90; ++i) CHECK(of[i] == of[i / 30 * 30]);
  CHECK(of[0] != of[30]);
  CHECK(of[30] != of[60]);
}

TEST_CASE("promises of embedding distances are kept") {
  const Table real = text_table({"abc", "cab a", "bb", "acca"}),
              synthetic = text_table({"abb", "ccc", "a", "bca"});
  for (const auto measure : {frechet, central_moments, similarity, mauve}) {
    CHECK(nonconformities(EmbeddingDistance(measure), &real, synthetic, letters()) ==
          std::vector<std::string>{});
    CHECK(EmbeddingDistance(measure).evaluate(&real, synthetic, {}).undefined == "No embedder was given.");
  }
}
