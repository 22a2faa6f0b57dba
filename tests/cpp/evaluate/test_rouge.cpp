#include <doctest/doctest.h>

#include "synthema/core/error.hpp"
#include "synthema/evaluate/text/rouge.hpp"

using namespace synthema;
using doctest::Approx;
using Words = std::vector<std::string>;

TEST_CASE("tokens are lower-cased runs of ASCII letters and digits") {
  CHECK(rouge_tokens("Chest-pain, 3 days; né") == Words{"chest", "pain", "3", "days", "n"});
  CHECK(rouge_tokens("running runs gas", true) == Words{"run", "run", "gas"});  // three letters are kept
}

TEST_CASE("ROUGE-N counts clipped n-grams") {
  const RougeScore one = rouge_n("the cat sat", "the cat ran fast", 1);
  CHECK(one.precision == Approx(2.0 / 4));
  CHECK(one.recall == Approx(2.0 / 3));
  CHECK(one.f1 == Approx(4.0 / 7));
  CHECK(rouge_n("the cat sat", "the cat ran fast", 2).f1 == Approx(2.0 / 5));
  CHECK(rouge_n("a b", "a a a", 1).precision == Approx(1.0 / 3));  // the second "a" finds no partner
  CHECK(rouge_n("a", "a", 2) == RougeScore{});
  CHECK_THROWS_AS(rouge_n("a", "a", 0), ConfigError);
}

TEST_CASE("ROUGE-L needs the order") {
  CHECK(rouge_l("a b c d", "a x c d").recall == Approx(3.0 / 4));
  CHECK(rouge_l("a b", "b a").f1 == Approx(1.0 / 2));
  CHECK(rouge_l("", "a") == RougeScore{});
}

TEST_CASE("ROUGE-Lsum takes the union over sentences: the example of Lin (2004), section 3.2") {
  const RougeScore score = rouge_lsum("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5");
  CHECK(score.recall == Approx(4.0 / 5));  // w1 w2 of one, w1 w3 w5 of the other
  CHECK(score.precision == Approx(4.0 / 10));
  CHECK(rouge_lsum("a b\n\nc", "a b\nc").f1 == Approx(1));  // empty lines are no sentences
}
