#include <doctest/doctest.h>

#include "dependent_rows.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/privacy/attribute_inference.hpp"
#include "synthema/evaluate/privacy/column_groups.hpp"
#include "synthema/evaluate/privacy/linkability.hpp"
#include "synthema/evaluate/privacy/membership.hpp"
#include "synthema/evaluate/privacy/nearest_rows.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

EvaluationContext with_holdout(std::size_t rows, std::uint64_t seed = 9) {
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(dependent_rows(rows, seed));
  context.target_column = "y";
  context.bootstrap = 50;
  return context;
}

template <class E>
void check_attack(const E& attack, double chance, double copied) {
  const Table training = dependent_rows(400, 1), fresh = dependent_rows(400, 2);
  const EvaluationContext context = with_holdout(400);
  const Score of_fresh = attack.evaluate(&training, fresh, context);
  const Score of_copy = attack.evaluate(&training, training, context);
  REQUIRE(of_fresh.value);
  REQUIRE(of_copy.value);
  CHECK(*of_fresh.value == Approx(chance).epsilon(0.1));
  CHECK(*of_copy.value > copied);
  CHECK(nonconformities(attack, &training, fresh, context).empty());
  CHECK_FALSE(attack.evaluate(&training, fresh, {}).value);  // no holdout
}

}  // namespace

TEST_CASE("attacks are at chance on fresh rows, and succeed on a copy") {
  check_attack(Linkability(), 0, 0.9);
  check_attack(AttributeInference(), 0, 0.5);
  check_attack(MembershipByDensity(), 0.5, 0.95);
  check_attack(MembershipByModel(), 0.5, 0.6);
  check_attack(ColumnGroups(ColumnGroups::Measure::dcr_share), 0.5, 0.95);
}

TEST_CASE("rows that half of the columns cannot tell apart link alike in any order") {
  const auto labels = [](std::uint64_t seed) {
    Random random(seed);
    std::vector<Record> records;
    for (std::size_t i = 0; i < 150; ++i) {
      Record row;
      for (const char* name : {"a", "b", "c", "d"}) row.set(name, std::to_string(random.below(3)));
      records.push_back(row);
    }
    Schema schema;
    for (const char* name : {"a", "b", "c", "d"})
      schema.fields.push_back({.name = name, .kind = Kind::category});
    return Table::from_records(schema, records);
  };
  const Table training = labels(1), synthetic = labels(2);
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(labels(3));
  std::vector<std::size_t> turned(synthetic.rows());
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = turned.size() - 1 - i;
  const Score one = Linkability().evaluate(&training, synthetic, context),
              other = Linkability().evaluate(&training, synthetic.take(turned), context);
  CHECK(part_of(one, "attack") == part_of(other, "attack"));
  CHECK(part_of(one, "control") == part_of(other, "control"));
}

TEST_CASE("groups of columns need the holdout that all columns need") {
  const Table training = dependent_rows(400, 1), fresh = dependent_rows(400, 2);
  const ColumnGroups groups(ColumnGroups::Measure::dcr_share);
  const NearestRows whole(NearestRowMeasure::dcr_share, false);
  for (const std::size_t held : {9, 10, 199, 200}) {
    CAPTURE(held);
    const EvaluationContext context = with_holdout(held);
    const Score found = groups.evaluate(&training, fresh, context),
                of_all = whole.evaluate(&training, fresh, context);
    CHECK(found.value.has_value() == of_all.value.has_value());
    CHECK(found.undefined == of_all.undefined);
    CHECK(found.interval.has_value() == of_all.interval.has_value());
  }
  CHECK_FALSE(groups.evaluate(&training, fresh.head(6), with_holdout(100)).value);
  CHECK(ColumnGroups(ColumnGroups::Measure::nndr).evaluate(&training, fresh, with_holdout(9)).value);
}

TEST_CASE("clumps of synthetic rows are no leak in any group of columns, copies are") {
  const Table training = dependent_rows(200, 1);
  const ColumnGroups groups(ColumnGroups::Measure::dcr_share);
  const EvaluationContext context = with_holdout(200);
  std::size_t held = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Table centres = dependent_rows(6, 100 + seed);
    std::vector<std::size_t> clumped;
    for (std::size_t i = 0; i < 200; ++i) clumped.push_back(i % centres.rows());
    const Score score = groups.evaluate(&training, centres.take(clumped), context);
    REQUIRE(score.interval);
    held += score.interval->low <= 0.5 ? 1 : 0;
  }
  CHECK(held >= 17);
  CHECK(groups.evaluate(&training, training, context).interval->low > 0.7);
}

TEST_CASE("a part for each secret; the columns of an attack can be named") {
  const Table training = dependent_rows(300, 1);
  const EvaluationContext context = with_holdout(300);
  AttributeInferenceOptions options;
  options.secrets = {"y"};
  options.known = {"x", "colour"};
  const Score score = AttributeInference(options).evaluate(&training, training, context);
  REQUIRE(score.parts.size() == 1);
  CHECK(score.parts[0].name == "y");
  CHECK(score.parts[0].value == Approx(*score.value));
  options.secrets = {"typo"};
  CHECK_THROWS_AS(AttributeInference(options).evaluate(&training, training, context), EvaluationError);
  LinkabilityOptions halves;
  halves.first = {"x"};
  halves.second = {"w", "colour"};
  CHECK(*Linkability(halves).evaluate(&training, training, context).value > 0.8);
  halves.second = {"x"};
  CHECK_THROWS_AS(Linkability{halves}, ConfigError);
}

TEST_CASE("ties link nobody by themselves") {
  std::vector<Value> same(200, "a");
  std::vector<Record> records;
  for (int i = 0; i < 200; ++i) records.push_back({{"a", "p"}, {"b", "q"}});
  const Table table = Table::from_records(
      {.fields = {{.name = "a", .kind = Kind::category}, {.name = "b", .kind = Kind::category}}}, records);
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(table);
  const Score score = Linkability().evaluate(&table, table, context);
  CHECK(*part_of(score, "attack") < 0.05);
}

TEST_CASE("a negative guess is right under the name of anonymeter alone") {
  const auto numbers = [](double secret) {
    std::vector<Record> records;
    for (int i = 0; i < 60; ++i) records.push_back({{"k", i % 7}, {"s", secret}});
    return Table::from_records(
        {.fields = {{.name = "k", .kind = Kind::integer}, {.name = "s", .kind = Kind::real}}}, records);
  };
  const Table training = numbers(5), synthetic = numbers(-5);
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(numbers(7));
  AttributeInferenceOptions options;
  options.secrets = {"s"};
  const auto attack_note = [&] {
    return AttributeInference(options).evaluate(&training, synthetic, context).parts[0].note;
  };
  CHECK(attack_note().starts_with("right for 0 "));
  options.convention = Convention::anonymeter;
  CHECK(attack_note().starts_with("right for 1 "));
}
