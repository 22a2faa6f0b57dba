#include <doctest/doctest.h>

#include <cmath>

#include "check_table.hpp"
#include "dependent_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/mean_discrepancy.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

TEST_CASE("check values of syntheval") {
  const Table real = check_real(), synthetic = check_synthetic();
  const Score unbiased = MeanDiscrepancy(false, Convention::syntheval).evaluate(&real, synthetic, {});
  CHECK(*unbiased.value == Approx(-.0469174801).epsilon(1e-6));
  // Its gamma is 1 / (2 median).
  CHECK(1 / (2 * *part_of(unbiased, "median squared distance")) == Approx(.0716637896).epsilon(1e-6));
  CHECK(*MeanDiscrepancy(true, Convention::syntheval).evaluate(&real, synthetic, {}).value ==
        Approx(.0253965499).epsilon(1e-6));
}

TEST_CASE("check value of synthcity, which has the biased estimate only") {
  const std::vector<std::string> three{"x", "y", "c"};
  const Table r = check_real().select(three), s = check_synthetic().select(three);
  const MeanDiscrepancy evaluator(true, Convention::synthcity);
  CHECK(evaluator.evaluate(&r, s, {}).value == doctest::Approx(.1859911961));
  CHECK(nonconformities(evaluator, &r, s, {}).empty());
  CHECK_THROWS_AS(MeanDiscrepancy(false, Convention::synthcity), ConfigError);
}

TEST_CASE("two values by hand") {
  // Standardised by 1: points -1, 1 against -1, 1; squared distances 0 and 4, their median 4 (of six: 0 0 4 4
  // 4 4).
  const Table real = column_table(Kind::real, {0.0, 2.0}), shifted = column_table(Kind::real, {2.0, 4.0});
  const double k = std::exp(-0.5);
  CHECK(*MeanDiscrepancy(false).evaluate(&real, real, {}).value == Approx(2 * k - (1 + k)));
  CHECK(*MeanDiscrepancy(true).evaluate(&real, real, {}).value == Approx(0).epsilon(1e-12));
  // -1, 1 against 1, 3: 4 | 4 | 4 16 0 4, median 4.
  const double far = std::exp(-2.0);
  CHECK(*MeanDiscrepancy(true).evaluate(&real, shifted, {}).value ==
        Approx((1 + k) / 2 * 2 - 2 * (k + far + 1 + k) / 4));
}

TEST_CASE("fresh rows are near 0, and only what differs has a small p-value") {
  const Table real = dependent_rows(300, 1);
  const Score fresh = MeanDiscrepancy().evaluate(&real, dependent_rows(300, 2), {});
  CHECK(std::abs(*fresh.value) < 0.01);
  CHECK(*part_of(fresh, "permutation p-value") > 0.02);
  const Score shifted = MeanDiscrepancy().evaluate(&real, dependent_rows(300, 2, 0.5), {});
  CHECK(*shifted.value > 0.05);
  CHECK(*part_of(shifted, "permutation p-value") == Approx(1.0 / 200));
  CHECK(*fresh.value < fresh.floor->value);
}

TEST_CASE("a number that is constant in the real rows counts as a label") {
  const auto discrepancy = [](double constant, double other) {
    std::vector<Record> real, synthetic;
    for (int i = 0; i < 40; ++i) {
      const double y = i % 7;
      real.push_back({{"x", constant}, {"y", y}});
      synthetic.push_back({{"x", i % 2 == 0 ? constant : constant + other}, {"y", y}});
    }
    const Schema schema{.fields = {{.name = "x", .kind = Kind::real}, {.name = "y", .kind = Kind::real}}};
    const Table r = Table::from_records(schema, real);
    return *MeanDiscrepancy(true).evaluate(&r, Table::from_records(schema, synthetic), {}).value;
  };
  CHECK(discrepancy(1, 0) == Approx(0));
  CHECK(discrepancy(1, 5) > 0.01);
  CHECK(discrepancy(1, 5) == Approx(discrepancy(1, 500)));
  CHECK(discrepancy(0.1, 5) == Approx(discrepancy(1, 5)));  // the mean of forty tenths is rounded
}

TEST_CASE("a cap is printed, and promises are kept") {
  const Table real = dependent_rows(60, 1), synthetic = dependent_rows(50, 2);
  for (const bool biased : {false, true}) {
    CHECK(nonconformities(MeanDiscrepancy(biased), &real, synthetic, {}) == std::vector<std::string>{});
    CHECK(nonconformities(MeanDiscrepancy(biased, Convention::synthema, 20), &real, synthetic, {}) ==
          std::vector<std::string>{});
  }
  const Score capped = MeanDiscrepancy(false, Convention::synthema, 20).evaluate(&real, synthetic, {});
  CHECK(capped.n == 40);
  CHECK(capped.warnings.size() == 1);
  const Table constant = column_table(Kind::real, {1.0, 1.0, 1.0});
  CHECK(MeanDiscrepancy().evaluate(&constant, constant, {}).undefined ==
        "All rows of both tables are equal.");
}
