#include <doctest/doctest.h>

#include <algorithm>
#include <map>

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
  CHECK(trie.find(NgramTrie::root, 2) == unigrams[1]);
  CHECK(trie.find(unigrams[0], 2) == bigrams[0]);
  CHECK(trie.find(unigrams[0], 3) == NgramTrie::root);
  CHECK(NgramTrie().find(NgramTrie::root, 1) == NgramTrie::root);
}

TEST_CASE("overlaps count what a search over all pairs of n-grams counts") {
  Random random(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<WordId> a(random.below(40)), b(random.below(40));
    for (WordId& word : a) word = static_cast<WordId>(random.below(4));
    for (WordId& word : b) word = static_cast<WordId>(random.below(5));
    const auto overlaps = ngram_overlaps(a, b, 5);
    REQUIRE(overlaps.size() == 5);
    for (std::size_t order = 1; order <= 5; ++order) {
      const auto grams = [&](const std::vector<WordId>& of) {
        std::map<std::vector<WordId>, std::uint64_t> out;
        for (std::size_t i = 0; i + order <= of.size(); ++i)
          ++out[{of.begin() + static_cast<std::ptrdiff_t>(i),
                 of.begin() + static_cast<std::ptrdiff_t>(i + order)}];
        return out;
      };
      const auto in_a = grams(a), in_b = grams(b);
      std::uint64_t all_a = 0, all_b = 0, matches = 0;
      for (const auto& [gram, count] : in_a) {
        all_a += count;
        if (in_b.contains(gram)) matches += std::min(count, in_b.at(gram));
      }
      for (const auto& [gram, count] : in_b) all_b += count;
      CHECK(overlaps[order - 1].in_a == all_a);
      CHECK(overlaps[order - 1].in_b == all_b);
      CHECK(overlaps[order - 1].matches == matches);
    }
  }
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
