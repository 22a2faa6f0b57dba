// BestOf: asks every question of another strategy n times and goes on with the likeliest answer: that of the
// largest mean log-probability of its drawn tokens (length-normalised likelihood; Adiwardana et al. 2020,
// sec. 3.2, rank samples so). It raises plausibility and lowers diversity: report both.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/prompt/exchange.hpp"
#include "synthema/prompt/prompt_strategy.hpp"

namespace synthema {

// Index of the likeliest answer, the first of equals; answers that failed come last. ConfigError if an answer
// has no log-probability.
inline std::size_t likeliest(const std::vector<Completion>& answers) {
  std::size_t best = answers.size();
  double best_mean = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].finish == Finish::failed) continue;
    const std::optional<double> mean = answers[i].mean_log_probability();
    if (!mean)
      throw ConfigError(
          {.field = "best_of"},
          "The model tells no log-probabilities, so the likeliest answer cannot be chosen; a local "
          "model does.");
    if (best == answers.size() || *mean > best_mean) best = i, best_mean = *mean;
  }
  return best == answers.size() ? 0 : best;
}

template <PromptStrategy S>
class BestOf {
 public:
  // ConfigError: n is 0.
  BestOf(S inner, std::size_t n)
      : inner_(std::move(inner)), n_(n), name_(message("best_of_", n, "(", inner_.name(), ")")) {
    if (n == 0)
      throw ConfigError({.field = "n"}, "The best of no answers cannot be chosen; n must be at least 1.");
  }

  std::string_view name() const { return name_; }
  PartOptions options() const { return part_options(inner_); }  // the name tells the rest

  Exchange compose(Task task, Random random) const {
    Exchange inner = inner_.compose(std::move(task), random);
    inner.start();
    while (!inner.done()) {
      std::vector<Prompt> prompts;
      for (const Prompt& question : inner.questions()) prompts.insert(prompts.end(), n_, question);
      std::vector<Completion> answers = co_await ask(std::move(prompts));
      std::vector<Completion> chosen;
      for (auto first = answers.begin(); first != answers.end(); first += static_cast<std::ptrdiff_t>(n_)) {
        std::vector<Completion> same(first, first + static_cast<std::ptrdiff_t>(n_));
        chosen.push_back(std::move(same[likeliest(same)]));
      }
      inner.answer(std::move(chosen));
    }
    co_return inner.take();
  }

 private:
  S inner_;
  std::size_t n_;
  std::string name_;
};

}  // namespace synthema
