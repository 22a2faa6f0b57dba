#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/evaluate/text/chrf.hpp"

using namespace synthema;
using doctest::Approx;
using Words = std::vector<std::string>;

TEST_CASE("chrF worked by hand: precision and recall by order, then their mean") {
  // Orders 1 and 2 are in both: precision 1, recall 2/3 and 1/2; the mean 7/12, and F with beta 2.
  CHECK(sentence_chrf("ab", "abc") == Approx(100 * 5 * (7.0 / 12) / (4 + 7.0 / 12)));
  // Without white space 'abcde' and 'abcdf': 4/5, 3/4, 2/3, 1/2 and 0 of orders 1 to 5; there is no sixth.
  CHECK(sentence_chrf("a b c d e", "a b c d f") == Approx(100 * (4.0 / 5 + 3.0 / 4 + 2.0 / 3 + 1.0 / 2) / 5));
}

TEST_CASE("chrF of sacreBLEU 2.6.0") {
  CHECK(sentence_chrf("The patient denies chest pain, but reports dyspnea.",
                      "The patient denies any chest pain but reports mild dyspnea.") ==
        Approx(70.82625425713516).epsilon(1e-12));
  CHECK(sentence_chrf("abcdefgh", "abcdefg") == Approx(95.15349630471859).epsilon(1e-12));
  CHECK(corpus_chrf(Words{"The patient denies chest pain, but reports dyspnea.", "No acute distress."},
                    Words{"The patient denies any chest pain but reports mild dyspnea.",
                          "She is in no acute distress."}) == Approx(69.07871326185085).epsilon(1e-12));
}

TEST_CASE("characters, not bytes") {
  CHECK(sentence_chrf("M\u00e9ni\u00e8re x", "Meniere x") == Approx(22.420634920634924).epsilon(1e-12));
  CHECK(sentence_chrf("a\u2003b", "ab") == Approx(100));  // an em space is white space
}

TEST_CASE("empty texts and unequal corpora") {
  CHECK(sentence_chrf("", "a") == 0);
  CHECK(sentence_chrf("a", "") == 0);
  CHECK(sentence_chrf("xyz", "abc") == 0);
  CHECK_THROWS_AS(corpus_chrf(Words{"a"}, Words{}), EvaluationError);
}
