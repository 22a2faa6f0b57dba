#include "src/model/form_masks.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace synthema::detail {

namespace {

constexpr std::size_t kMostForced = 4096;  // bytes fed forward at once

}  // namespace

bool FormMasks::admits(const Walk& w, Expression to) {
  if (!spelling_.completable(to) || (w.room != kAnyRoom && spelling_.need(to) > w.room)) return false;
  if (w.pace == Pace::closing) return pool_.remaining(to) < w.remaining;
  return w.pace == Pace::free || pool_.shortest(to) < w.shortest;
}

void FormMasks::walk(Walk& w, Node node, Expression state) {
  const VocabularyTrie& trie = *vocabulary_.trie;
  const Node begin = trie.first_child(node), end = trie.first_child(node + 1);
  if (begin == end) return;
  if (state == Expressions::kEmpty) {
    if (w.more) w.mask.crossings.push_back({node, w.path});
    return;
  }
  const std::vector<Edge>& edges = pool_.edges(state);
  auto edge = edges.begin();
  for (Node child = begin; child < end; ++child) {
    const std::uint8_t byte = trie.byte(child);
    while (edge != edges.end() && edge->last < byte) ++edge;
    if (edge == edges.end()) return;
    if (byte < edge->first) continue;
    const Expression to = edge->to;
    if (const auto tokens = trie.tokens(child); !tokens.empty() && admits(w, to)) {
      w.ids.insert(w.ids.end(), tokens.begin(), tokens.end());
      w.mask.costliest = std::max(w.mask.costliest, open_cost(w.remaining, pool_.remaining(to)));
      w.mask.farthest =
          std::max(w.mask.farthest, pool_.is_spellable(to) ? pool_.shortest(to) : spelling_.need(to));
      w.mask.is_bent |= pool_.is_bent(to);
    }
    w.path.push_back(static_cast<char>(byte));
    walk(w, child, to);
    w.path.pop_back();
  }
}

FormMasks::Walk FormMasks::walked(Expression state, Node node, Pace pace, bool more, std::uint64_t room) {
  const std::uint32_t begun = node == VocabularyTrie::root() ? 0 : 1;  // the token began before the stage
  Walk w{pace, more, pool_.remaining(state) + begun, pool_.shortest(state) + begun, room};
  walk(w, node, state);
  std::ranges::sort(w.ids);
  return w;
}

const FormMask& FormMasks::mask(Expression state, Node node, Pace pace, bool more) {
  const std::uint64_t name = key(state, node, pace, more);
  if (const auto found = masks_.find(name); found != masks_.end()) return found->second;
  if (node == VocabularyTrie::root()) {
    // Long texts look alike until their end is near: one walk for all of them. A way around a ban may need
    // what a text has left.
    const Expression alike =
        pool_.within_reach(state, static_cast<std::uint32_t>(vocabulary_.trie->longest_token()));
    if (alike != state)
      if (const FormMask& same = mask(alike, node, pace, more); !same.is_bent)
        return masks_.emplace(name, same).first->second;
  }
  Walk w = walked(state, node, pace, more);
  w.mask.ids = &*lists_.insert(std::move(w.ids)).first;
  return masks_.emplace(name, std::move(w.mask)).first->second;
}

std::vector<TokenId> FormMasks::ids_within(std::uint64_t room, Expression state, Node node, Pace pace,
                                           bool more) {
  return walked(state, node, pace, more, room).ids;
}

// --- fixed text

bool FormMasks::crosses(Node node, Expression end, bool more) {
  if (end == Expressions::kEmpty) {
    const VocabularyTrie& trie = *vocabulary_.trie;
    return more && trie.first_child(node) < trie.first_child(node + 1);  // what follows is not known yet
  }
  Walk w{Pace::free, more, 0, 0};
  walk(w, node, end);
  return !w.ids.empty() || !w.mask.crossings.empty();
}

// The last place in fixed text that no token spans, whatever follows its end.
std::size_t FormMasks::firm_end(std::string_view text, Expression end, bool more) {
  const VocabularyTrie& trie = *vocabulary_.trie;
  std::size_t firm = 0, reach = 0;  // reach: the furthest end of a token that begins before the place
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    if (reach <= begin) firm = begin;
    Node node = VocabularyTrie::root();
    for (std::size_t at = begin; at < text.size(); ++at) {
      node = trie.child(node, text[at]);
      if (node == VocabularyTrie::kNone) break;
      if (!trie.tokens(node).empty()) reach = std::max(reach, at + 1);
    }
    if (node != VocabularyTrie::kNone && crosses(node, end, more)) return firm;
  }
  return text.size();
}

std::vector<TokenId> FormMasks::forced_tokens(Expression state, bool more) {
  std::string text;
  while (text.size() < kMostForced && !pool_.accepts_empty(state)) {
    const std::vector<Edge>& edges = pool_.edges(state);
    if (edges.size() != 1 || edges.front().first != edges.front().last) break;
    text.push_back(static_cast<char>(edges.front().first));
    state = edges.front().to;
  }
  if (text.empty() || !vocabulary_.encode) return {};
  const std::size_t firm = firm_end(text, state, more);
  std::vector<TokenId> tokens = vocabulary_.encode(text);
  std::size_t size = 0, kept = 0;
  for (const TokenId id : tokens) {
    const std::string_view bytes = vocabulary_.trie->token_bytes(id);
    if (bytes.empty() || !std::string_view(text).substr(size).starts_with(bytes)) return {};  // not this text
    if (size + bytes.size() > firm) break;
    size += bytes.size();
    ++kept;
  }
  tokens.resize(kept);
  return tokens;
}

const std::vector<TokenId>& FormMasks::forced(Expression state, bool more) {
  const std::uint64_t name = key(state, 0, Pace::free, more);
  const auto found = forced_.find(name);
  return found != forced_.end() ? found->second
                                : forced_.emplace(name, forced_tokens(state, more)).first->second;
}

}  // namespace synthema::detail
