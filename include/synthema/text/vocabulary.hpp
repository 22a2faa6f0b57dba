// Words as small numbers: each different string gets the next id, in the order of first sight.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace synthema {

using WordId = std::uint32_t;

class Vocabulary {
 public:
  WordId intern(std::string_view word) {
    if (const auto found = ids_.find(word); found != ids_.end()) return found->second;
    const auto id = static_cast<WordId>(ids_.size());
    ids_.emplace(std::string(word), id);
    return id;
  }
  std::optional<WordId> find(std::string_view word) const {
    const auto found = ids_.find(word);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
  std::size_t size() const { return ids_.size(); }

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
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, WordId, Hash, std::equal_to<>> ids_;
};

}  // namespace synthema
