#include "synthema/model/vocabulary_trie.hpp"

#include <algorithm>

namespace synthema {

VocabularyTrie::VocabularyTrie(std::vector<std::string> bytes) : bytes_(std::move(bytes)) {
  std::vector<TokenId> sorted;
  for (std::size_t id = 0; id < bytes_.size(); ++id)
    if (!bytes_[id].empty()) sorted.push_back(static_cast<TokenId>(id));
  for (const std::string& token : bytes_) longest_ = std::max(longest_, token.size());
  const auto spelt = [&](TokenId id) -> const std::string& { return bytes_[static_cast<std::size_t>(id)]; };
  std::ranges::stable_sort(sorted, {}, spelt);
  // Breadth first: each node stands for a stretch of the sorted tokens that share a beginning.
  struct Stretch {
    std::size_t begin, end, depth;
  };
  std::vector<Stretch> queue{{0, sorted.size(), 0}};
  entries_.push_back({});
  for (std::size_t node = 0; node < queue.size(); ++node) {
    auto [begin, end, depth] = queue[node];
    entries_[node].first_token = static_cast<std::uint32_t>(order_.size());
    entries_[node].first_child = static_cast<std::uint32_t>(queue.size());
    for (; begin < end && spelt(sorted[begin]).size() == depth; ++begin) order_.push_back(sorted[begin]);
    while (begin < end) {
      const char byte = spelt(sorted[begin])[depth];
      std::size_t stop = begin;
      while (stop < end && spelt(sorted[stop])[depth] == byte) ++stop;
      queue.push_back({begin, stop, depth + 1});
      entries_.push_back({0, 0, static_cast<std::uint8_t>(byte)});
      begin = stop;
    }
  }
  entries_.push_back(
      {static_cast<std::uint32_t>(queue.size()), static_cast<std::uint32_t>(order_.size()), 0});
}

std::shared_ptr<const VocabularyTrie> VocabularyTrie::without(std::span<const TokenId> ids) const {
  std::vector<std::string> bytes = bytes_;
  for (const TokenId id : ids)
    if (id >= 0 && static_cast<std::size_t>(id) < bytes.size()) bytes[static_cast<std::size_t>(id)].clear();
  return std::make_shared<const VocabularyTrie>(std::move(bytes));
}

VocabularyTrie::Node VocabularyTrie::child(Node node, char byte) const {
  const auto begin = entries_.begin() + entries_[node].first_child,
             end = entries_.begin() + entries_[node + 1].first_child;
  const auto wanted = static_cast<std::uint8_t>(byte);
  const auto hit =
      std::lower_bound(begin, end, wanted, [](const Entry& entry, std::uint8_t b) { return entry.byte < b; });
  return hit != end && hit->byte == wanted ? static_cast<Node>(hit - entries_.begin()) : kNone;
}

std::span<const TokenId> VocabularyTrie::tokens(Node node) const {
  return std::span(order_).subspan(entries_[node].first_token,
                                   entries_[node + 1].first_token - entries_[node].first_token);
}

std::string_view VocabularyTrie::token_bytes(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= bytes_.size()) return {};
  return bytes_[static_cast<std::size_t>(id)];
}

bool VocabularyTrie::spells(std::uint8_t byte) const {
  const Node node = child(root(), static_cast<char>(byte));
  return node != kNone && !tokens(node).empty();
}

}  // namespace synthema
