#include <doctest/doctest.h>

#include <cmath>

#include "src/evaluate/survival_times.hpp"
#include "synthema/core/random.hpp"
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

TEST_CASE("without a holdout the ceiling is what as many fresh rows reach, whatever the sizes") {
  const auto drawn = [](std::size_t rows, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::pair<double, int>> out;
    for (std::size_t i = 0; i < rows; ++i) {
      const double death = -std::log(1 - random.uniform()), end = 4 * random.uniform();
      out.emplace_back(std::min(death, end), death <= end ? 1 : 0);
    }
    return survival(out);
  };
  for (const auto& [n, m] : {std::pair{200, 200}, {200, 1000}, {1000, 200}}) {
    double value = 0, ceiling = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const Table real = drawn(static_cast<std::size_t>(n), seed);
      const Score score = kEvaluator.evaluate(&real, drawn(static_cast<std::size_t>(m), 1000 + seed), {});
      value += *score.value;
      ceiling += score.ceiling->value;
    }
    CAPTURE(n);
    CAPTURE(m);
    CHECK(ceiling / value > 0.75);
    CHECK(ceiling / value < 1.25);
  }
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

namespace {

// What counts as the event of two rows with these cells.
std::string event_of(Kind kind, const Value& first, const Value& second) {
  const Table table =
      Table::from_records({.fields = {{.name = "time", .kind = Kind::real}, {.name = "end", .kind = kind}}},
                          std::vector<Record>{{{"time", 1}, {"end", first}}, {{"time", 2}, {"end", second}}});
  return detail::survival_times(table, table, "time", "end").happened;
}

}  // namespace

namespace {

Table ended(Kind kind, const std::vector<Value>& ends) {
  std::vector<Record> records;
  for (const Value& end : ends) records.push_back({{"time", 1}, {"end", end}});
  return Table::from_records(
      {.fields = {{.name = "time", .kind = Kind::real}, {.name = "end", .kind = kind}}}, records);
}

// The events of a table where the real rows have these.
std::vector<char> events_of(const Table& table, const Table& real) {
  return detail::survival_times(table, real, "time", "end").event;
}

}  // namespace

TEST_CASE("one event written in two ways is one, and what the real rows do not have is refused") {
  const Table counted = ended(Kind::integer, {0, 1}), told = ended(Kind::boolean, {false, true}),
              small = ended(Kind::category, {"alive", "dead"}), large = ended(Kind::text, {"Alive", "Dead"});
  const std::vector<char> second{0, 1};
  CHECK(events_of(told, counted) == second);
  CHECK(events_of(counted, told) == second);
  CHECK(events_of(ended(Kind::real, {0.0, 1.0}), told) == second);
  CHECK(events_of(large, small) == second);
  CHECK(events_of(small, large) == second);
  CHECK(events_of(counted, ended(Kind::integer, {1, 1})) == second);  // no real row is censored
  CHECK(events_of(counted, ended(Kind::integer, {0, 0})) == second);
  CHECK(events_of(large, ended(Kind::text, {"dead"})) == second);
  for (const auto& [table, real] : {std::pair(ended(Kind::integer, {1, 2}), counted),
                                    {ended(Kind::integer, {0, 2}), told},
                                    {ended(Kind::text, {"yes", "no"}), small},
                                    {ended(Kind::integer, {1, 2}), ended(Kind::integer, {1})},
                                    {ended(Kind::text, {"dead", "deceased"}), ended(Kind::text, {"dead"})},
                                    {counted, small}})
    CHECK_THROWS_WITH_AS(events_of(table, real), doctest::Contains("in the same way"), EvaluationError);
}

TEST_CASE("the event is true, the larger number, or the label that says so, whatever the alphabet") {
  CHECK(event_of(Kind::boolean, false, true) == "true");
  CHECK(event_of(Kind::integer, 2, 1) == "2");
  CHECK(event_of(Kind::integer, 9, 10) == "10");
  CHECK(event_of(Kind::real, -1.0, 0.0) == "0");
  CHECK(event_of(Kind::category, "alive", "dead") == "dead");
  CHECK(event_of(Kind::category, "survived", "Died") == "Died");
  CHECK(event_of(Kind::text, "yes", "no") == "yes");
  CHECK(event_of(Kind::category, "dead", "dead") == "dead");
  CHECK_THROWS_WITH_AS(event_of(Kind::category, "lost", "relapsed"), doctest::Contains("cannot be told"),
                       EvaluationError);
  CHECK_THROWS_AS(event_of(Kind::category, "dead", "deceased"), EvaluationError);
  CHECK_THROWS_AS(event_of(Kind::category, "alive", "alive"), EvaluationError);
  const Table censored = survival({{1, 0}, {2, 0}});  // nobody has the event
  CHECK(detail::survival_times(censored, censored, "time", "death").event == std::vector<char>{0, 0});
  CHECK(kEvaluator.evaluate(&censored, censored, {}).definition.ends_with("; the event is 1"));
}
