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

TEST_CASE("the rarest labels are one class where there are more than wanted") {
  std::vector<Value> values;
  for (const auto& [label, rows] : {std::pair("d", 4), {"b", 1}, {"a", 2}, {"c", 2}, {"e", 1}})
    values.insert(values.end(), static_cast<std::size_t>(rows), Value(label));
  const Table table = numbers(values, Kind::category);
  const TargetColumn all(table, "v"), as_many(table, "v", 5), three(table, "v", 3);
  CHECK(all.labels() == std::vector<std::string>{"a", "b", "c", "d", "e"});
  CHECK(as_many.labels() == all.labels());
  CHECK(as_many.gathered() == 0);
  // Of labels of as many rows the first one is a class of its own.
  CHECK(three.labels() == std::vector<std::string>{"a", "d", "one of the 3 rarest labels"});
  CHECK(three.gathered() == 3);
  const Target read = three.of(numbers({"a", "b", "c", "d", "e", "f", Value()}, Kind::category));
  CHECK(read.classes == 3);
  CHECK(std::vector<double>(read.values.begin(), read.values.begin() + 5) ==
        std::vector<double>{0, 2, 2, 1, 2});
  CHECK(read.rows_with_value() == std::vector<std::uint32_t>{0, 1, 2, 3, 4});  // f was not learnt
  CHECK(TargetColumn(numbers({1.0, 2.0, 3.0}), "v", 2).classes() == 0);
  CHECK_THROWS_AS(TargetColumn(table, "v", 1), ConfigError);
}
