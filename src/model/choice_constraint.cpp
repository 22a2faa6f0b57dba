#include "synthema/model/choice_constraint.hpp"

#include <algorithm>
#include <numeric>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

std::vector<bool> finishable_offsets(const VocabularyTrie& trie, std::string_view choice) {
  std::vector<bool> out(choice.size() + 1, false);
  out[choice.size()] = true;
  for (std::size_t at = choice.size(); at-- > 0;) {
    VocabularyTrie::Node node = trie.root();
    for (std::size_t end = at; end < choice.size() && !out[at];) {
      node = trie.child(node, choice[end++]);
      if (node == VocabularyTrie::kNone) break;
      if (out[end] && !trie.tokens(node).empty()) out[at] = true;
    }
  }
  return out;
}

}  // namespace

VocabularyTrie::VocabularyTrie(std::vector<std::string> bytes) : bytes_(std::move(bytes)) {
  std::vector<TokenId> sorted;
  for (std::size_t id = 0; id < bytes_.size(); ++id)
    if (!bytes_[id].empty()) sorted.push_back(static_cast<TokenId>(id));
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

ChoiceConstraint::ChoiceConstraint(std::shared_ptr<const VocabularyTrie> trie,
                                   std::vector<std::string> choices)
    : trie_(std::move(trie)) {
  std::ranges::sort(choices);
  choices.erase(std::unique(choices.begin(), choices.end()), choices.end());
  if (choices.empty() || choices.front().empty())
    throw ConfigError("A choice needs at least one string, and none of them may be empty.");
  auto out = std::make_shared<Choices>();
  for (const std::string& choice : choices) {
    out->finishable.push_back(finishable_offsets(*trie_, choice));
    if (!out->finishable.back().front())
      throw ConfigError(
          message("A choice of ", choice.size(), " bytes cannot be spelt with the tokens of this model."));
  }
  out->sorted = std::move(choices);
  choices_ = std::move(out);
}

ChoiceConstraint::Range ChoiceConstraint::starting_with(std::string_view text) const {
  const auto head = [&](const std::string& choice) {
    return std::string_view(choice).substr(0, text.size());
  };
  const auto first = choices_->sorted.begin();
  const auto begin = std::ranges::lower_bound(choices_->sorted, text, {}, head);
  const auto end = std::ranges::upper_bound(choices_->sorted, text, {}, head);
  return {static_cast<std::size_t>(begin - first), static_cast<std::size_t>(end - first)};
}

bool ChoiceConstraint::can_finish(Range range, std::size_t offset) const {
  for (std::size_t i = range.begin; i < range.end; ++i)
    if (choices_->finishable[i][offset]) return true;
  return false;
}

// Walks the choices in `range`, which agree up to `offset`, and the vocabulary side by side.
void ChoiceConstraint::walk(Range range, std::size_t offset, VocabularyTrie::Node node,
                            TokenMask& mask) const {
  if (node != trie_->root() && can_finish(range, offset))
    for (const TokenId id : trie_->tokens(node)) mask.allow(id);
  const auto& sorted = choices_->sorted;
  for (std::size_t i = range.begin; i < range.end;) {
    if (sorted[i].size() == offset) {  // this choice ends here; it sorts before its continuations
      ++i;
      continue;
    }
    const char byte = sorted[i][offset];
    std::size_t stop = i + 1;
    while (stop < range.end && sorted[stop][offset] == byte) ++stop;
    if (const auto child = trie_->child(node, byte); child != VocabularyTrie::kNone)
      walk({i, stop}, offset + 1, child, mask);
    i = stop;
  }
}

void ChoiceConstraint::fill_mask(TokenMask& mask) const {
  if (mask.size() < trie_->vocabulary_size())
    throw ConfigError(
        message("The mask has ", mask.size(), " places for ", trie_->vocabulary_size(), " tokens."));
  mask.clear();
  walk(starting_with(text_), text_.size(), trie_->root(), mask);
}

bool ChoiceConstraint::accept(TokenId id) {
  const std::string_view bytes = trie_->token_bytes(id);
  if (bytes.empty()) return false;
  const std::size_t before = text_.size();
  text_ += bytes;
  if (const Range range = starting_with(text_);
      range.begin == range.end || !can_finish(range, text_.size())) {
    text_.resize(before);
    return false;
  }
  sizes_.push_back(before);
  return true;
}

void ChoiceConstraint::rollback(std::size_t n) {
  if (n > sizes_.size())
    throw ConfigError(
        message("A rollback of ", n, " tokens was asked for, but ", sizes_.size(), " were accepted."));
  if (n == 0) return;
  text_.resize(sizes_[sizes_.size() - n]);
  sizes_.resize(sizes_.size() - n);
}

bool ChoiceConstraint::is_complete() const {
  return std::ranges::binary_search(choices_->sorted, text_);
}

void ChoiceConstraint::reset() {
  text_.clear();
  sizes_.clear();
}

}  // namespace synthema
