// Sets of three words in a row, exactly: there is no hash that could collide.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/text/intern_texts.hpp"
#include "synthema/core/hash_place.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/text/ngrams.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema::detail {

// The numbers of three words side by side. Where there are too many words for that, the number of the first
// two as a pair, and the third. What a short text lacks of three is a word that no text has.
using Shingle = std::uint64_t;
using Shingles = std::vector<Shingle>;  // a set, in the order of the text

// The shingles of one text, to ask for; refilled for text after text.
class ShingleSet {
 public:
  void clear(std::size_t most) {  // that will be inserted
    const std::size_t wanted = std::bit_ceil(2 * most + 1);
    if (places_.size() < wanted) places_.assign(wanted, {});
    if (++now_ == 0) {
      places_.assign(places_.size(), {});
      now_ = 1;
    }
  }
  bool insert(Shingle shingle) {  // false: it was there
    Place& place = places_[find(shingle)];
    if (place.when == now_) return false;
    place = {shingle, now_};
    return true;
  }
  bool contains(Shingle shingle) const { return places_[find(shingle)].when == now_; }

 private:
  struct Place {
    Shingle shingle = 0;
    std::uint32_t when = 0;  // filled since the clear() of that number
  };
  std::size_t find(Shingle shingle) const {
    std::size_t at = hash_place(shingle, places_.size());
    while (places_[at].when == now_ && places_[at].shingle != shingle) at = (at + 1) & (places_.size() - 1);
    return at;
  }
  std::vector<Place> places_;  // open addressing, a power of two
  std::uint32_t now_ = 0;
};

constexpr std::size_t kBitsOfWord = 21;
constexpr WordId kLackingWord = (1U << kBitsOfWord) - 1;

// `most_words`: different ones whose numbers stand side by side, at most kLackingWord.
inline std::vector<Shingles> shingle_sets(std::span<const std::string> texts, std::size_t threads,
                                          std::size_t most_words = kLackingWord) {
  Vocabulary vocabulary;
  std::vector<std::vector<WordId>> numbers = intern_texts(texts, vocabulary, threads);
  const bool fits = vocabulary.size() <= most_words;
  NgramTrie pairs;  // a word stands for the node of its own
  std::vector<Shingles> sets(texts.size());
  constexpr std::size_t kTogether = 64;
  parallel_for(
      (sets.size() + kTogether - 1) / kTogether,
      [&](std::size_t part) {
        ShingleSet known;
        for (std::size_t row = part * kTogether; row < std::min(sets.size(), (part + 1) * kTogether); ++row) {
          std::vector<WordId> text = std::move(numbers[row]);
          text.resize(std::max<std::size_t>(text.size(), 3), fits ? kLackingWord : Vocabulary::unknown);
          known.clear(text.size() - 2);
          sets[row].reserve(text.size() - 2);
          for (std::size_t i = 0; i + 2 < text.size(); ++i) {
            const Shingle one =
                fits ? ((Shingle{text[i]} << kBitsOfWord | text[i + 1]) << kBitsOfWord) | text[i + 2]
                     : Shingle{pairs.child(text[i], text[i + 1])} << 32 | text[i + 2];
            if (known.insert(one)) sets[row].push_back(one);
          }
        }
      },
      fits ? threads : 1);
  return sets;
}

}  // namespace synthema::detail
