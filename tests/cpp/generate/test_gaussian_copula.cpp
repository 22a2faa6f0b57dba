// Columns that are linearly dependent, under groups, rules and conditions: the columns that have nothing to
// do with them stay as they are.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>

#include "generate/tabular_tables.hpp"
#include "synthema/core/random.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

using namespace synthema;
using testing::quantile;

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

namespace {

// One of four booleans is set, or of the first three at most one, and the mean of x differs with it.
Table grouped(bool one_hot, std::size_t rows = 4000) {
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::real}};
  GroupRule group{.kind = one_hot ? "one_hot" : "exclusive", .fields = {"a", "b", "c"}};
  if (one_hot) group.fields.emplace_back("d");
  for (const std::string& name : group.fields) schema.fields.push_back({.name = name, .kind = Kind::boolean});
  schema.groups = {group};
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(5).stream(row);
    const double which = random.uniform();
    const int set = which < 0.32 ? 0 : which < 0.6 ? 1 : which < 0.9 ? 2 : 3;
    constexpr double kMean[] = {0, 1, -1, 0.5};
    double x = kMean[set];
    for (int i = 0; i < 12; ++i) x += random.uniform() - 0.5;
    Record record{{"x", std::nearbyint(x * 100) / 100}, {"a", set == 0}, {"b", set == 1}, {"c", set == 2}};
    if (one_hot) record.set("d", set == 3);
    records.push_back(std::move(record));
  }
  return Table::from_records(std::move(schema), records);
}

double share_of_true(const Table& table, const char* name) {
  double out = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) out += table.column(name).boolean_at(row);
  return out / static_cast<double>(table.rows());
}

double mean_where(const Table& table, const char* name) {
  double out = 0;
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (table.column(name).boolean_at(row)) out += table.column("x").number_at(row);
  return out / share_of_true(table, name) / static_cast<double>(table.rows());
}

}  // namespace

TEST_CASE("members of a group have their shares, and other columns depend on each in its own way") {
  for (const bool one_hot : {true, false}) {
    CAPTURE(one_hot);
    const Table real = grouped(one_hot);
    GaussianCopula copula;
    copula.fit(real);
    const Table made = copula.sample({.rows = 20000, .seed = 1});
    for (const char* name : {"a", "b", "c"}) {
      CAPTURE(name);
      CHECK(std::abs(share_of_true(made, name) - share_of_true(real, name)) < 0.012);
      CHECK(std::abs(mean_where(made, name) - mean_where(real, name)) < 0.25);
    }
    // Both what is set and what that says hold under conditions; the order of the fields is no order of x.
    Schema wanted;
    wanted.fields = {{.name = "c", .kind = Kind::boolean}};
    const std::vector<Record> set{{{"c", true}}};
    const auto conditions = std::make_shared<Table>(Table::from_records(wanted, set));
    const Table given = copula.sample({.rows = 5000, .seed = 2, .conditions = conditions});
    CHECK(share_of_true(given, "c") == 1);
    CHECK(share_of_true(given, "a") + share_of_true(given, "b") == 0);
    CHECK(std::abs(mean_where(given, "c") - mean_where(real, "c")) < 0.25);
  }
}

TEST_CASE("members of a published group have their shares and correlations") {
  const Table real = grouped(true);
  PublishedStatistics of;
  of.schema = real.schema();
  of.schema.fields[0].decimals = 2;
  of.columns = {{.mean = 0.0, .sd = 1.3},
                {.shares = {0.68, 0.32}},
                {.shares = {0.72, 0.28}},
                {.shares = {0.7, 0.3}},
                {.shares = {0.9, 0.1}}};
  of.correlations = {{"x", "a", 0.0}, {"x", "b", 0.45}, {"c", "x", -0.5}};
  const Table made = GaussianCopula::from_statistics(of).sample({.rows = 20000, .seed = 1});
  constexpr double kShares[] = {0.32, 0.28, 0.3, 0.1};
  constexpr const char* kNames[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 4; ++i) CHECK(std::abs(share_of_true(made, kNames[i]) - kShares[i]) < 0.012);
  const auto with = [&](const char* name) {
    std::vector<double> set;
    for (std::size_t row = 0; row < made.rows(); ++row) set.push_back(made.column(name).boolean_at(row));
    return correlation(numbers(made, "x"), set);
  };
  CHECK(std::abs(with("a")) < 0.05);
  CHECK(std::abs(with("b") - 0.45) < 0.07);
  CHECK(std::abs(with("c") + 0.5) < 0.07);
}

namespace {

// A discharge never before the admission; the stay depends on how ill a patient is.
Table admissions(std::size_t rows = 4000) {
  Schema schema;
  schema.fields = {{.name = "illness", .kind = Kind::real},
                   {.name = "admission", .kind = Kind::integer},
                   {.name = "discharge", .kind = Kind::integer}};
  schema.rules = {{.field = "discharge", .given = "admission", .relation = ">="}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(8).stream(row);
    const auto admission = static_cast<std::int64_t>(random.below(30));
    const double illness = random.uniform();
    const auto stay = static_cast<std::int64_t>(-std::log(1 - random.uniform()) * (1 + 8 * illness));
    records.push_back({{"illness", std::nearbyint(illness * 100) / 100},
                       {"discharge", admission + stay},
                       {"admission", admission}});
  }
  return Table::from_records(std::move(schema), records);
}

std::vector<double> stays_of(const Table& table) {
  std::vector<double> out = numbers(table, "discharge");
  const std::vector<double> from = numbers(table, "admission");
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= from[i];
  return out;
}

double mean(const std::vector<double>& of) {
  return std::accumulate(of.begin(), of.end(), 0.0) / static_cast<double>(of.size());
}

Table sampled_given(const GaussianCopula& model, const char* name, std::int64_t value) {
  Schema schema;
  schema.fields = {{.name = name, .kind = Kind::integer}};
  const std::vector<Record> rows{{{name, value}}};
  const auto conditions = std::make_shared<Table>(Table::from_records(schema, rows));
  return model.sample({.rows = 4000, .seed = 2, .conditions = conditions});
}

}  // namespace

TEST_CASE("an order of two numbers does not push them apart") {
  const Table real = admissions();
  GaussianCopula model;
  model.fit(real);
  const Table made = model.sample({.rows = 20000, .seed = 1});
  const std::vector<double> stays = stays_of(made), real_stays = stays_of(real);
  CHECK(*std::ranges::min_element(stays) >= 0);
  CHECK(mean(stays) == doctest::Approx(mean(real_stays)).epsilon(0.04));
  CHECK(mean(numbers(made, "admission")) == doctest::Approx(mean(numbers(real, "admission"))).epsilon(0.03));
  CHECK(mean(numbers(made, "discharge")) == doctest::Approx(mean(numbers(real, "discharge"))).epsilon(0.03));
  CHECK(quantile(numbers(made, "discharge"), 0.9) ==
        doctest::Approx(quantile(numbers(real, "discharge"), 0.9)).epsilon(0.06));
  CHECK(std::abs(correlation(numbers(made, "illness"), stays) -
                 correlation(numbers(real, "illness"), real_stays)) < 0.08);
  CHECK(content_digest(GaussianCopula::load(model.save()).sample({.rows = 500, .seed = 1})) ==
        content_digest(model.sample({.rows = 500, .seed = 1})));
  // Conditions on either.
  const std::vector<double> after = stays_of(sampled_given(model, "admission", 10));
  CHECK(mean(after) == doctest::Approx(mean(real_stays)).epsilon(0.15));
  const Table before = sampled_given(model, "discharge", 20);
  CHECK(std::ranges::count(numbers(before, "discharge"), 20.0) == 4000);
  const std::vector<double> stays_before = stays_of(before);
  CHECK(*std::ranges::min_element(stays_before) >= 0);
}

TEST_CASE("probabilities under an order sum to one") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::integer}, {.name = "b", .kind = Kind::integer}};
  schema.rules = {{.field = "b", .given = "a", .relation = ">="}};
  std::vector<Record> records, all;
  for (std::size_t row = 0; row < 3000; ++row) {
    Random random = Random(9).stream(row);
    const auto a = static_cast<std::int64_t>(random.below(6));
    records.push_back({{"a", a}, {"b", a + static_cast<std::int64_t>(random.below(4))}});
  }
  for (std::int64_t a = -1; a < 8; ++a)
    for (std::int64_t b = -1; b < 12; ++b) all.push_back({{"a", a}, {"b", b}});
  GaussianCopula model;
  model.fit(Table::from_records(schema, records));
  const std::vector<double> likely = model.log_prob(Table::from_records(schema, all));
  const Table made = model.sample({.rows = 20000, .seed = 3});
  const std::vector<double> as = numbers(made, "a"), bs = numbers(made, "b");
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double share = std::exp(likely[i]);
    sum += share;
    double count = 0;
    for (std::size_t row = 0; row < as.size(); ++row)
      count += as[row] == static_cast<double>(i / 13) - 1 && bs[row] == static_cast<double>(i % 13) - 1;
    CHECK(std::abs(count / 20000 - share) < 0.01);
  }
  CHECK(sum == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("which of two orders places are of is saved with them") {
  Schema schema;
  schema.fields = {{.name = "seen", .kind = Kind::integer},
                   {.name = "begun", .kind = Kind::integer},
                   {.name = "ended", .kind = Kind::integer}};
  // Nobody who was seen has an end: the first order teaches nothing.
  schema.rules = {{.field = "ended", .given = "seen", .relation = ">="},
                  {.field = "ended", .given = "begun", .relation = ">="}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 2000; ++row) {
    Random random = Random(8).stream(row);
    const auto begun = static_cast<std::int64_t>(random.below(30));
    const auto length = static_cast<std::int64_t>(random.below(20));
    const bool was_seen = random.uniform() < 0.3;
    Record& record = records.emplace_back();
    record.set("begun", begun);
    if (was_seen)
      record.set("seen", begun + length / 2);
    else
      record.set("ended", begun + length);
  }
  const Table real = Table::from_records(schema, records);
  GaussianCopula model;
  model.fit(real);
  const GaussianCopula loaded = GaussianCopula::load(model.save());
  CHECK(loaded.log_prob(real) == model.log_prob(real));
  Schema given;
  given.fields = {{.name = "begun", .kind = Kind::integer}, {.name = "ended", .kind = Kind::integer}};
  const std::vector<Record> wanted{{{"begun", std::int64_t{10}}, {"ended", std::int64_t{25}}}};
  for (const bool conditions : {false, true}) {
    SampleRequest request{.rows = 500, .seed = 1};
    if (conditions) request.conditions = std::make_shared<Table>(Table::from_records(given, wanted));
    CHECK(content_digest(loaded.sample(request)) == content_digest(model.sample(request)));
  }
}
