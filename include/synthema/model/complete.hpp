// complete(): asks a model some prompts and waits for all answers. For scripts, tests and notebooks; a run
// of many rows is the driver's work (room generate), which also resumes and checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "synthema/model/completion_model.hpp"

namespace synthema {

// Answers in the order of the prompts. Prompt i draws from Random::for_call(seed, i, 0, 0), so adding prompts
// at the end changes no earlier answer. A prompt's own sampling values replace `sampling`. `between_polls`
// may throw to stop (an interrupt); the model then forgets what is under way.
template <CompletionModel M>
std::vector<Completion> complete(M& model, std::vector<Prompt> prompts, const Sampling& sampling = {},
                                 std::uint64_t seed = 0, const std::function<void()>& between_polls = {}) {
  sampling.check();
  std::vector<CompletionRequest> requests;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Sampling values = prompts[i].sampling.value_or(sampling);
    requests.emplace_back(i, std::move(prompts[i]), values, Random::for_call(seed, i, 0, 0));
  }
  std::vector<Completion> answers(requests.size());
  model.submit(std::move(requests));
  try {
    for (std::size_t left = answers.size(); left > 0;) {
      std::vector<FinishedCompletion> finished = model.poll();
      if (finished.empty()) std::this_thread::yield();
      left -= finished.size();
      for (FinishedCompletion& one : finished)
        answers.at(static_cast<std::size_t>(one.id)) = std::move(one.completion);
      if (between_polls) between_polls();
    }
  } catch (...) {
    model.discard();
    throw;
  }
  return answers;
}

}  // namespace synthema
