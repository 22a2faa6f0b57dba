// What every prompt strategy promises, as a test that a plug-in's author can run: nonconformities(strategy,
// task) gives one sentence per broken promise; an empty result means that none was found.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/prompt/prompt_strategy.hpp"

namespace synthema {

namespace detail {

struct Transcript {
  std::vector<Prompt> questions;
  Draft draft;
  bool ended = false;
  friend bool operator==(const Transcript&, const Transcript&) = default;
};

template <PromptStrategy S>
Transcript transcript(const S& strategy, const Task& task,
                      const std::function<std::string(const Prompt&)>& answer) {
  constexpr std::size_t too_many = 1000;
  Transcript out;
  Exchange exchange = strategy.compose(task, Random(7));
  exchange.start();
  while (!exchange.done() && out.questions.size() < too_many) {
    std::vector<Completion> answers;
    for (const Prompt& prompt : exchange.questions()) {
      out.questions.push_back(prompt);
      answers.emplace_back();
      answers.back().text = prompt.choices.empty() ? answer(prompt) : prompt.choices.front();
    }
    exchange.answer(std::move(answers));
  }
  out.ended = exchange.done();
  if (out.ended) out.draft = exchange.take();
  return out;
}

}  // namespace detail

// `answer` stands in for a model (a choice among strings gets the first one). Tried: a name; the same
// questions and the same row for the same task, random stream and answers; an end; a row with values;
// exemplars that the pool has; and an exchange that is dropped at its first question. What the strategy
// throws comes out.
template <PromptStrategy S>
std::vector<std::string> nonconformities(
    const S& strategy, const Task& task,
    const std::function<std::string(const Prompt&)>& answer = [](const Prompt&) { return "An answer."; }) {
  std::vector<std::string> out;
  if (std::string_view(strategy.name()).empty()) out.push_back("The strategy has no name.");
  {
    Exchange dropped = strategy.compose(task, Random(7));
    dropped.start();
  }
  const detail::Transcript first = detail::transcript(strategy, task, answer);
  if (!first.ended) {
    out.push_back("The exchange did not end after a thousand questions.");
    return out;
  }
  if (!(detail::transcript(strategy, task, answer) == first))
    out.push_back("The same task, random stream and answers gave other questions or another row.");
  if (first.draft.values.empty()) out.push_back("The row has no values.");
  const std::size_t pool = task.exemplars ? task.exemplars->rows() : 0;
  for (const std::uint64_t shown : first.draft.exemplars)
    if (shown >= pool)
      out.push_back(message("The draft names exemplar ", shown, " of a pool of ", pool, "."));
  return out;
}

}  // namespace synthema
