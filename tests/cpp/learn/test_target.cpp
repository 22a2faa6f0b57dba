#include <doctest/doctest.h>

#include <cmath>

#include "learn/tables.hpp"

using namespace synthema;
using testing::numbers;

TEST_CASE("labels are classes in the order of their bytes; unseen and missing ones have no value") {
  const TargetColumn target(numbers({"no", "yes", "no"}, Kind::category), "v");
  CHECK(target.labels() == std::vector<std::string>{"no", "yes"});
  const Target read = target.of(numbers({"yes", "maybe", Value(), "no"}, Kind::category));
  CHECK(read.classes == 2);
  CHECK(read.rows_with_value() == std::vector<std::uint32_t>{0, 3});
  CHECK(read.values[0] == 1);
  CHECK(std::isnan(read.values[1]));
}

TEST_CASE("numbers are predicted as numbers, but two of them are classes") {
  CHECK(TargetColumn(numbers({1.0, 2.0, 3.0}), "v").of(numbers({5.0})).values[0] == 5);
  const TargetColumn two(numbers({0.0, 1.0, 1.0}), "v");
  CHECK(two.classes() == 2);
  CHECK(two.labels() == std::vector<std::string>{"0", "1"});
  CHECK(two.of(numbers({1.0, 7.0})).rows_with_value() == std::vector<std::uint32_t>{0});
}

TEST_CASE("a target that cannot be one is refused") {
  CHECK_THROWS_AS(TargetColumn(numbers({1.0, 1.0}), "v"), EvaluationError);
  CHECK_THROWS_AS(TargetColumn(numbers({"a"}, Kind::text), "v"), EvaluationError);
  CHECK_THROWS_AS(TargetColumn(numbers({1.0}), "w"), EvaluationError);
  CHECK_THROWS_AS(TargetColumn(numbers({"a", "b"}, Kind::category), "v").of(numbers({1.0})), EvaluationError);
}
