#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "src/text/intern_texts.hpp"
#include "synthema/core/random.hpp"

using namespace synthema;

TEST_CASE(
    "words of many texts have the numbers that one text after another gives, on any number of threads") {
  Random random(7);
  std::vector<std::string> texts(700);  // three vocabularies of their own, and none of no text
  for (std::string& text : texts)
    for (auto words = random.below(12); words > 0; --words)
      text += " W" + std::to_string(random.below(random.below(2) ? 20 : 3000)) + ",";
  Vocabulary one_by_one;
  one_by_one.intern("known before");
  Vocabulary before = one_by_one;
  std::vector<std::vector<WordId>> expected;
  for (const auto& text : texts) expected.push_back(one_by_one.intern_all(words(text)));
  for (const std::size_t threads : {1, 2, 5}) {
    Vocabulary vocabulary = before;
    CHECK(detail::intern_texts(texts, vocabulary, threads) == expected);
    CHECK(vocabulary.size() == one_by_one.size());
    CHECK(vocabulary.words().back() == one_by_one.words().back());
  }
  CHECK(detail::intern_texts({}, before, 2).empty());
}
