#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/column_shapes.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum ColumnMeasure;

namespace {

std::optional<double> measured(ColumnMeasure measure, const Table& real, const Table& synthetic,
                               Convention convention = Convention::synthema) {
  return ColumnFidelity(measure, convention).evaluate(&real, synthetic, {}).value;
}
Table numbers(const std::vector<Value>& values) {
  return column_table(Kind::real, values);
}
Table labels(const std::vector<Value>& values) {
  return column_table(Kind::category, values);
}

}  // namespace

TEST_CASE("numbers: 1 - KS distance; categories: 1 - total variation distance") {
  CHECK(measured(shape, numbers({1.0, 3.0}), numbers({2.0, 4.0})) == 0.5);
  CHECK(measured(shape, numbers({1.0, Value()}), numbers({1.0})) == 1);  // missing values are dropped
  // (1/2, 1/2) against (1/4, 1/2, 1/4).
  CHECK(measured(shape, labels({"a", "b"}), labels({"a", "b", "b", "c"})) == 0.75);
}

TEST_CASE("missing values, boundaries and ranges") {
  CHECK(measured(missing, numbers({1.0, Value()}), numbers({1.0, 2.0, 3.0, Value()})) == 0.75);
  CHECK(measured(boundary_adherence, numbers({1.0, 3.0}), numbers({1.0, 2.0, 3.5, Value()})) ==
        Approx(2.0 / 3));
  // The ends 0 to 1 and 8 to 10 of ten are not reached.
  CHECK(measured(range_coverage, numbers({0.0, 10.0}), numbers({1.0, 8.0})) == Approx(0.7));
  CHECK(measured(range_coverage, numbers({0.0, 10.0}), numbers({-5.0, 15.0})) == 1);
  CHECK_FALSE(measured(range_coverage, numbers({2.0, 2.0}), numbers({2.0})));  // no range to cover
}

TEST_CASE("categories that are covered, and rows that keep to them") {
  const Table real = labels({"a", "b", "c", "d"}), synthetic = labels({"a", "a", "b", "z"});
  CHECK(measured(category_coverage, real, synthetic) == 0.5);
  CHECK(measured(category_adherence, real, synthetic) == 0.75);
}

TEST_CASE("sdmetrics' own numbers") {
  CHECK(*measured(shape, labels({"a", "a"}), labels({"a", "c"}), Convention::sdmetrics) < 0.5 + 1e-6);
  CHECK(*measured(shape, labels({"a", "a"}), labels({"a", "c"}), Convention::sdmetrics) > 0.5);
  // A missing synthetic value is out of bounds where the real column has none.
  CHECK(measured(boundary_adherence, numbers({1.0, 3.0}), numbers({2.0, Value()}), Convention::sdmetrics) ==
        0.5);
}

TEST_CASE("which columns are compared") {
  const Schema real_schema{.fields = {{.name = "id", .kind = Kind::integer, .roles = {Role::identifier}},
                                      {.name = "age", .kind = Kind::integer},
                                      {.name = "note"}}};
  const Schema other_schema{
      .fields = {{.name = "id", .kind = Kind::integer}, {.name = "age", .kind = Kind::real}}};
  const Table real =
      Table::from_records(real_schema, std::vector<Record>{{{"id", 1}, {"age", 4}, {"note", "a"}}});
  const Table other = Table::from_records(other_schema, std::vector<Record>{{{"id", 2}, {"age", 4.0}}});
  const Score score = ColumnFidelity(shape).evaluate(&real, other, {});
  REQUIRE(score.parts.size() == 1);  // an integer and a real column are both numbers
  CHECK(score.parts[0].name == "age");
  CHECK(score.value == 1);
}

TEST_CASE("ceiling, promises, and no real table") {
  const Table real = numbers({1.0, 2.0, 3.0, 4.0});
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(numbers({1.0, 2.0}));
  CHECK(ColumnFidelity(shape).evaluate(&real, real, context).ceiling->value == 0.5);
  for (const ColumnMeasure measure : {shape, missing, boundary_adherence, range_coverage})
    CHECK(nonconformities(ColumnFidelity(measure), &real, real, context).empty());
  CHECK_FALSE(ColumnFidelity(shape).evaluate(nullptr, real, {}).value);
  CHECK_FALSE(measured(category_coverage, real, real));  // numbers have no categories
}
