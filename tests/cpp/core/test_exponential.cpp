#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "synthema/core/exponential.hpp"

using synthema::detail::exponential;

TEST_CASE("e^x to about 2e-7, over the whole range of use") {
  double worst = 0;
  for (double x = -86.5; x < 87.5; x += 0.00173) {
    const auto single = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(single));
    worst = std::max(worst, std::abs(exponential(single) - exact) / exact);
  }
  CHECK(worst < 2.5e-7);
  CHECK(worst > 0);  // else nothing was compared
  CHECK(exponential(0.0f) == 1.0f);
}

TEST_CASE("outside of the range it is clamped: finite, never zero; NaN stays NaN") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(exponential(-infinity) == exponential(-87.0f));
  CHECK(exponential(-infinity) > 0.0f);
  CHECK(exponential(infinity) == exponential(88.0f));
  CHECK(std::isfinite(exponential(infinity)));
  CHECK(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
}
