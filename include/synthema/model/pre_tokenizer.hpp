// Splits text into the words that byte-level BPE merges within. The rules are the published regular
// expressions of each family, written out as scanners over character classes:
//   gpt2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//   smollm  every \p{N} by itself, then gpt2 within what lies between
//   llama3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
//           \s*[\r\n]+|\s+(?!\S)|\s+
//   qwen2   as llama3 with \p{N} instead of \p{N}{1,3}
// A byte that is not valid UTF-8 counts as one character of class "other" and is kept as it is.
#pragma once

#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"

namespace synthema {

class SYNTHEMA_EXPORT PreTokenizer {
 public:
  // "gpt2", "smollm", "llama3" or "qwen2"; ModelError otherwise.
  static PreTokenizer named(std::string_view name);
  // The words in order; joined they are `text`.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  enum class Rule { gpt2, smollm, llama3, qwen2 };
  explicit PreTokenizer(Rule rule) : rule_(rule) {}
  Rule rule_;
};

}  // namespace synthema
