#include <doctest/doctest.h>

#include "synthema/data/field_rule.hpp"
#include "synthema/data/timestamp.hpp"

using namespace synthema;

namespace {

Schema two_fields(Field a, Field b, FieldRule rule) {
  a.name = rule.given = "a", b.name = rule.field = "b";
  return Schema{.fields = {std::move(a), std::move(b)}, .rules = {std::move(rule)}};
}

Field number(double low, double high) {
  return {.kind = Kind::integer, .minimum = low, .maximum = high};
}
Field label(std::vector<std::string> labels) {
  return {.kind = Kind::category, .categories = std::move(labels)};
}

}  // namespace

TEST_CASE("relations narrow a range from either side") {
  const auto range = [](const char* relation, std::int64_t value) {
    const Schema schema = two_fields(number(0, 9), number(0, 9), {.relation = relation});
    const auto left = narrowed(schema, schema.at("b"), Record{{"a", value}});
    return left ? std::pair(*left->minimum, *left->maximum) : std::pair(1.0, 0.0);
  };
  CHECK(range(">=", 4) == std::pair(4.0, 9.0));
  CHECK(range(">", 4) == std::pair(5.0, 9.0));
  CHECK(range("<=", 4) == std::pair(0.0, 4.0));
  CHECK(range("<", 4) == std::pair(0.0, 3.0));
  CHECK(range("=", 4) == std::pair(4.0, 4.0));
  CHECK(range(">", 9) == std::pair(1.0, 0.0));  // nothing is left
}

TEST_CASE("times are compared as text and as values alike") {
  Field time{.kind = Kind::time};
  const Schema schema = two_fields(time, time, {.relation = ">="});
  const double expected = static_cast<double>(parse_iso8601("2024-02-29").value().time.microseconds);
  CHECK(narrowed(schema, schema.at("b"), Record{{"a", "2024-02-29"}})->minimum == expected);
  CHECK(narrowed(schema, schema.at("b"), Record{{"a", parse_iso8601("2024-02-29")->time}})->minimum ==
        expected);
}

TEST_CASE("a rule holds only where its labels or its range say so, and never where a value is missing") {
  const Schema by_label =
      two_fields(label({"x", "y"}), label({"p", "q", "r"}), {.labels = {"x"}, .categories = {"q"}});
  CHECK(narrowed(by_label, by_label.at("b"), Record{{"a", "x"}})->categories ==
        std::vector<std::string>{"q"});
  CHECK(narrowed(by_label, by_label.at("b"), Record{{"a", "y"}}) == by_label.at("b"));
  CHECK(narrowed(by_label, by_label.at("b"), Record{{"a", Value()}}) == by_label.at("b"));
  CHECK(narrowed(by_label, by_label.at("b"), Record{}) == by_label.at("b"));
  const Schema by_range =
      two_fields(number(0, 99), number(0, 99), {.lowest = 10, .highest = 20, .maximum = 5});
  for (const std::int64_t a : {9, 10, 20, 21})
    CHECK(narrowed(by_range, by_range.at("b"), Record{{"a", a}})->maximum ==
          (a == 10 || a == 20 ? 5.0 : 99.0));
  const Schema other = two_fields(label({"p", "q"}), label({"p", "q"}), {.relation = "!="});
  CHECK(narrowed(other, other.at("b"), Record{{"a", "p"}})->categories == std::vector<std::string>{"q"});
}

TEST_CASE("rules that cannot be meant are refused with both fields") {
  const auto refused = [](const Schema& schema, const char* what) {
    CHECK_THROWS_WITH_AS(schema.check(), doctest::Contains(what), SchemaError);
  };
  refused(two_fields(label({"x"}), number(0, 9), {.labels = {"z"}, .minimum = 3}),
          "not among the categories of 'a'");
  refused(two_fields(label({"x"}), number(0, 9), {.relation = "="}), "compares");
  refused(two_fields(number(0, 9), number(0, 9), {.relation = "!="}), "compares");
  refused(two_fields(label({"x"}), number(0, 9), {.lowest = 1, .minimum = 3}), "has a range");
  refused(two_fields(number(0, 9), number(0, 9), {.lowest = 3, .highest = 1, .minimum = 3}),
          "start is above");
  refused(two_fields(number(0, 9), label({"x"}), {.minimum = 3}), "sets a minimum");
  refused(two_fields(number(0, 9), number(0, 9), {.categories = {"x"}}), "lists categories");
}

TEST_CASE("a rule that ranges or labels exclude is named, also behind other rules") {
  const auto number = [](const char* name, double minimum, double maximum, bool nullable) {
    return Field{
        .name = name, .kind = Kind::integer, .minimum = minimum, .maximum = maximum, .nullable = nullable};
  };
  const auto rule = [](const char* field, const char* given, const char* relation) {
    return FieldRule{.field = field, .given = given, .relation = relation};
  };
  const auto refused = [](const Schema& schema) {
    CHECK_THROWS_WITH_AS(with_reachable_ranges(schema), doctest::Contains("can never hold"), SchemaError);
  };
  for (const bool nullable : {false, true}) {
    const Field high = number("high", 5, 9, nullable), low = number("low", 0, 4, nullable),
                five = number("five", 0, 5, nullable);
    for (const char* relation : {">", ">=", "="}) {
      refused({.fields = {high, low}, .rules = {rule("low", "high", relation)}});
      if (relation != std::string(">"))
        CHECK_NOTHROW(
            with_reachable_ranges({.fields = {high, five}, .rules = {rule("five", "high", relation)}}));
    }
    for (const char* relation : {"<", "<=", "="})
      refused({.fields = {low, high}, .rules = {rule("high", "low", relation)}});
    refused({.fields = {high, five}, .rules = {rule("five", "high", ">")}});
    CHECK_NOTHROW(with_reachable_ranges({.fields = {low, high}, .rules = {rule("high", "low", ">")}}));
    FieldRule sometimes = rule("low", "high", ">");
    sometimes.lowest = 7;
    CHECK_NOTHROW(with_reachable_ranges({.fields = {high, low}, .rules = {sometimes}}));
  }
  // a < b < c, of which each pair has room.
  const Field a = number("a", 2, 9, false), b = number("b", 0, 9, false), c = number("c", 0, 3, false);
  CHECK_NOTHROW(with_reachable_ranges({.fields = {b, c}, .rules = {rule("c", "b", ">")}}));
  refused({.fields = {a, b, c}, .rules = {rule("b", "a", ">"), rule("c", "b", ">")}});
  const Field x{.name = "x", .kind = Kind::category, .categories = {"p", "q"}},
      y{.name = "y", .kind = Kind::category, .categories = {"r"}};
  refused({.fields = {x, y}, .rules = {rule("y", "x", "=")}});
  CHECK_NOTHROW(with_reachable_ranges({.fields = {x, y}, .rules = {rule("y", "x", "!=")}}));
}
