#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/memorisation.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using Measure = Memorisation::Measure;

namespace {

EvaluationContext shown(const std::vector<std::string>& exemplars) {
  EvaluationContext context;
  context.exemplars = std::make_shared<const Table>(text_table(exemplars));
  return context;
}
Score copied(Measure measure, const Table& table, const EvaluationContext& context) {
  return Memorisation(measure).evaluate(nullptr, table, context);
}

}  // namespace

TEST_CASE("runs and 5-grams that the exemplars have too") {
  const EvaluationContext context = shown({"one two three four five six seven eight nine", "x y z"});
  const Table table = text_table({"One two three four five six!",  // both of its 5-grams, a run of 6
                                  "a two three four five six b",   // 1 of 3, a run of 5
                                  "one two three four five six seven eight"});  // all 4, a run of 8
  CHECK(copied(Measure::overlap, table, context).value == Approx(7.0 / 9));
  const Score run = copied(Measure::longest_run, table, context);
  CHECK(run.value == Approx((6 + 5 + 8) / 3.0));
  CHECK(part_of(run, "maximum") == 8);
  CHECK(copied(Measure::long_copies, table, context).value == Approx(1.0 / 3));
  for (const Measure measure : {Measure::overlap, Measure::longest_run, Measure::long_copies})
    CHECK(nonconformities(Memorisation(measure), nullptr, table, context).empty());
}

TEST_CASE("a run never crosses two exemplars") {
  const Score run = copied(Measure::longest_run, text_table({"a b c d"}), shown({"a b", "c d"}));
  CHECK(run.value == 2);
}

TEST_CASE("definitions count for the labels that occur") {
  EvaluationContext context;
  context.terms =
      term_table({{"A", "alpha", {}, "a long and narrow path"}, {"B", "beta", {}, "the wide open sea"}});
  const auto run = [&](const Table& table) { return copied(Measure::longest_run, table, context).value; };
  CHECK(run(labelled_table({{"a long and narrow path", "A"}})) == 5);
  CHECK(run(labelled_table({{"the wide open sea", "A"}})) == 0);  // B's definition was not shown
  CHECK(run(text_table({"the wide open sea"})) == 4);             // no labels: all of them
}

TEST_CASE("exemplars and definitions apart, and a ceiling of texts that nobody wrote from them") {
  EvaluationContext context = shown({"my head hurts since monday"});
  context.terms = term_table({{"A", "alpha", {}, "a pain in the head"}});
  context.holdout = std::make_shared<const Table>(text_table({"my head hurts", "nothing"}));
  const Score run =
      copied(Measure::longest_run, labelled_table({{"my head hurts a pain in the head", "A"}}), context);
  CHECK(run.value == 5);
  CHECK(part_of(run, "exemplars") == 3);
  CHECK(part_of(run, "definitions") == 5);
  CHECK(run.ceiling->value == 1.5);
}

TEST_CASE("nothing was shown, or nothing is long enough") {
  CHECK_FALSE(copied(Measure::overlap, text_table({"a"}), {}).value);
  CHECK(copied(Measure::overlap, text_table({"a b c d"}), shown({"a b c d"})).undefined ==
        "No text has five words or more.");
}
