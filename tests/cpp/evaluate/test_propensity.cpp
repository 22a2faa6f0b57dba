#include <doctest/doctest.h>

#include "dependent_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/propensity.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

TEST_CASE("one category: the saturated model gives each label's own share") {
  // Label a: 3 real, 1 synthetic; label b: 1 and 3. p is 1/4 and 3/4, c = 1/2, so pMSE = 1/16.
  const Table real = column_table(Kind::category, {"a", "a", "a", "b"});
  const Table synthetic = column_table(Kind::category, {"a", "b", "b", "b"});
  const Score mse = Propensity(Propensity::Measure::mse).evaluate(&real, synthetic, {});
  CHECK(*mse.value == Approx(1.0 / 16).epsilon(1e-6));
  CHECK(part_of(mse, "coefficients") == 2.0);
  // (2 - 1) (1/2)^2 (1/2) / 8
  CHECK(*part_of(mse, "null expectation") == Approx(1.0 / 64));
  CHECK(*Propensity().evaluate(&real, synthetic, {}).value == Approx(4).epsilon(1e-6));
}

TEST_CASE("the ratio is 1 on average where both tables come from one distribution") {
  double sum = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const Table real = dependent_rows(300, 2 * i);
    const Score score = Propensity().evaluate(&real, dependent_rows(200, 2 * i + 1), {});
    CHECK(part_of(score, "coefficients") == 8.0);  // 1, x, z, z missing, two of colour, one of y, w
    sum += *score.value / 40;
  }
  // One ratio has a standard deviation of sqrt(2 / 7), the mean of 40 of 0.085.
  CHECK(sum == Approx(1).epsilon(0.25));
}

TEST_CASE("a shift is seen, dependence is not, and rows told apart for certain are said to be") {
  const Table real = dependent_rows(400, 1);
  CHECK(*Propensity().evaluate(&real, dependent_rows(400, 2, 0.3), {}).value > 5);
  const Table loose = detail::independent_marginals(dependent_rows(400, 2), 3);
  CHECK(*Propensity().evaluate(&real, loose, {}).value < 3);
  const Score apart = Propensity(Propensity::Measure::mse).evaluate(&real, dependent_rows(400, 2, 9), {});
  CHECK(*apart.value == Approx(0.25).epsilon(0.02));
}

TEST_CASE("promises are kept") {
  const Table real = dependent_rows(100, 1), synthetic = dependent_rows(90, 2);
  for (const auto m : {Propensity::Measure::mse, Propensity::Measure::ratio})
    CHECK(nonconformities(Propensity(m), &real, synthetic, {}) == std::vector<std::string>{});
  const Table constant = column_table(Kind::real, {1.0, 1.0, 1.0});
  CHECK(Propensity().evaluate(&constant, constant, {}).undefined == "No shared column varies.");
}
