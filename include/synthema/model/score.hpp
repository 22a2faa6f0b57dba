// Log-probabilities of texts that stand: many at once, without generation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/sampler.hpp"

namespace synthema {

// For each text the natural log-probability of each of its tokens but the first, given those before it. About
// `rows` tokens go through the model at a time, of as many texts as it takes; at most `memory` tokens are
// held. Of each distribution only one number is kept. ModelError if a text is longer than context or memory,
// or the logits are not finite.
template <LanguageModel M>
std::vector<std::vector<double>> score_tokens(M& model, std::span<const std::vector<TokenId>> texts,
                                              std::size_t rows, std::size_t memory) {
  struct Reading {
    std::size_t text = 0, fed = 0;
    Slot slot = 0;
  };
  rows = std::max<std::size_t>(1, rows);
  std::vector<std::vector<double>> out(texts.size());
  std::vector<Reading> open;
  std::size_t next = 0, held = 0;
  const auto length = [&](std::size_t text) { return texts[text].size() - 1; };  // nothing follows the last
  const auto cost = [&](std::size_t text) { return length(text) + 32; };         // memory comes in blocks
  // Texts are begun in their order while there are rows and memory.
  const auto begin_more = [&](std::size_t pending) {
    for (; next < texts.size(); ++next) {
      if (texts[next].size() < 2) continue;
      if (length(next) > model.context_limit() || cost(next) > memory)
        throw ModelError(message("A text of ", texts[next].size(),
                                 " tokens cannot be scored: the context has ", model.context_limit(),
                                 " and the memory holds ", memory, "."));
      if (pending >= rows || held + cost(next) > memory) return;
      out[next].resize(length(next));
      open.push_back({next, 0, model.open()});
      pending += length(next);
      held += cost(next);
    }
  };
  try {
    for (;;) {
      std::size_t pending = 0;
      for (const Reading& reading : open) pending += length(reading.text) - reading.fed;
      begin_more(pending);
      if (open.empty()) return out;
      std::vector<SlotStep> steps;
      std::vector<std::pair<std::size_t, std::size_t>> places;  // text and position of each distribution
      std::size_t left = rows;
      for (Reading& reading : open) {
        const std::size_t now = std::min(left, length(reading.text) - reading.fed);
        if (now == 0) break;
        steps.push_back({reading.slot, std::span(texts[reading.text]).subspan(reading.fed, now), now, {}});
        for (std::size_t i = 0; i < now; ++i) places.emplace_back(reading.text, reading.fed + i);
        reading.fed += now;
        left -= now;
      }
      std::vector<char> broken(places.size());
      forward_each(model, steps, [&](std::size_t which, std::size_t, std::span<const float> logits) {
        const auto [text, position] = places[which];
        try {
          out[text][position] =
              log_probability_of(logits, static_cast<std::size_t>(texts[text][position + 1]));
        } catch (const ModelError&) {
          broken[which] = 1;
        }
      });
      if (std::ranges::count(broken, 1) > 0)
        throw ModelError("The model's logits are not finite; the text cannot be scored.");
      for (const Reading& reading : open)
        if (reading.fed == length(reading.text)) {
          model.close(reading.slot);
          held -= cost(reading.text);
        }
      std::erase_if(open, [&](const Reading& r) { return r.fed == length(r.text); });
    }
  } catch (...) {
    for (const Reading& reading : open) model.close(reading.slot);
    throw;
  }
}

}  // namespace synthema
