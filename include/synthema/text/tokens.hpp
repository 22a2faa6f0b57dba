// Words and sentences of a text, without tables of Unicode properties and without a model.
//
// A word is a maximal run of letters and digits, lower-cased. Letters: ASCII letters, and every code point
// from U+00AA up that is not punctuation, symbol, space or emoji by block (the list is in tokens.cpp).
// Ideographs, kana and Hangul syllables are not segmented into words: each ideograph or kana is a word of its
// own, Hangul runs stay whole. Lower-casing covers ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic;
// other scripts keep their case. A letter and its mark are the one character that Unicode has for both (NFC,
// text/nfc.hpp); other combining marks stay in the word they follow. Bytes that are not UTF-8 separate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"

namespace synthema {

// "Chest-pain, 3.5 days" -> {"chest", "pain", "3", "5", "days"}.
std::vector<std::string> words(std::string_view text);

// Whether there is a word, without making it.
bool has_words(std::string_view text);

// The same words, lying in one string: for many texts, as read() takes no memory anew.
class SYNTHEMA_EXPORT JoinedWords {
 public:
  void read(std::string_view text);  // in place of what was read before
  std::size_t size() const { return ends_.size(); }
  // Valid until the next read(); i < size().
  std::string_view operator[](std::size_t i) const {
    return std::string_view(letters_).substr(begins_[i], ends_[i] - begins_[i]);
  }

 private:
  void read_composed(std::string_view text);
  std::size_t read_ascii(std::string_view text);  // as far as it goes
  void read_rest(std::string_view text, std::size_t at);
  std::string letters_;
  std::vector<std::size_t> begins_, ends_;  // of the words, in letters_
};

// Lower-cased by the rule above; other code points unchanged.
std::string lower_case(std::string_view text);

// Runs ended by . ! ? … or their full-width forms before a space or the end, or by a blank line; what stands
// after the last end counts as one. "3.5" ends nothing; abbreviations ("Dr. Lee") are not known and do.
std::size_t sentence_count(std::string_view text);

}  // namespace synthema
