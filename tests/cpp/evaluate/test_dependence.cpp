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
  // The mean of seven tenths is no tenth.
  const std::vector<double> tenths(7, 0.1), rising{1, 2, 3, 4, 5, 6, 7};
  CHECK_FALSE(pearson(tenths, rising));
  CHECK_FALSE(pearson(rising, tenths));
  CHECK_FALSE(correlation_ratio_squared(std::vector<std::uint32_t>{0, 1, 0, 1, 0, 1, 1}, 2, tenths));
  const std::vector<double> y{1, 3, 5, 7};  // between 16, total 20
  CHECK(*correlation_ratio_squared(a, 2, y) == Approx(0.8));
  CHECK_FALSE(correlation_ratio_squared(std::vector<std::uint32_t>(4), 1, y));
  CHECK_FALSE(correlation_ratio_squared(a, 2, std::vector<double>(4, 1.0)));
}

TEST_CASE("a column that lost all its values counts as the worst, not as no difference") {
  const auto table = [](Kind a, Kind b, bool wiped) {
    std::vector<Record> records;
    for (int i = 0; i < 8; ++i) {
      const auto value = [&](Kind kind) {
        return kind == Kind::real ? Value(static_cast<double>(i / 4)) : Value(i < 4 ? "u" : "v");
      };
      records.push_back({{"a", value(a)}, {"b", wiped ? Value() : value(b)}});
    }
    return Table::from_records({.fields = {{.name = "a", .kind = a}, {.name = "b", .kind = b}}}, records);
  };
  constexpr Kind number = Kind::real, label = Kind::category;
  const auto wiped = [&](DependenceMeasure measure, Kind a, Kind b,
                         Convention convention = Convention::synthema) {
    const Table real = table(a, b, false);
    return Dependence(measure, convention).evaluate(&real, table(a, b, true), {});
  };
  CHECK(wiped(spearman, number, number).value == 0);
  CHECK(wiped(cramers_v, label, label).value == 0);
  CHECK(wiped(correlation_ratio, number, label).value == 0);
  CHECK(wiped(mutual_information, label, label).value == Approx(0));  // missing is a cell
  CHECK(wiped(matrix_difference, number, number).value == Approx(std::sqrt(8)));
  CHECK(wiped(matrix_difference, label, number).value == Approx(std::sqrt(2)));
  CHECK(wiped(spearman, number, number).parts.at(0).note.starts_with("no synthetic values"));
  CHECK_FALSE(wiped(matrix_difference, number, number, Convention::syntheval).value);
}

TEST_CASE("a synthetic column that is constant depends on nothing, and is not left out") {
  const auto table = [](Kind a, Kind b, bool constant) {
    std::vector<Record> records;
    for (int i = 0; i < 8; ++i) {
      const auto value = [&](Kind kind, int of) {
        return kind == Kind::real ? Value(static_cast<double>(of / 4)) : Value(of < 4 ? "u" : "v");
      };
      records.push_back({{"a", value(a, i)}, {"b", value(b, constant ? 0 : i)}});
    }
    return Table::from_records({.fields = {{.name = "a", .kind = a}, {.name = "b", .kind = b}}}, records);
  };
  constexpr Kind number = Kind::real, label = Kind::category;
  const auto collapsed = [&](DependenceMeasure measure, Kind a, Kind b,
                             Convention convention = Convention::synthema) {
    const Table real = table(a, b, false);
    return Dependence(measure, convention).evaluate(&real, table(a, b, true), {});
  };
  CHECK(collapsed(spearman, number, number).value == Approx(0.5));  // real ones have 1
  CHECK(collapsed(cramers_v, label, label).value == Approx(0));
  CHECK(collapsed(correlation_ratio, number, label).value == Approx(0));
  CHECK(collapsed(mutual_information, label, label).value == Approx(0));
  const Score norm = collapsed(matrix_difference, number, number);
  CHECK(norm.value == Approx(std::sqrt(2)));
  CHECK(norm.warnings.empty());
  CHECK(norm.parts.at(0).note == detail::kNoDependence);
  CHECK_FALSE(collapsed(matrix_difference, number, number, Convention::syntheval).value);
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
