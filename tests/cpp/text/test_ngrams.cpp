#include <doctest/doctest.h>

#include <algorithm>

#include "synthema/core/random.hpp"
#include "synthema/text/ngrams.hpp"
#include "synthema/text/phrase_index.hpp"
#include "synthema/text/tokens.hpp"

using namespace synthema;

TEST_CASE("n-gram ids are equal exactly where the n-grams are") {
  NgramTrie trie;
  const std::vector<WordId> text = {1, 2, 1, 2, 1};
  const auto bigrams = trie.intern(text, 2);
  CHECK(bigrams.size() == 4);
  CHECK(bigrams[0] == bigrams[2]);
  CHECK(bigrams[0] != bigrams[1]);
  CHECK(trie.intern(text, 6).empty());
  const auto unigrams = trie.intern(text, 1);
  CHECK(std::find(bigrams.begin(), bigrams.end(), unigrams[0]) == bigrams.end());
  const std::vector<WordId> other = {2, 1, 3};
  CHECK(overlap(trie.count(text, 2), trie.count(other, 2)) == 1);
  CHECK(total(trie.count(text, 1)) == 5);
}

namespace {

std::vector<std::string> random_text(Random& random, std::size_t length) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < length; ++i) out.emplace_back(1, static_cast<char>('a' + random.below(3)));
  return out;
}

// By trying every phrase: how many words ending at `end` (inclusive) form a phrase of one of the sources.
std::size_t matched_by_search(const std::vector<std::vector<std::string>>& sources,
                              const std::vector<std::string>& text, std::size_t end) {
  for (std::size_t length = end + 1; length > 0; --length) {
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(end + 1 - length);
    for (const auto& source : sources)
      if (std::search(source.begin(), source.end(), begin, begin + static_cast<std::ptrdiff_t>(length)) !=
          source.end())
        return length;
  }
  return 0;
}

}  // namespace

TEST_CASE("the phrase index finds what a search over all phrases finds") {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<std::string>> sources;
    PhraseIndex index;
    for (std::size_t s = 0; s < 1 + random.below(4); ++s) {
      sources.push_back(random_text(random, random.below(12)));
      index.add(sources.back());
    }
    auto text = random_text(random, 15);
    if (round % 3 == 0) text[5] = "unseen";
    const auto lengths = index.matched_lengths(text);
    REQUIRE(lengths.size() == text.size());
    for (std::size_t end = 0; end < text.size(); ++end)
      REQUIRE(lengths[end] == matched_by_search(sources, text, end));
  }
}

TEST_CASE("longest common run") {
  CHECK(longest_common_run(words("the patient denies chest pain today"), words("She denies chest pain.")) ==
        3);
  CHECK(longest_common_run({}, words("a")) == 0);
}
