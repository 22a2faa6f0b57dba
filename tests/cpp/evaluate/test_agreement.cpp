#include <doctest/doctest.h>

#include <cmath>

#include "dependent_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/utility/agreement.hpp"
#include "synthema/evaluate/utility/group_gaps.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

EvaluationContext target(const char* name, std::size_t holdout = 500) {
  EvaluationContext context;
  context.target_column = name;
  context.holdout = std::make_shared<const Table>(dependent_rows(holdout, 99));
  return context;
}

// A learner that predicts class 1 with the value of a column, times a sign.
Learner by_column(std::string name, double sign) {
  return {name + (sign > 0 ? "+" : "-"), [name, sign](const LearningTask&) -> Predictor {
            return [name, sign](const Table& table) {
              Predictions out{.width = 2, .values = {}};
              for (std::size_t row = 0; row < table.rows(); ++row) {
                const double p = 0.5 + sign * 0.1 * table.column(name).number_at(row);
                out.values.push_back(1 - p);
                out.values.push_back(p);
              }
              return out;
            };
          }};
}

}  // namespace

TEST_CASE("learners that do not look at their rows are ranked alike") {
  const Table real = dependent_rows(300, 1);
  const ModelRanking ranking({by_column("x", 1), by_column("x", -1), by_column("w", 1)});
  const Score score = ranking.evaluate(&real, dependent_rows(300, 2), target("y"));
  CHECK(*score.value == Approx(1));
  CHECK(*part_of(score, "x+") + *part_of(score, "x-") == Approx(1));
  CHECK_THROWS_AS(ModelRanking({by_column("x", 1)}), ConfigError);
  const ModelRanking equal({by_column("x", 1), by_column("x", 1)});
  CHECK_FALSE(equal.evaluate(&real, real, target("y")).value);
}

TEST_CASE("importance: fresh rows agree, columns shuffled apart less") {
  const Table real = dependent_rows(700, 1);
  const ImportanceAgreement evaluator;
  const Score fresh = evaluator.evaluate(&real, dependent_rows(700, 2), target("w"));
  CHECK(*fresh.value > 0.5);
  CHECK(*part_of(fresh, "x") > 0.8);  // w is 2 x and noise
  CHECK(*evaluator.evaluate(&real, real, target("w")).value == Approx(1));
}

TEST_CASE("coefficients: one number by hand") {
  // y on x: both slopes and their errors by the closed form of simple regression.
  const auto table = [](std::initializer_list<std::pair<double, double>> rows) {
    std::vector<Record> records;
    for (const auto& [x, y] : rows) records.push_back({{"x", x}, {"y", y}});
    return Table::from_records(
        {.fields = {{.name = "x", .kind = Kind::real}, {.name = "y", .kind = Kind::real}}}, records);
  };
  const Table real = table({{0, 0}, {1, 2}, {2, 3}, {3, 7}, {4, 7}, {5, 11}}),
              synthetic = table({{0, 1}, {1, 1}, {2, 5}, {3, 4}, {4, 9}, {5, 9}});
  const auto slope = [](const Table& t) {
    double mx = 0, my = 0, xx = 0, xy = 0, rest = 0;
    const auto n = static_cast<double>(t.rows());
    for (std::size_t i = 0; i < t.rows(); ++i)
      mx += t.column("x").number_at(i) / n, my += t.column("y").number_at(i) / n;
    for (std::size_t i = 0; i < t.rows(); ++i) {
      const double x = t.column("x").number_at(i) - mx, y = t.column("y").number_at(i) - my;
      xx += x * x, xy += x * y;
    }
    for (std::size_t i = 0; i < t.rows(); ++i) {
      const double e = t.column("y").number_at(i) - my - xy / xx * (t.column("x").number_at(i) - mx);
      rest += e * e;
    }
    return std::pair(xy / xx, 1.959963984540054 * std::sqrt(rest / (n - 2) / xx));
  };
  const auto [r, er] = slope(real);
  const auto [s, es] = slope(synthetic);
  const double shared = std::min(r + er, s + es) - std::max(r - er, s - es);
  REQUIRE(shared > 0);
  EvaluationContext context;
  context.target_column = "y";
  context.holdout = std::make_shared<const Table>(real);
  const Score score = CoefficientOverlap().evaluate(&real, synthetic, context);
  CHECK(*score.value == Approx((shared / (2 * er) + shared / (2 * es)) / 2).epsilon(1e-5));
  CHECK(score.ceiling->value == Approx(1));
}

TEST_CASE("coefficients: fresh rows overlap, shuffled ones do not; references are left out") {
  const Table real = dependent_rows(800, 1);
  const Score fresh = CoefficientOverlap().evaluate(&real, dependent_rows(800, 2), target("y"));
  CHECK(*fresh.value > 0.6);
  CHECK(fresh.parts.size() == 6);  // x, z, z missing, two of three colours, w
  // x and w nearly repeat each other, so that their intervals are wide and overlap in any case.
  const Score loose = CoefficientOverlap().evaluate(
      &real, detail::independent_marginals(dependent_rows(800, 2), 3), target("y"));
  CHECK(*loose.value < *fresh.value - 0.1);
}

TEST_CASE("gaps between groups by hand") {
  // Everybody of group a has x = 1, of b x = -1: the learner predicts a positive, b not.
  std::vector<Record> records;
  for (int i = 0; i < 80; ++i)
    records.push_back(
        {{"x", i % 2 == 0 ? 1.0 : -1.0}, {"y", i % 4 < 2 ? "yes" : "no"}, {"group", i % 2 == 0 ? "a" : "b"}});
  const Table real =
      Table::from_records({.fields = {{.name = "x", .kind = Kind::real},
                                      {.name = "y", .kind = Kind::category},
                                      {.name = "group", .kind = Kind::category, .roles = {Role::sensitive}}}},
                          records);
  EvaluationContext context;
  context.target_column = "y";
  context.holdout = std::make_shared<const Table>(real);
  const Score parity = GroupGaps(false, by_column("x", 1)).evaluate(&real, real, context);
  CHECK(parity.value == 1.0);
  CHECK(part_of(parity, "group = a") == 1.0);
  CHECK(GroupGaps(true, by_column("x", 1)).evaluate(&real, real, context).value == 1.0);
  CHECK(parity.ceiling->value == 1.0);
  CHECK_THROWS_AS(GroupGaps(false, by_column("x", 1), "none").evaluate(&real, real, context),
                  EvaluationError);
  CHECK(GroupGaps(false, by_column("x", 1), "group").evaluate(&real, real, context).value == 1.0);
}

TEST_CASE("coefficients of labels of few people are not named") {
  const auto rows = [](std::uint64_t seed, const char* rare) {
    Random random(seed);
    std::vector<Record> records;
    for (std::size_t i = 0; i < 60; ++i) {
      const double y = random.uniform();
      records.push_back({{"ward", i < 4 ? rare : i % 2 == 0 ? "east" : "west"}, {"y", y}});
    }
    return Table::from_records(
        {.fields = {{.name = "ward", .kind = Kind::category}, {.name = "y", .kind = Kind::real}}}, records);
  };
  const Table real = rows(1, "of four"), synthetic = rows(2, "of four");
  EvaluationContext context = target("y");
  context.holdout = std::make_shared<const Table>(rows(3, "of four"));
  const Score score = CoefficientOverlap().evaluate(&real, synthetic, context);
  REQUIRE(score.value);
  CHECK(score.n == 2);  // it counts
  REQUIRE(score.parts.size() == 1);
  CHECK(score.parts.front().name.find("four") == std::string::npos);
}

TEST_CASE("promises of agreement are kept") {
  const Table real = dependent_rows(80, 1), synthetic = dependent_rows(60, 2);
  const EvaluationContext context = target("y", 70);
  const ModelRanking ranking({linear_model({.l2 = 1}), linear_model({.l2 = 1000}), by_column("x", 1)});
  CHECK(nonconformities(ranking, &real, synthetic, context) == std::vector<std::string>{});
  CHECK(nonconformities(ImportanceAgreement(), &real, synthetic, context) == std::vector<std::string>{});
  CHECK(nonconformities(CoefficientOverlap(), &real, synthetic, context) == std::vector<std::string>{});
  for (const bool odds : {false, true})
    CHECK(nonconformities(GroupGaps(odds, linear_model(), "colour"), &real, synthetic, context) ==
          std::vector<std::string>{});
  CHECK_FALSE(CoefficientOverlap().evaluate(&real, synthetic, target("colour", 70)).value);
}
