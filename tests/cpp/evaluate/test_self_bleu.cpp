#include <doctest/doctest.h>

#include <cmath>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/self_bleu.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

using Texts = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("self-BLEU by hand") {
  // abcd against abce: 3/4, 2/3, 1/2 and no 4-gram, which counts as 0.1 of 1.
  CHECK(self_bleu_by_text(Texts{{"a", "b", "c", "d"}, {"a", "b", "c", "e"}})[0] ==
        Approx(std::pow(3.0 / 4 * 2 / 3 / 2 * 0.1, 0.25)));
  CHECK(self_bleu_by_text(Texts{{"a", "b", "c", "d"}, {"a", "b", "c", "d"}})[0] == Approx(1));
  CHECK(self_bleu_by_text(Texts{{"a"}, {"b"}})[0] == 0);
  // abcd inside abcdef: all matches, but four words against six.
  CHECK(self_bleu_by_text(Texts{{"a", "b", "c", "d"}, {"a", "b", "c", "d", "e", "f"}})[0] ==
        Approx(std::exp(1 - 6.0 / 4)));
  CHECK_THROWS_AS(self_bleu_by_text(Texts{{"a"}}), EvaluationError);
}

TEST_CASE("each text against all the others") {
  // aa: the largest count of "a" among the others is 1, so 1/2 matches; aa itself is no reference of its own.
  const auto scores = self_bleu_by_text(Texts{{"a", "a"}, {"a", "b"}, {"c", "c"}});
  CHECK(scores[0] == Approx(std::pow(0.5 * 0.1 * 0.1 * 0.1, 0.25)));
  CHECK(scores[2] == 0);
}

TEST_CASE("the evaluator averages, and says when it drew some of the texts") {
  const Table table = text_table({"a b c d", "a b c d", "x y", "x z"});
  const auto by_text =
      self_bleu_by_text(Texts{{"a", "b", "c", "d"}, {"a", "b", "c", "d"}, {"x", "y"}, {"x", "z"}});
  const Score score = SelfBleu().evaluate(nullptr, table, {});
  CHECK(score.value == Approx((by_text[0] + by_text[1] + by_text[2] + by_text[3]) / 4));
  CHECK(nonconformities(SelfBleu(), nullptr, table, {}).empty());
  const Score drawn = SelfBleu(2).evaluate(nullptr, table, {});
  CHECK(drawn.n == 2);
  CHECK(drawn.warnings == std::vector<std::string>{"Computed on 2 of 4 texts, drawn by the seed."});
  CHECK_FALSE(SelfBleu().evaluate(nullptr, text_table({"a"}), {}).value);
}
