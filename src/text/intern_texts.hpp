// The words of many texts as numbers, on several threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/parallel.hpp"
#include "synthema/text/tokens.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema::detail {

// The numbers that interning the words() of one text after another gives. Texts that lie together first get a
// vocabulary of their own; these are then interned in order, a few words for many.
inline std::vector<std::vector<WordId>> intern_texts(std::span<const std::string> texts,
                                                     Vocabulary& vocabulary, std::size_t threads) {
  constexpr std::size_t kTogether = 256;
  const std::size_t parts = (texts.size() + kTogether - 1) / kTogether;
  std::vector<std::vector<WordId>> out(texts.size()), numbers(parts);
  std::vector<Vocabulary> own(parts);
  const auto each_text_of = [&](std::size_t part, const auto& visit) {
    const std::size_t last = std::min(texts.size(), (part + 1) * kTogether);
    for (std::size_t i = part * kTogether; i < last; ++i) visit(i);
  };
  parallel_for(
      parts,
      [&](std::size_t part) {
        JoinedWords words;
        each_text_of(part, [&](std::size_t i) {
          words.read(texts[i]);
          out[i].reserve(words.size());
          for (std::size_t w = 0; w < words.size(); ++w) out[i].push_back(own[part].intern(words[w]));
        });
      },
      threads);
  for (std::size_t part = 0; part < parts; ++part) numbers[part] = vocabulary.intern_all(own[part].words());
  parallel_for(
      parts,
      [&](std::size_t part) {
        each_text_of(part, [&](std::size_t i) {
          for (WordId& word : out[i]) word = numbers[part][word];
        });
      },
      threads);
  return out;
}

}  // namespace synthema::detail
