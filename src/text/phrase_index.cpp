#include "synthema/text/phrase_index.hpp"

#include <algorithm>

#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {
constexpr std::uint32_t kNone = 0xFFFFFFFF;
}

void PhraseIndex::add(std::span<const std::string> source_words) {
  std::uint32_t last = 0;  // a fresh start per source: a generalised automaton
  for (const std::string& word : source_words) last = extend(last, vocabulary_.intern(word));
}

void PhraseIndex::add_text(std::string_view text) {
  add(words(text));
}

// State of (phrase of `last`) + word, created if it is not there yet.
std::uint32_t PhraseIndex::extend(std::uint32_t last, WordId word) {
  if (const auto found = states_[last].next.find(word); found != states_[last].next.end()) {
    const std::uint32_t target = found->second;
    return states_[target].length == states_[last].length + 1 ? target : clone(last, word, target);
  }
  const auto fresh = static_cast<std::uint32_t>(states_.size());
  states_.push_back({states_[last].length + 1, 0, {}});
  std::uint32_t at = last;
  while (at != kNone && !states_[at].next.contains(word)) {
    states_[at].next[word] = fresh;
    at = at == 0 ? kNone : states_[at].link;
  }
  if (at != kNone) {
    const std::uint32_t target = states_[at].next[word];
    const bool direct = states_[target].length == states_[at].length + 1;
    const std::uint32_t link = direct ? target : clone(at, word, target);
    states_[fresh].link = link;
  }
  return fresh;
}

// Splits `target`: its shorter phrases, those ending in (phrase of `from`) + word, get a state of their own.
std::uint32_t PhraseIndex::clone(std::uint32_t from, WordId word, std::uint32_t target) {
  const auto copy = static_cast<std::uint32_t>(states_.size());
  State state = states_[target];
  state.length = states_[from].length + 1;
  states_.push_back(std::move(state));
  states_[target].link = copy;
  for (std::uint32_t at = from;;) {
    const auto found = states_[at].next.find(word);
    if (found == states_[at].next.end() || found->second != target) break;
    found->second = copy;
    if (at == 0) break;
    at = states_[at].link;
  }
  return copy;
}

std::vector<std::size_t> PhraseIndex::matched_lengths(std::span<const std::string> text_words) const {
  std::vector<std::size_t> out;
  out.reserve(text_words.size());
  std::uint32_t state = 0;
  std::size_t length = 0;
  for (const WordId word : vocabulary_.find_all(text_words)) {
    auto next = states_[state].next.find(word);
    while (next == states_[state].next.end() && state != 0) {
      state = states_[state].link;
      length = states_[state].length;
      next = states_[state].next.find(word);
    }
    if (next != states_[state].next.end()) {
      state = next->second;
      ++length;
    }
    out.push_back(length);
  }
  return out;
}

std::size_t PhraseIndex::longest_run(std::span<const std::string> text_words) const {
  const std::vector<std::size_t> lengths = matched_lengths(text_words);
  return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
}

std::size_t longest_common_run(std::span<const std::string> a, std::span<const std::string> b) {
  PhraseIndex index;
  index.add(a);
  return index.longest_run(b);
}

}  // namespace synthema
