// What BERT does to a text before its words are looked up (BertNormalizer and BertPreTokenizer of Hugging
// Face's tokenizers, code point by code point as the reference does it).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace synthema::detail {

struct BertTextOptions {
  bool clean = true;          // controls and U+FFFD go, white space becomes a space
  bool split_chinese = true;  // every CJK ideograph is a word
  bool strip_accents = true;  // canonical decomposition without nonspacing marks
  bool lowercase = true;
};

// The words of a text: it is normalised, then split at white space, and every punctuation mark is a word.
// Bytes that are not valid UTF-8 count as U+FFFD.
std::vector<std::u32string> bert_words(std::string_view text, const BertTextOptions& options);

}  // namespace synthema::detail
