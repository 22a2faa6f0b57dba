#include <doctest/doctest.h>

#include <set>

#include "synthema/core/error.hpp"
#include "synthema/evaluate/suite.hpp"
#include "tables.hpp"

using namespace synthema;

TEST_CASE("evaluators are found by name, and names are unique") {
  std::set<std::string> names;
  for (const AnyEvaluator& evaluator : all_evaluators()) {
    CHECK(names.insert(std::string(evaluator.name())).second);
    CHECK(evaluator_named(evaluator.name()).name() == evaluator.name());
  }
  CHECK(names.size() > text_suite().size() + table_suite().size());
  CHECK_THROWS_WITH_AS(evaluator_named("typo"), doctest::Contains("there are 'label_recovery_top1'"),
                       ConfigError);
}

TEST_CASE("options reach the evaluators") {
  const Table table = text_table({"a b c d", "a b c d e"});
  SuiteOptions options;
  options.near_duplicate_threshold = 0.6;
  CHECK(evaluator_named("near_duplicates").evaluate(nullptr, table, {}).value == 0.0);
  CHECK(evaluator_named("near_duplicates", options).evaluate(nullptr, table, {}).value == 1);
  options.near_duplicate_threshold = 2;
  CHECK_THROWS_AS(text_suite(options), ConfigError);
  CHECK(convention_from("sdmetrics") == Convention::sdmetrics);
  CHECK_THROWS_AS(convention_from("sdv"), ConfigError);
}

TEST_CASE("a suite can be run whole on a bare table of texts") {
  for (const AnyEvaluator& evaluator : text_suite()) {
    const Score score = evaluator.evaluate(nullptr, text_table({"a b c", "d e f"}), {});
    CHECK(score.name == evaluator.name());
    CHECK(score.value.has_value() == score.undefined.empty());
  }
}
