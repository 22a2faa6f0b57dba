// Words as small numbers: each different string gets the next id, in the order of first sight.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synthema {

using WordId = std::uint32_t;

class Vocabulary {
 public:
  WordId intern(std::string_view word) {
    if (2 * words_.size() >= slots_.size()) grow();
    const std::size_t hash = hash_of(word), at = slot_of(word, hash);
    if (slots_[at].id == unknown) {
      slots_[at] = {check_of(hash), static_cast<WordId>(words_.size())};
      words_.emplace_back(word);
    }
    return slots_[at].id;
  }
  std::optional<WordId> find(std::string_view word) const {
    if (words_.empty()) return std::nullopt;
    const WordId id = slots_[slot_of(word, hash_of(word))].id;
    return id == unknown ? std::nullopt : std::optional(id);
  }
  std::size_t size() const { return words_.size(); }
  std::span<const std::string> words() const { return words_; }  // by number

  std::vector<WordId> intern_all(std::span<const std::string> words) {
    std::vector<WordId> out;
    out.reserve(words.size());
    for (const std::string& word : words) out.push_back(intern(word));
    return out;
  }
  // Words never seen become `unknown`, which no interned word has.
  static constexpr WordId unknown = 0xFFFFFFFF;
  std::vector<WordId> find_all(std::span<const std::string> words) const {
    std::vector<WordId> out;
    out.reserve(words.size());
    for (const std::string& word : words) out.push_back(find(word).value_or(unknown));
    return out;
  }

 private:
  static constexpr std::size_t kFirstSlots = 64;
  // Open addressing: millions of words are looked up, most of them known, and each look costs one miss of the
  // cache where a list of nodes costs two or three.
  struct Slot {
    std::uint32_t check = 0;  // of the hash, so that few other words are compared
    WordId id = unknown;
  };
  static std::size_t hash_of(std::string_view word) { return std::hash<std::string_view>{}(word); }
  static std::uint32_t check_of(std::size_t hash) {
    return static_cast<std::uint32_t>(std::uint64_t{hash} >> 32);
  }
  // Where the word is, or where it belongs.
  std::size_t slot_of(std::string_view word, std::size_t hash) const {
    const std::size_t last = slots_.size() - 1;
    std::size_t at = hash & last;
    while (slots_[at].id != unknown && (slots_[at].check != check_of(hash) || words_[slots_[at].id] != word))
      at = (at + 1) & last;
    return at;
  }
  void grow() {
    slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), {});
    for (WordId id = 0; id < words_.size(); ++id) {
      const std::size_t hash = hash_of(words_[id]);
      slots_[slot_of(words_[id], hash)] = {check_of(hash), id};
    }
  }

  std::vector<std::string> words_;  // by id
  std::vector<Slot> slots_;         // a power of two, at most half of them taken
};

}  // namespace synthema
