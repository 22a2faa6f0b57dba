#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/literal_name.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

TEST_CASE("a name or a synonym counts as whole words in a row") {
  EvaluationContext context;
  context.terms = term_table({{"T", "Headache", {"sore head"}, "Pain in the skull."}, {"U", "Fever"}});
  const Table table = labelled_table({{"A HEADACHE, again.", "T"},
                                      {"I have a sore-head", "T"},       // punctuation does not matter
                                      {"my head is sore", "T"},          // the order does
                                      {"two headaches", "T"},            // another word
                                      {"pain in the skull", "T"},        // the definition is no name
                                      {"headache and no other", "U"}});  // another label's name
  const Score score = LiteralNameShare().evaluate(nullptr, table, context);
  CHECK(score.value == Approx(2.0 / 6));
  CHECK(part_of(score, "T") == Approx(2.0 / 5));
  CHECK(part_of(score, "U") == 0.0);
  CHECK(nonconformities(LiteralNameShare(), nullptr, table, context).empty());
}

TEST_CASE("without labels or terms there is nothing to say") {
  EvaluationContext context;
  CHECK_FALSE(LiteralNameShare().evaluate(nullptr, labelled_table({{"a", "T"}}), context).value);
  context.terms = term_table({{"T", "Headache"}});
  CHECK_FALSE(LiteralNameShare().evaluate(nullptr, text_table({"a"}), context).value);
  CHECK_FALSE(LiteralNameShare().evaluate(nullptr, labelled_table({{"a", "Z"}}), context).value);
}
