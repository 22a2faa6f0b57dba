#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/label_recovery.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using Measure = LabelRecovery::Measure;

namespace {

EvaluationContext colours() {
  EvaluationContext context;
  context.terms = term_table({{"A", "red"}, {"B", "blue"}, {"C", "green"}});
  return context;
}
Score recovery(Measure measure, const Table& table, const EvaluationContext& context) {
  return LabelRecovery(measure).evaluate(nullptr, table, context);
}

}  // namespace

TEST_CASE("top-1, and what shuffled labels would score") {
  const Table table = labelled_table({{"red", "A"}, {"blue", "A"}, {"green", "C"}, {"grey", "B"}});
  const Score score = recovery(Measure::top1, table, colours());
  CHECK(score.value == 0.5);
  CHECK(score.n == 4);
  // The texts find A, B, C and nothing; of the labels 2/4 are A, 1/4 B, 1/4 C: (1/2 + 1/4 + 1/4 + 0) / 4.
  CHECK(score.floor->value == Approx(0.25));
  CHECK(score.ceiling->value == 1);
  CHECK(part_of(score, "A") == 0.5);
  CHECK(part_of(score, "B") == 0.0);
  CHECK(nonconformities(LabelRecovery(), nullptr, table, colours()).empty());
}

TEST_CASE("the place of the label decides") {
  // "red" twice weighs 1 + ln 2 against 1, with equal idf: A is first, B second, C is not found.
  const auto score = [](Measure measure, const char* label) {
    return recovery(measure, labelled_table({{"red red blue", label}}), colours()).value;
  };
  CHECK(score(Measure::top1, "A") == 1);
  CHECK(score(Measure::top1, "B") == 0);
  CHECK(score(Measure::top10, "B") == 1);
  CHECK(score(Measure::mrr, "B") == 0.5);
  CHECK(score(Measure::mrr, "C") == 0);
}

TEST_CASE("the ceiling is what a label's own name finds") {
  EvaluationContext context;
  // "ache" is all of B and a small part of A, so the name of A finds B.
  context.terms = term_table({{"A", "ache", {}, "A dull and steady pain of a muscle."}, {"B", "ache"}});
  const Score score =
      recovery(Measure::top1, labelled_table({{"a dull muscle", "A"}, {"ache", "B"}}), context);
  CHECK(score.value == 1);
  CHECK(score.ceiling->value == 0.5);
}

TEST_CASE("labels that are unknown or missing are left out, and said") {
  const Score some = recovery(Measure::top1, labelled_table({{"red", "A"}, {"red", "Z"}}), colours());
  CHECK(some.value == 1);
  CHECK(some.n == 1);
  CHECK(some.warnings.size() == 1);
  CHECK(some.interval);  // all of one: Wilson
  const auto reason = [](const Table& table, const EvaluationContext& context) {
    return recovery(Measure::top1, table, context).undefined;
  };
  CHECK(reason(labelled_table({{"red", "Z"}}), colours()) == "No row has a label of the term list.");
  CHECK(reason(text_table({"red"}), colours()) == "The table has no label column (role 'label').");
  CHECK(reason(labelled_table({{"red", "A"}}), {}) == "No term list was given to find labels in.");
  CHECK(reason(labelled_table({}), colours()) == "There are no texts.");
}
