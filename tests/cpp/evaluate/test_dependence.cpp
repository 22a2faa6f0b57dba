#include <doctest/doctest.h>

#include <cmath>

#include "check_table.hpp"
#include "dependent_rows.hpp"
#include "src/evaluate/association.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/dependence.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum DependenceMeasure;

TEST_CASE("check values of syntheval") {
  const Table real = check_real(), synthetic = check_synthetic();
  const auto value = [&](DependenceMeasure m) {
    return *Dependence(m, Convention::syntheval).evaluate(&real, synthetic, {}).value;
  };
  CHECK(value(matrix_difference) == Approx(0.5878831290).epsilon(1e-9));
  CHECK(value(information_difference) == Approx(0.4316262711).epsilon(1e-9));
}

TEST_CASE("check value of SDMetrics: Spearman") {
  const Table real = check_real(), synthetic = check_synthetic();
  CHECK(*Dependence(spearman).evaluate(&real, synthetic, {}).value ==
        Approx(0.9793185789251215).epsilon(1e-12));
}

TEST_CASE("strengths worked by hand") {
  using namespace detail;
  const std::vector<std::uint32_t> a{0, 0, 1, 1}, same{1, 1, 0, 0}, loose{0, 1, 0, 1};
  CHECK(*Contingency(a, same, 2, 2).cramers_v_squared() == Approx(1));
  CHECK(*Contingency(a, loose, 2, 2).cramers_v_squared() == Approx(0));
  CHECK(*Contingency(a, same, 2, 2).normalised_information() == Approx(1));
  CHECK(*Contingency(a, loose, 2, 2).normalised_information() == Approx(0));
  // Yates: each of four cells is 1 from its expectation 1; chi-square 4 -> 4 (1/2)^2 = 1; over n = 4.
  CHECK(*Contingency(a, same, 2, 2).cramers_v_squared(true) == Approx(0.25));
  CHECK_FALSE(Contingency(a, std::vector<std::uint32_t>(4), 2, 1).cramers_v_squared());
  const std::vector<double> y{1, 3, 5, 7};  // between 16, total 20
  CHECK(*correlation_ratio_squared(a, 2, y) == Approx(0.8));
  CHECK_FALSE(correlation_ratio_squared(std::vector<std::uint32_t>(4), 1, y));
  CHECK_FALSE(correlation_ratio_squared(a, 2, std::vector<double>(4, 1.0)));
}

TEST_CASE("identity scores best, columns shuffled apart near the floor") {
  const Table real = dependent_rows(600, 1);
  for (const auto measure : {spearman, cramers_v, correlation_ratio, mutual_information, matrix_difference,
                             information_difference}) {
    const Dependence evaluator(measure);
    CAPTURE(evaluator.name());
    const bool lower = evaluator.direction() == Direction::lower;
    CHECK(*evaluator.evaluate(&real, real, {}).value == Approx(lower ? 0 : 1));
    EvaluationContext context;
    context.holdout = std::make_shared<const Table>(dependent_rows(600, 3));
    const Score fresh = evaluator.evaluate(&real, dependent_rows(600, 2), context);
    REQUIRE(fresh.floor);
    REQUIRE(fresh.ceiling);
    CHECK((lower ? *fresh.value < fresh.floor->value / 2 : *fresh.value > (1 + fresh.floor->value) / 2));
    CHECK(std::abs(*fresh.value - fresh.ceiling->value) < 0.1 * (lower ? fresh.floor->value : 1));
  }
}

TEST_CASE("promises of dependence are kept, also on columns without spread") {
  const Table real = dependent_rows(60, 1), synthetic = dependent_rows(50, 2);
  for (const auto measure : {spearman, cramers_v, correlation_ratio, mutual_information, matrix_difference,
                             information_difference})
    CHECK(nonconformities(Dependence(measure), &real, synthetic, {}) == std::vector<std::string>{});
  const Table constant = column_table(Kind::real, {1.0, 1.0, 1.0});
  CHECK_FALSE(Dependence(spearman).evaluate(&constant, constant, {}).undefined.empty());
  CHECK_THROWS_AS(Dependence(spearman, Convention::syntheval), ConfigError);
  CHECK_THROWS_AS(Dependence(matrix_difference, Convention::sdmetrics), ConfigError);
}
