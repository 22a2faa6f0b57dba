// Columns that are linearly dependent, under groups, rules and conditions: the columns that have nothing to
// do with them stay as they are.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "synthema/core/random.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

using namespace synthema;

namespace {

// Days in hospital (days = ward + icu), a stage in three columns; age and bmi depend on nothing.
Table stays(Schema rules, std::size_t rows = 1500) {
  Schema schema;
  schema.fields = {{.name = "ward", .kind = Kind::integer}, {.name = "icu", .kind = Kind::integer},
                   {.name = "days", .kind = Kind::integer}, {.name = "early", .kind = Kind::boolean},
                   {.name = "late", .kind = Kind::boolean}, {.name = "final", .kind = Kind::boolean},
                   {.name = "age", .kind = Kind::integer},  {.name = "bmi", .kind = Kind::real}};
  schema.groups = std::move(rules.groups);
  schema.rules = std::move(rules.rules);
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(3).stream(row);
    const auto count = [&](int most) {
      std::int64_t out = 0;
      for (int i = 0; i < most; ++i) out += random.uniform() < 0.25;
      return out;
    };
    const std::int64_t ward = count(16), icu = random.uniform() < 0.8 ? 0 : count(12);
    const double stage = random.uniform(), age = 20 + 70 * random.uniform();
    double bmi = 0;
    for (int i = 0; i < 12; ++i) bmi += random.uniform();
    records.push_back({{"ward", ward},
                       {"icu", icu},
                       {"days", ward + icu},
                       {"early", stage < 0.5},
                       {"late", stage >= 0.5 && stage < 0.8},
                       {"final", stage >= 0.8},
                       {"age", static_cast<std::int64_t>(age)},
                       {"bmi", std::nearbyint((25 + 4 * (bmi - 6)) * 10) / 10}});
  }
  return Table::from_records(std::move(schema), records);
}

std::vector<double> numbers(const Table& table, const char* name) {
  std::vector<double> out;
  for (std::size_t row = 0; row < table.rows(); ++row) out.push_back(table.column(name).number_at(row));
  return out;
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

void check_unrelated(const Table& real, const Table& made) {
  for (const double share : {0.05, 0.25, 0.5, 0.75, 0.95}) {
    CAPTURE(share);
    CHECK(quantile(numbers(made, "age"), share) ==
          doctest::Approx(quantile(numbers(real, "age"), share)).epsilon(0.09));
    CHECK(quantile(numbers(made, "bmi"), share) ==
          doctest::Approx(quantile(numbers(real, "bmi"), share)).epsilon(0.03));
  }
  CHECK(std::abs(correlation(numbers(made, "age"), numbers(made, "bmi"))) < 0.1);
}

// Of the rows (4, 0, 4, early) with every age from 20 to 89: their mean, weighted by log_prob.
double expected_age(const GaussianCopula& model, const Schema& schema) {
  std::vector<Record> records;
  for (std::int64_t age = 20; age < 90; ++age)
    records.push_back({{"ward", std::int64_t{4}},
                       {"icu", std::int64_t{0}},
                       {"days", std::int64_t{4}},
                       {"early", true},
                       {"late", false},
                       {"final", false},
                       {"age", age},
                       {"bmi", 25.0}});
  const std::vector<double> log_prob = model.log_prob(Table::from_records(schema, records));
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < log_prob.size(); ++i) {
    sum += std::exp(log_prob[i]) * static_cast<double>(20 + i);
    all += std::exp(log_prob[i]);
  }
  return sum / all;
}

}  // namespace

TEST_CASE("groups and rules over dependent columns leave the unrelated ones as they are") {
  Schema rules;
  SUBCASE("sum") {
    rules.groups = {{.kind = "sum", .fields = {"ward", "icu"}, .total = "days"}};
  }
  SUBCASE("one-hot") {
    rules.groups = {{.kind = "one_hot", .fields = {"early", "late", "final"}}};
  }
  SUBCASE("orders") {
    rules.rules = {{.field = "days", .given = "ward", .relation = ">="},
                   {.field = "days", .given = "icu", .relation = ">="}};
  }
  const Table real = stays(rules);
  GaussianCopula model;
  model.fit(real);
  const Table made = model.sample({.rows = 5000, .seed = 1});
  check_unrelated(real, made);
  CHECK(expected_age(model, real.schema()) == doctest::Approx(54.5).epsilon(0.1));
  if (!rules.groups.empty() && rules.groups[0].kind == "sum") {
    double zero = 0, real_zero = 0;
    for (const double icu : numbers(made, "icu")) zero += icu == 0;
    for (const double icu : numbers(real, "icu")) real_zero += icu == 0;
    CHECK(zero / 5000 == doctest::Approx(real_zero / 1500).epsilon(0.05));
  }
}

TEST_CASE("conditions on dependent columns leave the unrelated ones as they are") {
  const Table real = stays({});
  GaussianCopula model;
  model.fit(real);
  for (const std::int64_t days : {4, 9}) {  // the second contradicts the other two
    CAPTURE(days);
    Schema schema;
    schema.fields = {{.name = "ward", .kind = Kind::integer},
                     {.name = "icu", .kind = Kind::integer},
                     {.name = "days", .kind = Kind::integer}};
    const std::vector<Record> rows{{{"ward", std::int64_t{4}}, {"icu", std::int64_t{0}}, {"days", days}}};
    const auto conditions = std::make_shared<Table>(Table::from_records(schema, rows));
    const Table made = model.sample({.rows = 5000, .seed = 1, .conditions = conditions});
    CHECK(quantile(numbers(made, "days"), 0.5) == static_cast<double>(days));
    check_unrelated(real, made);
  }
}

TEST_CASE("what a condition says of a correlated column is kept") {
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::integer}, {.name = "y", .kind = Kind::integer}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 2000; ++row) {
    Random random = Random(5).stream(row);
    const auto x = static_cast<std::int64_t>(random.below(60));
    records.push_back({{"x", x}, {"y", x + static_cast<std::int64_t>(random.below(20))}});
  }
  const Table real = Table::from_records(schema, records);
  GaussianCopula model;
  model.fit(real);
  for (const std::int64_t x : {5, 30, 55}) {
    Schema given;
    given.fields = {{.name = "x", .kind = Kind::integer}};
    const std::vector<Record> rows{{{"x", x}}};
    const auto conditions = std::make_shared<Table>(Table::from_records(given, rows));
    const Table made = model.sample({.rows = 2000, .seed = 2, .conditions = conditions});
    CHECK(quantile(numbers(made, "y"), 0.5) == doctest::Approx(static_cast<double>(x) + 9.5).epsilon(0.15));
  }
}
