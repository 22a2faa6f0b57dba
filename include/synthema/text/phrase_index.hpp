// All phrases of a set of source texts, to find out what another text copies from them. A suffix automaton
// (Blumer et al. 1985) over words: built in one pass over the sources, asked in one pass over the text, so
// "longest copied run" and "share of 5-grams that occur in the sources" cost the same single scan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

class SYNTHEMA_EXPORT PhraseIndex {
 public:
  PhraseIndex() : states_(1) {}

  // Phrases never span two sources.
  void add(std::span<const std::string> source_words);
  void add_text(std::string_view text);  // words(text)

  // For each word of the text: how many words, ending with it, form a phrase of a source (0: the word occurs
  // in none).
  std::vector<std::size_t> matched_lengths(std::span<const std::string> text_words) const;
  // The longest run of words that text and one source share.
  std::size_t longest_run(std::span<const std::string> text_words) const;

 private:
  struct State {
    std::size_t length = 0;
    std::uint32_t link = 0;
    std::map<WordId, std::uint32_t> next;
  };
  std::uint32_t extend(std::uint32_t last, WordId word);
  std::uint32_t clone(std::uint32_t from, WordId word, std::uint32_t target);

  Vocabulary vocabulary_;
  std::vector<State> states_;  // state 0 is the empty phrase
};

// Longest run of words two texts share.
std::size_t longest_common_run(std::span<const std::string> a, std::span<const std::string> b);

}  // namespace synthema
