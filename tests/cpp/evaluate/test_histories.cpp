#include <doctest/doctest.h>

#include <cmath>

#include "histories.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/longitudinal/code_probabilities.hpp"
#include "synthema/evaluate/longitudinal/histories.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum HistoryMeasure;

namespace {

constexpr HistoryMeasure kAll[] = {visits, gaps, spans, codes, differences, autocorrelation, between};

Score score(HistoryMeasure measure, const Table& real, const Table& synthetic) {
  return HistoryFidelity(measure).evaluate(&real, synthetic, {});
}

}  // namespace

TEST_CASE("visits, gaps, spans and codes by hand") {
  // p has visits on days 0, 2 (two rows) and 5, q on day 1.
  const Table real =
      history_table({{"p", 0, {"a"}}, {"p", 2, {"a"}}, {"p", 2, {"b"}}, {"p", 5, {"c"}}, {"q", 1, {}}});
  const Table synthetic = history_table({{"r", 0, {"a"}}, {"r", 2, {"a", "b"}}, {"s", 7, {"a"}}});
  CHECK(score(visits, real, synthetic).value == 0.5);  // {3, 1} against {2, 1}
  CHECK(part_of(score(visits, real, synthetic), "mean of real") == 2.0);
  CHECK(score(gaps, real, synthetic).value == 0.5);             // {2, 3} against {2}
  CHECK(score(spans, real, synthetic).value == 0.5);            // {5, 0} against {2, 0}
  CHECK(*score(codes, real, synthetic).value == Approx(0.75));  // {1, 2, 1, 0} against {1, 2, 1}
}

TEST_CASE("gaps and spans of times are shown in days, of numbers as they are") {
  const auto on = [](const std::vector<const char*>& days) {
    std::vector<Record> records;
    for (const char* day : days) records.push_back({{"subject", "p"}, {"day", day}});
    return Table::from_records({.fields = {{.name = "subject", .roles = {Role::subject}},
                                           {.name = "day", .kind = Kind::time, .roles = {Role::time}}}},
                               records);
  };
  const Table real = on({"2024-01-01", "2024-01-03", "2024-01-07"});
  CHECK(part_of(score(gaps, real, real), "mean of real") == 3.0);
  CHECK(part_of(score(spans, real, real), "mean of synthetic") == 6.0);
  CHECK(score(spans, real, real).parts[0].note == "days");
  CHECK(part_of(score(visits, real, real), "mean of real") == 3.0);
  CHECK(score(visits, real, real).parts[0].note.empty());
}

TEST_CASE("instants are not held against numbers, though visits are counted") {
  const auto table = [](Kind kind, const std::vector<Value>& visits) {
    std::vector<Record> records;
    for (const Value& visit : visits) records.push_back({{"subject", "a"}, {"when", visit}});
    return Table::from_records({.fields = {{.name = "subject", .roles = {Role::subject}},
                                           {.name = "when", .kind = kind, .roles = {Role::time}}}},
                               records);
  };
  const Table instants = table(Kind::time, {"2024-01-01", "2024-01-04", "2024-01-06"}),
              days = table(Kind::real, {0.0, 3.0, 5.0});
  for (const auto measure : {gaps, spans}) {
    CHECK(score(measure, instants, days).undefined.starts_with("Visits have instants in one"));
    CHECK(score(measure, days, instants).undefined.starts_with("Visits have instants in one"));
    EvaluationContext context;
    context.holdout = std::make_shared<const Table>(days);
    CHECK_FALSE(HistoryFidelity(measure).evaluate(&instants, instants, context).ceiling);
  }
  CHECK(score(visits, instants, days).value == 1.0);
}

TEST_CASE("codes may be numbers") {
  const auto table = [](Kind kind, const std::vector<int>& of_visits) {
    std::vector<Record> records;
    double day = 0;
    for (const int code : of_visits)
      records.push_back({{"subject", "a"},
                         {"day", ++day},
                         {"code", kind == Kind::integer ? Value(code) : Value(std::to_string(code))}});
    return Table::from_records({.fields = {{.name = "subject", .roles = {Role::subject}},
                                           {.name = "day", .kind = Kind::real, .roles = {Role::time}},
                                           {.name = "code", .kind = kind, .roles = {Role::label}}}},
                               records);
  };
  const Table numbers = table(Kind::integer, {4019, 4019, 250}), same = table(Kind::text, {4019, 250, 4019});
  CHECK(score(codes, numbers, same).value == 1.0);
  CHECK(CodeProbabilities(CodesOf::visit).evaluate(&numbers, same, {}).value == 1.0);
  CHECK_FALSE(score(differences, numbers, numbers).value);  // a code is no measurement
  const std::vector<std::string> without{"subject", "day"};
  CHECK(score(codes, numbers.select(without), numbers).undefined ==
        "No column has a code system, a list of codes or the role label.");
}

TEST_CASE("series by hand") {
  // Two subjects: 1 3 and 5 7 9. Within: (1, -1) ... consecutive deviations (-1, 1), (-2, 0), (0, 2).
  const Table real =
      history_table({{"p", 0, {}, 1}, {"p", 1, {}, 3}, {"q", 0, {}, 5}, {"q", 1, {}, 7}, {"q", 2, {}, 9}});
  const Table flat =
      history_table({{"p", 0, {}, 1}, {"p", 1, {}, 1}, {"q", 0, {}, 5}, {"q", 1, {}, 5}, {"q", 2, {}, 5}});
  CHECK(score(differences, real, flat).value == 0.0);  // {2, 2} against {0, 0}
  // The real deviations before (-1, -2, 0) and after (1, 0, 2) have the correlation 1, those of nothing 0.
  CHECK(score(autocorrelation, real, flat).value == Approx(0.5));
  CHECK_FALSE(score(autocorrelation, flat, real).value);
  // ICC(1): between 30 over 1, within 10 over 3, n0 = 5 - 13/5; the flat one's is 1.
  const double msw = 10.0 / 3, n0 = 5 - 13.0 / 5;
  CHECK(*score(between, real, flat).value == Approx((30 - msw) / (30 + (n0 - 1) * msw)));
}

TEST_CASE("rows of one visit count as their mean, whatever their order, days and subjects' names") {
  std::vector<VisitRow> rows, means, renamed;
  Random random(6);
  for (std::size_t s = 0; s < 12; ++s)
    for (int day = 0; day < 4; ++day) {
      const double a = random.uniform(), b = random.uniform(), c = random.uniform();
      const std::string name = "s" + std::to_string(s), other = "other" + std::to_string(17 * s);
      for (const double value : {a, b, c}) rows.push_back({name, 2.0 * day, {}, value});
      for (const double value : {c, a, b}) renamed.push_back({other, 2.0 * day + 1, {}, value});
      means.push_back({name, 2.0 * day, {}, (a + b + c) / 3});
    }
  const Table fresh = histories(40, 1);
  for (const auto measure : {differences, autocorrelation}) {
    CHECK(*score(measure, fresh, history_table(rows)).value ==
          Approx(*score(measure, fresh, history_table(means)).value));
    CHECK(score(measure, fresh, history_table(rows)).value ==
          score(measure, fresh, history_table(renamed)).value);
  }
}

TEST_CASE("identity is 1, fresh histories near it, columns shuffled apart at the floor") {
  const Table real = histories(300, 1);
  for (const auto measure : kAll) {
    const Score same = score(measure, real, real), fresh = score(measure, real, histories(300, 2));
    CAPTURE(same.name);
    CHECK(*same.value == Approx(1));
    CHECK(*fresh.value > 0.85);
    REQUIRE(fresh.floor);
    if (measure == autocorrelation || measure == between) CHECK(fresh.floor->value < *fresh.value);
  }
  CHECK(score(between, real, histories(300, 2)).floor->value < 0.5);
}

TEST_CASE(
    "histories that the synthetic table lost are as bad as can be; a holdout without any is no ceiling") {
  const Table real = histories(20, 1), single = history_table({{"p", 1, {"c0"}, 2}, {"q", 2, {"c1"}, 3}});
  for (const auto measure : {gaps, differences, autocorrelation, between}) {
    CHECK(score(measure, real, single).value == 0.0);
    EvaluationContext context;
    context.holdout = std::make_shared<Table>(single);
    CHECK_FALSE(HistoryFidelity(measure).evaluate(&real, real, context).ceiling);
    CHECK(score(measure, single, real).undefined ==
          (measure == gaps ? "The real table has nothing of this kind: no column, gap or visit."
                           : "No column has a subject with two values, and spread, in both tables."));
  }
  CHECK(score(gaps, real, single).parts.at(1).note == "the synthetic table has none");
}

TEST_CASE("values that never differ depend on nothing, and are not left out") {
  const Table real = histories(40, 1);
  std::vector<VisitRow> rows;
  for (int s = 0; s < 20; ++s)
    for (int visit = 0; visit < 3; ++visit)
      rows.push_back({.subject = std::string(1, static_cast<char>('a' + s)),
                      .day = 7.0 * visit,
                      .codes = {},
                      .value = 0.1});
  const Table flat = history_table(rows);
  for (const auto measure : {HistoryMeasure::autocorrelation, HistoryMeasure::between}) {
    const Score same = HistoryFidelity(measure).evaluate(&real, real, {});
    const Score score = HistoryFidelity(measure).evaluate(&real, flat, {});
    CAPTURE(score.name);
    REQUIRE(score.value);
    CHECK(*score.value < *same.value);
    CHECK(score.parts.at(0).value == score.value);
    CHECK_FALSE(HistoryFidelity(measure).evaluate(&flat, real, {}).value);
  }
}

TEST_CASE("rows without a subject or a time are left out, and what lacks the column says so") {
  const Table real = histories(20, 1);
  std::vector<VisitRow> rows{
      {"p", 0, {"c0"}, 1}, {"p", 1, {"c0"}, 2}, {"q", 0, {"c1"}, 4}, {"q", 3, {"c1"}, 1}};
  std::vector<Record> records;
  for (const VisitRow& row : rows)
    records.push_back({{"subject", row.subject},
                       {"day", row.day == 3 ? Value() : Value(row.day)},
                       {"codes", ValueList(row.codes.begin(), row.codes.end())},
                       {"value", row.value}});
  const Table partly = Table::from_records(real.schema(), records);
  const std::vector<std::string> left_out{"Left out: 1 of 4 synthetic rows without a subject or a time."};
  for (const auto measure : kAll) CHECK(score(measure, real, partly).warnings == left_out);
  const Table nameless = real.select(std::vector<std::string>{"day", "codes", "value"});
  const Table timeless = real.select(std::vector<std::string>{"subject", "codes", "value"});
  CHECK(score(visits, real, nameless).undefined ==
        "The synthetic rows have no subject column 'subject', which the real ones have.");
  CHECK(score(visits, real, timeless).undefined ==
        "The synthetic rows have no column 'day' of numbers or times with the role time, which the real ones "
        "have.");
}

TEST_CASE("promises of histories are kept") {
  const Table real = histories(20, 1), synthetic = histories(15, 2);
  for (const auto measure : kAll)
    CHECK(nonconformities(HistoryFidelity(measure), &real, synthetic, {}) == std::vector<std::string>{});
  const Table bare = column_table(Kind::real, {1.0});
  CHECK_FALSE(score(visits, bare, bare).undefined.empty());
}
