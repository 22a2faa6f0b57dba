#include "src/model/text_bans.hpp"

#include <algorithm>

namespace synthema::detail {

TextBans::TextBans(const std::vector<std::string>& texts) : nodes_(1) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    State at = kStart;
    for (const char c : texts[i]) {
      const auto byte = static_cast<std::uint8_t>(c);
      State next = child(at, byte);
      if (next == kStart) {
        next = static_cast<State>(nodes_.size());
        std::vector<Step>& children = nodes_[at].children;
        children.insert(std::ranges::upper_bound(children, byte, {}, &Step::byte), {byte, next});
        nodes_.emplace_back();
      }
      at = next;
    }
    nodes_[at].places.push_back(i + 1);
    longest_ = std::max(longest_, texts[i].size());
  }
  // Breadth first, so that shorter beginnings are done before longer ones.
  std::vector<State> queue{kStart};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const State from = queue[i];
    for (const auto& [byte, to] : nodes_[from].children) {
      if (from != kStart) nodes_[to].shorter = after(nodes_[from].shorter, byte);
      nodes_[to].completes = !nodes_[to].places.empty() || nodes_[nodes_[to].shorter].completes;
      queue.push_back(to);
    }
  }
}

TextBans::State TextBans::child(State state, std::uint8_t byte) const {
  const std::vector<Step>& children = nodes_[state].children;
  const auto found = std::ranges::lower_bound(children, byte, {}, &Step::byte);
  return found != children.end() && found->byte == byte ? found->to : kStart;
}

const std::vector<TextBans::Step>& TextBans::steps(State state) {
  if (!nodes_[state].steps) {
    std::vector<Step> out = nodes_[state].children;
    if (state != kStart)
      for (const Step& step : steps(nodes_[state].shorter))
        if (child(state, step.byte) == kStart) out.push_back(step);
    std::ranges::sort(out, {}, &Step::byte);
    nodes_[state].steps = &steps_.emplace_back(std::move(out));
  }
  return *nodes_[state].steps;
}

TextBans::State TextBans::after(State state, std::uint8_t byte) {
  for (;; state = nodes_[state].shorter) {
    const State next = child(state, byte);
    if (next != kStart || state == kStart) return next;
  }
}

TextBans::State TextBans::after_text(std::string_view text) {
  State state = kStart;
  for (const char c : text.substr(text.size() - std::min(text.size(), longest_)))
    state = after(state, static_cast<std::uint8_t>(c));
  return state;
}

void TextBans::add_places(State state, std::set<std::size_t>& out) const {
  for (; state != kStart; state = nodes_[state].shorter)
    out.insert(nodes_[state].places.begin(), nodes_[state].places.end());
}

}  // namespace synthema::detail
