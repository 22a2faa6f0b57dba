#include <doctest/doctest.h>

#include <cmath>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/privacy/copies.hpp"
#include "tables.hpp"

using namespace synthema;

namespace {

Table people(Kind age, const std::vector<std::tuple<std::string, Value, Value>>& rows) {
  const Schema schema{.fields = {{.name = "id", .roles = {Role::identifier}},
                                 {.name = "age", .kind = age},
                                 {.name = "note"}}};
  std::vector<Record> records;
  for (const auto& [id, years, note] : rows) records.push_back({{"id", id}, {"age", years}, {"note", note}});
  return Table::from_records(schema, records);
}

}  // namespace

TEST_CASE("new rows as SDMetrics counts them") {
  const Table real = column_table(Kind::real, {100.0, 0.0, Value(), -5.0});
  const Table synthetic = column_table(Kind::real, {100.9, 0.001, Value(), -5.2, 98.0});
  const ExactCopies theirs(false, Convention::sdmetrics);
  const Score score = theirs.evaluate(&real, synthetic, {});
  CHECK(score.value == doctest::Approx(0.6));  // 0.001 is a hundredth of nothing away from 0
  CHECK(theirs.direction() == Direction::higher);
  CHECK(nonconformities(theirs, &real, synthetic, {}).empty());
}

TEST_CASE("a copy is equal in every shared column but identifiers") {
  const Table real = people(Kind::integer, {{"p1", 40, "pain"}, {"p2", Value(), "cough"}});
  const Table synthetic = people(Kind::real, {{"s1", 40.0, "pain"},      // 40 is 40.0; another id
                                              {"s2", Value(), "cough"},  // missing equals missing
                                              {"s3", 41.0, "pain"},
                                              {"s4", 40.0, "Pain"}});
  const Score score = ExactCopies().evaluate(&real, synthetic, {});
  CHECK(score.value == 0.5);
  CHECK(score.n == 4);
  CHECK(nonconformities(ExactCopies(), &real, synthetic, {}).empty());
}

TEST_CASE("integers that no double tells apart are no copies") {
  constexpr std::int64_t kLarge = std::int64_t{1} << 60;
  const Table real = column_table(Kind::integer, {kLarge, kLarge + 2});
  CHECK(ExactCopies().evaluate(&real, column_table(Kind::integer, {kLarge + 1, kLarge + 3}), {}).value == 0);
  CHECK(ExactCopies().evaluate(&real, column_table(Kind::integer, {kLarge + 2}), {}).value == 1);
  CHECK(RareValueReuse().evaluate(&real, column_table(Kind::integer, {kLarge + 1}), {}).value == 0);
  const Table reals = column_table(Kind::real, {static_cast<double>(kLarge), 1e300, 0.5});
  CHECK(ExactCopies().evaluate(&real, reals, {}).value == doctest::Approx(1.0 / 3));
}

TEST_CASE("the ceiling is how often new real rows repeat old ones") {
  const Table real = people(Kind::integer, {{"p1", 40, "pain"}});
  EvaluationContext context;
  context.holdout =
      std::make_shared<const Table>(people(Kind::integer, {{"h1", 40, "pain"}, {"h2", 3, "cough"}}));
  CHECK(ExactCopies().evaluate(&real, real, context).ceiling->value == 0.5);
}

TEST_CASE("the ceiling's error is that of the share that synthetic and fresh rows have together") {
  const Table real = column_table(Kind::integer, {1, 1, 2, 3, 4});
  const Table synthetic = column_table(Kind::integer, {2, 9, 9, 9});  // 2 is one row's alone
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(column_table(Kind::integer, {7, 8}));
  const Score held = RareValueReuse().evaluate(&real, synthetic, context);
  CHECK(held.ceiling->value == 0);
  CHECK(held.ceiling->error == doctest::Approx(std::sqrt(1 / 6.0 * 5 / 6 / 2)));
  // Two of five real rows have a value of two; together with one of four that is a third.
  const Score left_out = RareValueReuse().evaluate(&real, synthetic, {});
  CHECK(left_out.ceiling->value == 0.4);
  CHECK(left_out.ceiling->error == doctest::Approx(std::sqrt(3.5 * 3 / 9 * 6 / 9 / 5)));
}

TEST_CASE("nothing to compare") {
  const Table real = people(Kind::integer, {{"p1", 40, "pain"}});
  CHECK_FALSE(ExactCopies().evaluate(nullptr, real, {}).value);
  CHECK_FALSE(ExactCopies().evaluate(&real, text_table({"a"}), {}).value);
  CHECK_FALSE(ExactCopies().evaluate(&real, real.head(0), {}).value);
}

TEST_CASE("values that one training row has, and who reuses them") {
  const Table real =
      people(Kind::real,
             {{"p1", 40.5, "pain"}, {"p2", 41.0, "pain"}, {"p3", 41.0, "cough"}, {"p4", Value(), "pain"}});
  const Table synthetic =
      people(Kind::real, {{"s1", 40.5, "pain"},   // 40.5 is p1's alone
                          {"s2", 41.0, "cough"},  // cough is p3's alone
                          {"s3", 41.0, "pain"},
                          {"s4", Value(), "new"}});  // missing is no value; new is nobody's
  EvaluationContext context;
  context.holdout =
      std::make_shared<const Table>(people(Kind::real, {{"h1", 40.5, "new"}, {"h2", 39.0, "new"}}));
  const Score score = RareValueReuse().evaluate(&real, synthetic, context);
  CHECK(score.value == 0.5);
  CHECK(score.ceiling->value == 0.5);
  CHECK(part_of(score, "age") == doctest::Approx(1 / 3.0));
  CHECK(part_of(score, "note") == 0.25);
  CHECK(score.parts[0].note == "1 such value; holdout rows reuse 0.5");
  CHECK_FALSE(part_of(score, "id"));
  CHECK(nonconformities(RareValueReuse(), &real, synthetic, context).empty());
  CHECK_FALSE(RareValueReuse().evaluate(nullptr, real, {}).value);
}

TEST_CASE("a value of one subject alone is rare, however many rows repeat it") {
  Schema schema{.fields = {{.name = "who", .roles = {Role::subject}}, {.name = "x", .kind = Kind::integer}}};
  const std::vector<Record> rows{
      {{"who", "a"}, {"x", 1}}, {{"who", "a"}, {"x", 1}}, {{"who", "b"}, {"x", 2}}, {{"who", "c"}, {"x", 2}}};
  const Table real = Table::from_records(schema, rows);
  CHECK(RareValueReuse().evaluate(&real, column_table(Kind::integer, {1, 2, 3}), {}).value ==
        doctest::Approx(1 / 3.0));
}
