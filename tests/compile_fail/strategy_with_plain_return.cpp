// expect: PromptStrategy
#include "synthema/prompt/any_prompt_strategy.hpp"

// compose must be a coroutine: a prompt alone has no way to go on after the answer.
struct Strategy {
  std::string_view name() const { return "once"; }
#ifdef MISTAKE
  synthema::Prompt compose(synthema::Task, synthema::Random) const { return synthema::Prompt::plain("Once"); }
#else
  synthema::Exchange compose(synthema::Task, synthema::Random) const {
    const synthema::Completion answer = co_await synthema::ask(synthema::Prompt::plain("Once"));
    co_return synthema::Draft({{"text", answer.text}});
  }
#endif
};

const synthema::AnyPromptStrategy strategy = Strategy{};

int main() {}
