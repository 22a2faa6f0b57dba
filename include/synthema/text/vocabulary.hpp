// Words as small numbers: each different string gets the next id, in the order of first sight.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/hash_place.hpp"

namespace synthema {

using WordId = std::uint32_t;

class Vocabulary {
 public:
  WordId intern(std::string_view word) {
    if (2 * words_.size() >= slots_.size()) grow();
    const Slot wanted = slot_for(word);
    Slot& slot = slots_[place_of(word, wanted)];
    if (slot.id == unknown) {
      slot = wanted;
      slot.id = static_cast<WordId>(words_.size());
      words_.emplace_back(word);
    }
    return slot.id;
  }
  std::optional<WordId> find(std::string_view word) const {
    if (words_.empty()) return std::nullopt;
    const WordId id = slots_[place_of(word, slot_for(word))].id;
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
  // cache where a list of nodes costs two or three. Most words are short: their bytes are compared in the
  // slot itself.
  struct Slot {
    std::uint64_t key = 0;  // with the length, the bytes of a word of up to 8; of a longer one its hash
    std::uint32_t length = 0;
    WordId id = unknown;
  };
  static constexpr std::size_t kInSlot = 8;

  template <class Number>
  static std::uint64_t bytes_at(const char* at) {
    Number out = 0;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
  static std::uint64_t key_of(std::string_view word) {
    const char* const at = word.data();
    const std::size_t length = word.size();
    if (length > kInSlot) return std::hash<std::string_view>{}(word);
    if (length >= 4) return bytes_at<std::uint32_t>(at) | bytes_at<std::uint32_t>(at + length - 4) << 32;
    if (length == 0) return 0;
    return bytes_at<std::uint8_t>(at) | bytes_at<std::uint8_t>(at + length / 2) << 8 |
           bytes_at<std::uint8_t>(at + length - 1) << 16;
  }
  static Slot slot_for(std::string_view word) {
    return {key_of(word), static_cast<std::uint32_t>(word.size()), unknown};
  }
  // Where the word is, or where it belongs.
  std::size_t place_of(std::string_view word, const Slot& wanted) const {
    const std::size_t last = slots_.size() - 1;
    std::size_t at = hash_place(wanted.key ^ wanted.length, slots_.size());
    while (slots_[at].id != unknown && !is_of(slots_[at], word, wanted)) at = (at + 1) & last;
    return at;
  }
  bool is_of(const Slot& slot, std::string_view word, const Slot& wanted) const {
    return slot.key == wanted.key && slot.length == wanted.length &&
           (word.size() <= kInSlot || words_[slot.id] == word);
  }
  void grow() {
    slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), {});
    for (WordId id = 0; id < words_.size(); ++id) {
      Slot slot = slot_for(words_[id]);
      slot.id = id;
      slots_[place_of(words_[id], slot)] = slot;
    }
  }

  std::vector<std::string> words_;  // by id
  std::vector<Slot> slots_;         // a power of two, at most half of them taken
};

}  // namespace synthema
