// Sets of three words in a row, exactly: there is no hash that could collide.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/text/intern_texts.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/text/ngrams.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema::detail {

// The numbers of three words side by side. Where there are too many words for that, the number of the first
// two as a pair, and the third. What a short text lacks of three is a word that no text has.
using Shingle = std::uint64_t;
using Shingles = std::vector<Shingle>;  // a set, ascending

constexpr std::size_t kBitsOfWord = 21;
constexpr WordId kLackingWord = (1U << kBitsOfWord) - 1;

// `most_words`: different ones whose numbers stand side by side, at most kLackingWord.
inline std::vector<Shingles> shingle_sets(std::span<const std::vector<std::string>> texts,
                                          std::size_t threads, std::size_t most_words = kLackingWord) {
  Vocabulary vocabulary;
  std::vector<std::vector<WordId>> numbers = intern_texts(texts, vocabulary, threads);
  const bool fits = vocabulary.size() <= most_words;
  NgramTrie pairs;  // a word stands for the node of its own
  std::vector<Shingles> sets(texts.size());
  parallel_for(
      sets.size(),
      [&](std::size_t row) {
        std::vector<WordId> text = std::move(numbers[row]);
        text.resize(std::max<std::size_t>(text.size(), 3), fits ? kLackingWord : Vocabulary::unknown);
        Shingles set(text.size() - 2);
        for (std::size_t i = 0; i < set.size(); ++i)
          set[i] = fits ? ((Shingle{text[i]} << kBitsOfWord | text[i + 1]) << kBitsOfWord) | text[i + 2]
                        : Shingle{pairs.child(text[i], text[i + 1])} << 32 | text[i + 2];
        std::sort(set.begin(), set.end());
        set.erase(std::unique(set.begin(), set.end()), set.end());
        sets[row] = std::move(set);
      },
      fits ? threads : 1, 64);
  return sets;
}

}  // namespace synthema::detail
