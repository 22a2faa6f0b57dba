#include <doctest/doctest.h>

#include "src/evaluate/survival_times.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/longitudinal/kaplan_meier.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table survival(const std::vector<std::pair<double, int>>& rows) {
  std::vector<Record> records;
  for (const auto& [time, event] : rows) records.push_back({{"time", time}, {"death", event}});
  return Table::from_records(
      {.fields = {{.name = "time", .kind = Kind::real}, {.name = "death", .kind = Kind::integer}}}, records);
}

const KaplanMeier kEvaluator("time", "death");

}  // namespace

TEST_CASE("the curve of Kaplan and Meier by hand") {
  // 1 dies of 5; 2 is censored; 3: two of three die; 4 is censored.
  const Table table = survival({{1, 1}, {2, 0}, {3, 1}, {3, 1}, {4, 0}});
  const auto curve = detail::kaplan_meier(detail::survival_times(table, table, "time", "death"));
  CHECK(curve.at(0.5) == 1);
  CHECK(curve.at(1) == Approx(0.8));
  CHECK(curve.at(2.9) == Approx(0.8));
  CHECK(curve.at(9) == Approx(0.8 / 3));
  CHECK(curve.longest == 4);
}

TEST_CASE("distance, optimism and sight by hand") {
  const Table real = survival({{2, 1}, {4, 1}});       // 1 to 2, 1/2 to 4
  const Table synthetic = survival({{1, 1}, {3, 1}});  // 1 to 1, 1/2 to 3, 0
  const Score score = kEvaluator.evaluate(&real, synthetic, {});
  CHECK(*score.value == Approx(0.25));  // a half from 1 to 2, and from 3 to 4, of 4
  CHECK(*part_of(score, "optimism") == Approx(-0.25));
  CHECK(*part_of(score, "short-sightedness") == Approx(0.25));
  CHECK(part_of(score, "median of real") == 2.0);
  CHECK(kEvaluator.evaluate(&real, real, {}).value == 0.0);
}

TEST_CASE("what cannot be read is said, and promises are kept") {
  const Table real = survival({{2, 1}, {4, 1}, {5, 0}, {6, 1}}), synthetic = survival({{1, 1}, {3, 0}});
  CHECK(nonconformities(kEvaluator, &real, synthetic, {}) == std::vector<std::string>{});
  CHECK(KaplanMeier().evaluate(&real, synthetic, {}).undefined ==
        "No columns of durations and events were named.");
  CHECK_THROWS_AS(KaplanMeier("time", "other").evaluate(&real, synthetic, {}), EvaluationError);
  CHECK_THROWS_AS(kEvaluator.evaluate(&real, survival({{-1, 1}}), {}), EvaluationError);
  const Table three = survival({{1, 0}, {2, 1}, {3, 2}});
  CHECK_THROWS_AS(kEvaluator.evaluate(&three, synthetic, {}), EvaluationError);
}
