// expect: must take its Task and its Random by value
#include "synthema/prompt/any_prompt_strategy.hpp"

// What a coroutine takes by reference is gone when it resumes.
#ifdef MISTAKE
using Given = const synthema::Task&;
#else
using Given = synthema::Task;
#endif
struct Strategy {
  std::string_view name() const { return "once"; }
  synthema::Exchange compose(Given task, synthema::Random) const {
    const synthema::Completion answer = co_await synthema::ask(synthema::Prompt::plain("Once"));
    co_return synthema::Draft({{"text", answer.text}, {"row", static_cast<std::int64_t>(task.row)}});
  }
};

const synthema::AnyPromptStrategy strategy = Strategy{};

int main() {}
