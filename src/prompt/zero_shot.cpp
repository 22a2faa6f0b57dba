#include "synthema/prompt/zero_shot.hpp"

#include <algorithm>

namespace synthema {

ZeroShot::ZeroShot(ZeroShotOptions options)
    : options_(std::move(options)),
      instruction_(options_.instruction, "instruction"),
      system_(options_.system, "system") {
  std::ranges::for_each(options_.stop, check_stop);
  if (instruction_.empty())
    throw ConfigError({.field = "instruction"},
                      "A zero-shot strategy needs an instruction, but it is empty.");
  if (!options_.chat && !options_.system.empty())
    throw ConfigError({.field = "system"},
                      "A plain prompt has no system message; use the chat form or leave it empty.");
}

Prompt ZeroShot::prompt(const Record& record) const {
  Prompt prompt = Prompt::plain(instruction_.render(record));
  if (options_.chat) prompt = Prompt::user(std::move(prompt.text));
  if (!system_.empty()) prompt.messages.emplace(prompt.messages.begin(), "system", system_.render(record));
  prompt.stop = options_.stop;
  prompt.sampling = options_.sampling;
  return prompt;
}

PartOptions ZeroShot::options() const {
  PartOptions out{{{"instruction", options_.instruction},
                   {"system", options_.system},
                   {"field", options_.field},
                   {"chat", options_.chat}}};
  out.add("stop", options_.stop);
  out.add(options_.sampling);
  return out;
}

Exchange ZeroShot::compose(Task task, Random) const {
  const Completion answer = co_await ask(prompt(task.condition));
  co_return Draft(with_text(std::move(task.condition), options_.field, trimmed(answer.text)));
}

}  // namespace synthema
