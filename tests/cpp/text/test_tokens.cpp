#include <doctest/doctest.h>

#include "synthema/text/tokens.hpp"

using namespace synthema;
using Words = std::vector<std::string>;

TEST_CASE("words are runs of letters and digits, lower-cased") {
  CHECK(words("Chest-pain, 3.5 days!") == Words{"chest", "pain", "3", "5", "days"});
  CHECK(words("") == Words{});
  CHECK(words(" \n—…“”") == Words{});
  CHECK(words("Ménière’s ÉCOUTE Straße") == Words{"ménière", "s", "écoute", "straße"});
  CHECK(words("ΑΣΘΕΝΉΣ Больной") ==
        Words{"ασθενήσ", "больной"});  // no final-sigma rule: one code point, one case
  CHECK(words("头痛 two") == Words{"头", "痛", "two"});
  CHECK(words("good😀bad") == Words{"good", "bad"});
  CHECK(words("a\xFF"
              "b") == Words{"a", "b"});  // a byte that is no UTF-8 separates
}

TEST_CASE("lower case keeps what it does not know") {
  CHECK(lower_case("ÀÉŁŹŽ×IJ") == "àéłźž×ij");
  CHECK(lower_case("x\xFFY") == "x\xFFy");
}

TEST_CASE("sentences end before a space, at the end, or by a blank line") {
  CHECK(sentence_count("") == 0);
  CHECK(sentence_count(" ... ") == 0);
  CHECK(sentence_count("One") == 1);
  CHECK(sentence_count("Took 3.5 mg. Felt \"fine.\" Really? Yes!") == 4);
  CHECK(sentence_count("Title\n\nBody goes on\nhere") == 2);
  CHECK(sentence_count("头痛。发热。") == 2);
}
