#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "synthema/core/random.hpp"
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

TEST_CASE("words of long texts are those of a character at a time, and of a text read before nothing stays") {
  Random random(3);
  JoinedWords joined;
  for (std::size_t trial = 0; trial < 400; ++trial) {
    std::string text, word;
    Words expected;
    const auto close = [&] {
      if (!word.empty()) expected.push_back(word);
      word.clear();
    };
    for (std::size_t left = random.below(300); left > 0; --left) {
      if (trial % 2 == 1 && random.below(100) == 0) {  // from here on not ASCII
        text += "Öß";
        word += "öß";
        continue;
      }
      const auto c = static_cast<char>(random.below(trial % 4 < 2 ? 128 : 2) + (trial % 4 < 2 ? 0 : 'Y'));
      text += c;
      const bool upper = c >= 'A' && c <= 'Z';
      if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        word += static_cast<char>(upper ? c + ('a' - 'A') : c);
      else
        close();
    }
    close();
    CAPTURE(text);
    CHECK(words(text) == expected);
    CHECK(has_words(text) == !expected.empty());
    joined.read(text);
    REQUIRE(joined.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(joined[i] == expected[i]);
  }
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
