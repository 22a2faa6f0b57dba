// Log-probabilities of texts that stand: many at once, without generation. What texts begin with in common is
// read once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/prefix_tree.hpp"
#include "synthema/model/sampler.hpp"

namespace synthema {

namespace detail {

// A stretch of tokens that is read once for all texts that it stands in, behind the stretch `base`.
struct Reading {
  std::vector<std::size_t> texts;  // the first gives the tokens
  std::size_t begin = 0, end = 0;
  Reading* base = nullptr;
  std::size_t fed = 0;    // up to here
  std::size_t users = 1;  // itself and those behind it that are not done
  std::optional<Slot> slot = {};
  bool is_long = false;  // the texts are beyond the model's short context

  std::size_t cost() const { return end - begin + (base ? kForkSlack : kBlockSlack); }  // of memory
};

// Bases before what stands behind them, and that before anything else, so that memory is held by those bases
// alone that the next one needs. `least`: tokens from which sharing pays. A text that fits into the memory
// only by itself shares nothing and comes last. Texts of more than `short_context` tokens share with their
// like.
inline std::deque<Reading> readings_of(std::span<const std::vector<TokenId>> texts, std::size_t least,
                                       std::size_t memory, std::size_t short_context) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (texts[i].size() >= 2) order.push_back(i);
  const auto is_long = [&](std::size_t text) { return texts[text].size() > short_context; };
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return is_long(a) != is_long(b) ? is_long(b) : texts[a] < texts[b];
  });
  PrefixTree tree;
  std::vector<PrefixNode*> leaves;
  for (const std::size_t text : order)  // nothing follows the last token
    leaves.push_back(tree.hold(std::span(texts[text]).first(texts[text].size() - 1), is_long(text)));
  std::deque<Reading> out;
  std::vector<std::size_t> alone;
  std::map<const PrefixNode*, Reading*> known;
  const auto add = [&](std::size_t text, std::size_t end, Reading* base) {
    const std::size_t begin = base ? base->end : 0;
    if (base) ++base->users;
    Reading& reading = out.emplace_back(Reading{{text}, begin, end, base, begin});
    reading.is_long = is_long(text);
    return &reading;
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t text = order[i], end = texts[text].size() - 1;
    const std::vector<PrefixNode*> shared = PrefixTree::plan(leaves[i], least).fresh;
    if (!shared.empty() && end + kForkSlack * (shared.size() + 1) > memory) {
      alone.push_back(text);
      continue;
    }
    Reading* base = nullptr;
    for (const PrefixNode* node : shared) {
      Reading*& reading = known[node];
      if (reading)
        reading->texts.push_back(text);
      else
        reading = add(text, node->depth, base);
      base = reading;
    }
    if (!base || base->end < end) add(text, end, base);
  }
  for (const std::size_t text : alone) add(text, texts[text].size() - 1, nullptr);
  return out;
}

}  // namespace detail

// For each text the natural log-probability of each of its tokens but the first, given those before it. About
// `rows` tokens go through the model at a time, of as many texts as it takes; at most `memory` tokens are
// held. What at least two texts begin with is read once from `least` tokens on. Of each distribution only the
// numbers asked for are kept. `between_steps` may throw to stop (an interrupt). ModelError if a text is
// longer than context or memory, or the logits are not finite.
template <LanguageModel M>
std::vector<std::vector<double>> score_tokens(M& model, std::span<const std::vector<TokenId>> texts,
                                              std::size_t rows, std::size_t memory, std::size_t least,
                                              const std::function<void()>& between_steps = {}) {
  using detail::Reading;
  rows = std::max<std::size_t>(1, rows);
  std::vector<std::vector<double>> out(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() < 2) continue;
    const std::size_t length = texts[i].size() - 1;
    if (length > model.context_limit() || length + detail::kBlockSlack > memory)
      throw ModelError(message("A text of ", texts[i].size(), " tokens cannot be scored: the context has ",
                               model.context_limit(), " and the memory holds ", memory, "."));
    out[i].resize(length);
  }
  std::deque<Reading> readings = detail::readings_of(texts, least, memory, short_context(model));
  std::vector<Reading*> open;
  std::size_t next = 0, held = 0;
  // Begun in their order while there are rows and memory.
  const auto begin_more = [&](std::size_t pending) {
    for (; next < readings.size(); ++next) {
      Reading& reading = readings[next];
      if (pending >= rows || held + reading.cost() > memory) return;
      if (reading.base && reading.base->fed < reading.base->end) return;
      reading.slot = reading.base ? model.fork(*reading.base->slot) : open_slot(model, reading.is_long);
      open.push_back(&reading);
      pending += reading.end - reading.begin;
      held += reading.cost();
    }
  };
  const auto let_go = [&](Reading* reading) {
    for (; reading && --reading->users == 0; reading = reading->base) {
      model.close(*std::exchange(reading->slot, std::nullopt));
      held -= reading->cost();
    }
  };
  try {
    for (;;) {
      if (between_steps) between_steps();
      std::size_t pending = 0;
      for (const Reading* reading : open) pending += reading->end - reading->fed;
      begin_more(pending);
      if (open.empty()) {
        if (next == readings.size()) return out;
        throw ModelError("The memory does not hold what texts share; score fewer at a time.");
      }
      std::vector<SlotStep> steps;
      std::vector<std::pair<const Reading*, std::size_t>> places;  // and position of each distribution
      std::size_t left = rows;
      for (Reading* reading : open) {
        const std::size_t now = std::min(left, reading->end - reading->fed);
        if (now == 0) break;
        steps.push_back(
            {*reading->slot, std::span(texts[reading->texts.front()]).subspan(reading->fed, now), now, {}});
        for (std::size_t i = 0; i < now; ++i) places.emplace_back(reading, reading->fed + i);
        reading->fed += now;
        left -= now;
      }
      std::vector<char> broken(places.size());
      forward_each(model, steps, [&](std::size_t which, std::size_t, std::span<const float> logits) {
        const auto [reading, position] = places[which];
        const std::size_t first = reading->texts.front();
        try {
          for (const std::size_t text : reading->texts) {
            const TokenId id = texts[text][position + 1];
            out[text][position] = text != first && id == texts[first][position + 1]
                                      ? out[first][position]
                                      : log_probability_of(logits, static_cast<std::size_t>(id));
          }
        } catch (const ModelError&) {
          broken[which] = 1;
        }
      });
      if (std::ranges::count(broken, 1) > 0)
        throw ModelError("The model's logits are not finite; the text cannot be scored.");
      for (Reading* reading : open)
        if (reading->fed == reading->end) let_go(reading);
      std::erase_if(open, [](const Reading* reading) { return reading->fed == reading->end; });
    }
  } catch (...) {
    for (const Reading& reading : readings)
      if (reading.slot) model.close(*reading.slot);
    throw;
  }
}

}  // namespace synthema
