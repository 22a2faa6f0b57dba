#include <doctest/doctest.h>

#include <cmath>

#include "synthema/core/error.hpp"
#include "synthema/evaluate/text/bleu.hpp"

using namespace synthema;
using doctest::Approx;
using Words = std::vector<std::string>;

TEST_CASE("13a tokens") {
  CHECK(tokens_13a("Pain for 3.5 days, really.") == Words{"Pain", "for", "3.5", "days", ",", "really", "."});
  CHECK(tokens_13a("1,000 mg (x)") == Words{"1,000", "mg", "(", "x", ")"});
  CHECK(tokens_13a("10-20 a-b") == Words{"10", "-", "20", "a-b"});  // a dash after a digit stands alone
  CHECK(tokens_13a("&quot;A&amp;B&quot;<skipped>") == Words{"\"", "A", "&", "B", "\""});
  CHECK(tokens_13a("un-\ndone\nline ") == Words{"undone", "line"});
  CHECK(tokens_13a(" \n").empty());
}

TEST_CASE("precision of orders 1 to 4") {
  CHECK(sentence_bleu("a b c d e", "a b c d f") == Approx(100 * std::pow(4.0 / 5 * 3 / 4 * 2 / 3 / 2, 0.25)));
  CHECK(sentence_bleu("a b c d", "a b c d") == Approx(100));
  CHECK(sentence_bleu("a a a a", "a b c d") ==
        Approx(100 * std::pow(0.25 * (1.0 / 6) * (1.0 / 8) / 8, 0.25)));
}

TEST_CASE("brevity, smoothing and effective order") {
  CHECK(sentence_bleu("a b c d", "a b c d e") == Approx(100 * std::exp(1 - 5.0 / 4)));
  // No 4-gram of one matches: it counts as half a match.
  CHECK(sentence_bleu("a b c x", "a b c d") == Approx(100 * std::pow(3.0 / 4 * 2 / 3 / 2 / 2, 0.25)));
  CHECK(sentence_bleu("a b", "a b") == Approx(100));    // a sentence is judged by the orders it has
  CHECK(corpus_bleu(Words{"a b"}, Words{"a b"}) == 0);  // a corpus is not
  CHECK(sentence_bleu("x", "a") == 0);
  CHECK(sentence_bleu("", "a") == 0);
}

TEST_CASE("a corpus adds the counts up") {
  const Words hypotheses{"a b c d", "e f g h i"}, references{"a b c d", "e f g h j"};
  // 8/9, 6/7, 4/5, 2/3 and equal lengths.
  CHECK(corpus_bleu(hypotheses, references) == Approx(100 * std::pow(8.0 / 9 * 6 / 7 * 4 / 5 * 2 / 3, 0.25)));
  CHECK_THROWS_AS(corpus_bleu(hypotheses, Words{"a"}), EvaluationError);
}
