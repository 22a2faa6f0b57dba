#include <doctest/doctest.h>

#include <cmath>

#include "learn/tables.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/learn/cox_model.hpp"

using namespace synthema;
using doctest::Approx;
using testing::plain;

namespace {

const std::vector<double> kTimes{5, 3, 9, 1, 7, 12, 2.5, 6, 10, 4};
const std::vector<char> kEvents{1, 1, 0, 1, 1, 0, 1, 0, 1, 1};
const DesignMatrix kDesign =
    plain({{.5, 1}, {1.2, 0}, {-.7, 1}, {1.9, 1}, {.1, 0}, {-1.4, 0}, {.8, 1}, {.3, 0}, {-.2, 1}, {-.1, 0}});

}  // namespace

TEST_CASE("coefficients, survival and concordance of lifelines") {
  const CoxModel model(kDesign, kTimes, kEvents, {.l2 = 0});
  REQUIRE(model.converged());
  CHECK(model.coefficients()[0] == Approx(3.2506032695).epsilon(1e-4));
  CHECK(model.coefficients()[1] == Approx(0.2924039909).epsilon(1e-5));
  const std::vector<double> risks = model.risks(kDesign);
  CHECK(model.survival(risks[0], 3) == Approx(0.8149703990).epsilon(1e-5));
  CHECK(model.survival(risks[0], 6) == Approx(0.2631181937).epsilon(1e-5));
  CHECK(model.survival(risks[0], 9) == Approx(0.0124668226).epsilon(1e-4));
  CHECK(model.survival(risks[0], 0.5) == 1);
  CHECK(concordance(risks, kTimes, kEvents)->value == Approx(0.8974358974358975));
  const std::vector<double> r{.5, .1, .3, .3, .2, -.4}, t{1, 2, 2, 3, 3, 4};
  const std::vector<char> e{1, 1, 0, 1, 1, 0};
  CHECK(concordance(r, t, e)->value == Approx(0.7272727272727273));
}

TEST_CASE("the influence of rows adds up to nothing, and its squares to the variance") {
  double spread = 0, expected = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random(static_cast<std::uint64_t>(trial));
    std::vector<double> risks, times;
    std::vector<char> events;
    for (int i = 0; i < 60; ++i) {
      risks.push_back(random.uniform());
      times.push_back(-std::log(1 - random.uniform()) / (0.2 + risks.back()));
      events.push_back(random.uniform() < 0.7 ? 1 : 0);
    }
    const auto found = concordance(risks, times, events, 1);
    double sum = 0, squares = 0;
    for (const double one : found->influence) sum += one, squares += one * one;
    CHECK(std::abs(sum) < 1e-9);
    expected += squares / kTrials;
    spread += (found->value - 0.58) * (found->value - 0.58) / kTrials;
  }
  CHECK(spread == Approx(expected).epsilon(0.35));
}

TEST_CASE("what cannot be fitted is refused, and a penalty draws to zero") {
  CHECK(std::abs(CoxModel(kDesign, kTimes, kEvents, {.l2 = 1e6}).coefficients()[0]) < 1e-3);
  const std::vector<char> none(10, 0);
  CHECK_THROWS_AS(CoxModel(kDesign, kTimes, none), EvaluationError);
  CHECK_THROWS_AS(CoxModel(kDesign, kTimes, kEvents, {.l2 = -1}), ConfigError);
  CHECK_FALSE(concordance(std::vector<double>(10), kTimes, none));
  CancelToken cancelled;
  cancelled.cancel();
  CHECK_THROWS_AS(concordance(std::vector<double>(10), kTimes, none, 1, cancelled), Cancelled);
  // Separated: the penalty keeps the coefficient finite.
  const CoxModel apart(plain({{3}, {2}, {1}}), std::vector<double>{1, 2, 3}, std::vector<char>{1, 1, 1},
                       {.l2 = 0.1});
  CHECK(std::isfinite(apart.coefficients()[0]));
}
