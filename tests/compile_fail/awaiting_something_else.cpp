// expect: await|AskOne|Completion
#include "synthema/prompt/prompt_strategy.hpp"

// Only ask(...) can be awaited: an exchange talks to its model and to nothing else.
struct Strategy {
  std::string_view name() const { return "once"; }
  synthema::Exchange compose(synthema::Task, synthema::Random) const {
#ifdef MISTAKE
    const synthema::Completion answer = co_await synthema::Prompt::plain("Once");
#else
    const synthema::Completion answer = co_await synthema::ask(synthema::Prompt::plain("Once"));
#endif
    co_return synthema::Draft({{"text", answer.text}});
  }
};

static_assert(synthema::PromptStrategy<Strategy>);

int main() {}
