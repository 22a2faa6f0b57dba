#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/text/vocabulary.hpp"

using namespace synthema;

TEST_CASE("each different word has its number: of any length, with any bytes") {
  Random random(5);
  Vocabulary vocabulary;
  std::map<std::string, WordId> expected;
  for (std::size_t i = 0; i < 20000; ++i) {
    std::string word(random.below(12), 'a');  // few letters, zero bytes among them: words differ in little
    for (char& c : word) c = "\0ab"[random.below(3)];
    if (random.below(8) == 0) word = std::string(30, 'x') + word;
    const auto [entry, fresh] = expected.try_emplace(word, static_cast<WordId>(expected.size()));
    CHECK(vocabulary.find(word).has_value() == !fresh);
    CHECK(vocabulary.intern(word) == entry->second);
    CHECK(vocabulary.find(word) == entry->second);
  }
  CHECK(vocabulary.size() == expected.size());
  for (const auto& [word, id] : expected) CHECK(vocabulary.words()[id] == word);
  CHECK(vocabulary.find_all(std::vector<std::string>{"never seen"}) ==
        std::vector<WordId>{Vocabulary::unknown});
}
