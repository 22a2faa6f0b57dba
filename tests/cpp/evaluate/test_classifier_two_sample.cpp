#include <doctest/doctest.h>

#include "dependent_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/classifier_two_sample.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Score told(const Table& real, const Table& synthetic,
           Discriminator discriminator = Discriminator::boosted_trees,
           const EvaluationContext& context = {}) {
  return ClassifierTwoSample(discriminator).evaluate(&real, synthetic, context);
}

}  // namespace

TEST_CASE("fresh rows of the same distribution cannot be told apart, shifted ones can") {
  const Table real = dependent_rows(600, 1);
  const Score same = told(real, dependent_rows(600, 2));
  CHECK(*same.value == Approx(0.5).epsilon(0.12));
  REQUIRE(same.interval);
  CHECK(same.interval->low < 0.5);
  CHECK(same.interval->high > 0.5);
  CHECK(same.warnings.empty());
  CHECK(same.n == 1200);
  CHECK(same.ceiling->value == 0.5);
  const Score shifted = told(real, dependent_rows(600, 3, 0.3));
  CHECK(*shifted.value > 0.7);
  CHECK(shifted.interval->low > 0.6);
}

TEST_CASE(
    "a column that gives the rows away is named, and taken for numbers of people where no label is shared") {
  const auto labels = [](const std::string& whose, int different) {
    std::vector<Record> records;
    for (int i = 0; i < 200; ++i) records.push_back({{"c", whose + std::to_string(i % different)}});
    return Table::from_records({.fields = {{.name = "c", .kind = Kind::category}}}, records);
  };
  const Score people = told(labels("A", 20), labels("B", 20));
  REQUIRE(people.warnings.size() == 1);
  CHECK(people.warnings[0].find("the role subject or identifier") != std::string::npos);
  const Score more = told(labels("A", 2), labels("A", 20));
  REQUIRE(more.warnings.size() == 1);
  CHECK(more.warnings[0].find("format and categories") != std::string::npos);
}

TEST_CASE("only trees see that independent marginals are wrong") {
  const Table real = dependent_rows(600, 1);
  const Table loose = detail::independent_marginals(dependent_rows(600, 2), 7);
  CHECK(*told(real, loose).value > 0.85);
  CHECK(*told(real, loose, Discriminator::logistic_regression).value < 0.6);
  const Score score = told(real, dependent_rows(600, 2));
  CHECK(score.floor->value > 0.85);
  CHECK(*score.value < score.floor->value);
}

TEST_CASE("rows that follow single training rows are no better than fresh ones") {
  const Table real = dependent_rows(400, 1);
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(dependent_rows(400, 5));
  const Score copied = told(real, real, Discriminator::boosted_trees, context);
  CHECK(copied.direction == Direction::none);
  CHECK(*copied.value < 0.4);
  REQUIRE(copied.warnings.size() == 1);
  CHECK(copied.warnings[0].find("is no merit") != std::string::npos);
  CHECK(copied.warnings[0].find("Against the holdout it is") != std::string::npos);
  CHECK(part_of(copied, "all columns, against the holdout") == Approx(0.5).epsilon(0.15));
  const Score fresh = told(real, dependent_rows(400, 2), Discriminator::boosted_trees, context);
  CHECK(fresh.warnings.empty());
}

TEST_CASE("one column that gives the synthetic rows away is named") {
  const Table real = dependent_rows(400, 1), fresh = dependent_rows(400, 2);
  std::vector<Record> rounded;
  for (std::size_t row = 0; row < fresh.rows(); ++row) {
    Record record = fresh.record(row);
    record.set("w", 5 + std::round(fresh.column("w").number_at(row)));
    rounded.push_back(std::move(record));
  }
  const Score score = told(real, Table::from_records(dependent_schema(), rounded));
  CHECK(*score.value > 0.99);
  REQUIRE(score.warnings.size() == 1);
  CHECK(score.warnings[0].find("'w' alone") != std::string::npos);
  CHECK(part_of(score, "w") > 0.99);
  CHECK(part_of(score, "x") < 0.6);
  CHECK_FALSE(score.interval);  // all are told apart: no spread is no certainty
}

TEST_CASE("a holdout is the ceiling; subjects stay in one fold") {
  const Table real = dependent_rows(300, 1);
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(dependent_rows(200, 5));
  CHECK(told(real, dependent_rows(300, 2), Discriminator::boosted_trees, context)
            .ceiling->source.find("holdout") == 0);
  // Every subject has ten equal rows: split over folds, they would be recognised.
  Schema schema{.fields = {{.name = "who", .kind = Kind::integer, .roles = {Role::subject}},
                           {.name = "x", .kind = Kind::real}}};
  std::vector<Record> rows[2];
  Random random(4);
  for (std::int64_t who = 0; who < 60; ++who) {
    const double x = random.uniform();
    for (int i = 0; i < 10; ++i) rows[who % 2].push_back({{"who", who}, {"x", x}});
  }
  const Score score = told(Table::from_records(schema, rows[0]), Table::from_records(schema, rows[1]));
  CHECK(*score.value < 0.75);
  REQUIRE(score.interval);
  CHECK(score.interval->method.find("DeLong, 60 subjects") == 0);
  CHECK(score.interval->high - score.interval->low > 0.2);
}

TEST_CASE("promises are kept, and what cannot be told is undefined") {
  const Table real = dependent_rows(150, 1), synthetic = dependent_rows(130, 2, 0.1);
  for (const auto d : {Discriminator::boosted_trees, Discriminator::logistic_regression})
    CHECK(nonconformities(ClassifierTwoSample(d), &real, synthetic, {}) == std::vector<std::string>{});
  CHECK_FALSE(told(real, synthetic.head(3)).value);
  CHECK_FALSE(told(real, column_table(Kind::real, {1.0}, "other")).value);
  CHECK_FALSE(ClassifierTwoSample().evaluate(nullptr, synthetic, {}).value);
  // A column that is always missing, or constant, tells nothing.
  const Table none = column_table(Kind::category, std::vector<Value>(20, Value()));
  CHECK(told(none, none).value == 0.5);
}
