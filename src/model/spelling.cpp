#include "src/model/spelling.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kMostSearched = 20'000;    // states in a search for a spelling
constexpr std::uint32_t kLongestRest = 1 << 16;  // bytes whose spelling is looked for

}  // namespace

// Vocabularies that lack single bytes: is there a spelling at all?
bool Spelling::completable(Expression state) {
  if (state == Expressions::kNothing) return false;
  if (pool_.is_spellable(state) || fewest(state) != kNever) return true;
  const auto found = spelt_.find(state);
  return found != spelt_.end() ? found->second : search(state);
}

void Spelling::targets(VocabularyTrie::Node node, Expression state, std::set<Expression>& out) {
  for (VocabularyTrie::Node child = trie_.first_child(node); child < trie_.first_child(node + 1); ++child) {
    const Expression to = pool_.after(state, trie_.byte(child));
    if (to == Expressions::kNothing) continue;
    if (!trie_.tokens(child).empty()) out.insert(to);
    targets(child, to, out);
  }
}

// Breadth first over tokens, until one leads to where single bytes are enough.
bool Spelling::search(Expression state) {
  std::set<Expression> seen{state};
  std::vector<Expression> queue{state};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    std::set<Expression> next;
    targets(VocabularyTrie::root(), queue[i], next);
    for (const Expression to : next) {
      const auto known = spelt_.find(to);
      if (pool_.is_spellable(to) || (known != spelt_.end() && known->second)) return spelt_[state] = true;
      if (known == spelt_.end() && seen.insert(to).second) queue.push_back(to);
    }
    if (queue.size() > kMostSearched)
      throw ConfigError(
          "The tokens of this model spell so few bytes that the constraint cannot be checked; use a simpler "
          "one.");
  }
  for (const Expression one : queue) spelt_[one] = false;
  return false;
}

std::uint32_t Spelling::fewest(Expression state) {
  if (pool_.shortest(state) > kLongestRest) return kNever;
  if (const auto found = fewest_.find(state); found != fewest_.end()) return found->second;
  // The way to the end, or so far beyond a known state that no token leads further.
  std::vector<Expression> way{state};
  std::string text;
  for (std::size_t stop = kLongestRest; pool_.shortest(way.back()) > 0 && text.size() < stop;) {
    if (stop == kLongestRest && fewest_.contains(way.back())) stop = text.size() + trie_.longest_token();
    const auto& edges = pool_.edges(way.back());
    const auto next = std::ranges::find_if(
        edges, [&](const Edge& edge) { return pool_.shortest(edge.to) + 1 == pool_.shortest(way.back()); });
    if (next == edges.end()) return kNever;
    text.push_back(static_cast<char>(next->first));
    way.push_back(next->to);
  }
  for (std::size_t i = way.size(); i-- > 0;) {
    if (fewest_.contains(way[i])) continue;
    std::uint32_t best = pool_.shortest(way[i]) == 0 ? 0 : kNever;
    VocabularyTrie::Node node = VocabularyTrie::root();
    for (std::size_t at = i; at < text.size() && best != 0; ++at) {
      node = trie_.child(node, text[at]);
      if (node == VocabularyTrie::kNone) break;
      const std::uint32_t rest = trie_.tokens(node).empty() ? kNever : fewest_.at(way[at + 1]);
      if (rest != kNever) best = std::min(best, rest + 1);
    }
    fewest_.emplace(way[i], best);
  }
  return fewest_.at(state);
}

std::uint64_t Spelling::need(Expression state) {
  if (const std::uint32_t tokens = fewest(state); tokens != kNever) return tokens;
  const std::uint64_t longest = longest_token();
  return (pool_.shortest(state) + longest - 1) / longest;
}

// Bytes of the longest token that can occur in an answer, or more.
std::size_t Spelling::longest_token() {
  if (longest_token_ > 0) return longest_token_;
  const auto occurs = [&](char byte) { return bytes_[static_cast<unsigned char>(byte)]; };
  for (std::size_t id = 0; id < trie_.vocabulary_size(); ++id) {
    const std::string_view token = trie_.token_bytes(static_cast<TokenId>(id));
    if (token.size() > longest_token_ && std::ranges::all_of(token, occurs)) longest_token_ = token.size();
  }
  return longest_token_ = std::max<std::size_t>(1, longest_token_);
}

}  // namespace synthema::detail
