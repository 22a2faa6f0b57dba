// expect: PromptStrategy
#include "synthema/prompt/any_prompt_strategy.hpp"

struct Strategy {
#ifndef MISTAKE
  std::string_view name() const { return "once"; }
#endif
  synthema::Exchange compose(synthema::Task, synthema::Random) const {
    const synthema::Completion answer = co_await synthema::ask(synthema::Prompt::plain("Once"));
    co_return synthema::Draft({{"text", answer.text}});
  }
};

const synthema::AnyPromptStrategy strategy = Strategy{};

int main() {}
