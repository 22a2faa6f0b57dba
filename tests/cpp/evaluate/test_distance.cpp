#include <doctest/doctest.h>

#include "synthema/evaluate/distance.hpp"

using namespace synthema;
using doctest::Approx;

TEST_CASE("Kolmogorov-Smirnov is the largest gap of the cumulative distributions") {
  CHECK(ks_distance({4, 1, 3, 2}, {1, 2, 3, 4}) == 0);
  CHECK(ks_distance({1, 2}, {3, 4}) == 1);
  CHECK(ks_distance({1, 3}, {2, 4}) == 0.5);
  CHECK(ks_distance({1, 1, 2}, {1, 2, 2}) == Approx(1.0 / 3));  // ties are stepped over together
  CHECK(ks_distance({0}, {0, 1}) == 0.5);                       // samples of different size
}

TEST_CASE("Wasserstein-1 is the area between the cumulative distributions") {
  CHECK(wasserstein_distance({0, 1}, {0, 3}) == 1);  // half of the mass moves by 2
  CHECK(wasserstein_distance({0}, {0, 1}) == 0.5);
  CHECK(wasserstein_distance({5, 5}, {2}) == 3);
  CHECK(wasserstein_distance({2}, {5, 5}) == 3);
  CHECK(wasserstein_distance({1, 2, 3}, {3, 2, 1}) == 0);
}
