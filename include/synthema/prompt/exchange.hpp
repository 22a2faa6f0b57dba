// An Exchange is the conversation of one attempt: a coroutine that asks, waits and returns a Draft.
// It knows no model. Whoever holds it (the driver, and only the driver) reads `questions()`, gets them
// answered by whatever model there is, and calls `answer`. Thousands are in flight at once.
//
// Rules for a compose() coroutine, each one learnt from g++ 12 under AddressSanitizer:
//   1. take parameters by value, never by reference or view: they dangle when the coroutine resumes
//      (a Task or a Random by reference does not compile);
//   2. types built in the operand of co_await need constructors (aggregates there are destroyed twice);
//   3. no braced list in that operand: build the vector first;
//   4. never co_await inside ?: (use after free); if/else is fine.
// The driver keeps strategy and task alive until the exchange ends.
#pragma once

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/prompt/completion.hpp"
#include "synthema/prompt/prompt.hpp"
#include "synthema/prompt/task.hpp"

namespace synthema {

class Exchange {
 public:
  struct promise_type {
    std::vector<Prompt> questions;
    std::vector<Completion> answers;
    Draft draft;
    std::exception_ptr error;

    Exchange get_return_object() { return Exchange(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(Draft value) { draft = std::move(value); }
    void unhandled_exception() noexcept { error = std::current_exception(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Exchange() = default;
  Exchange(Exchange&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Exchange& operator=(Exchange&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Exchange() {
    if (handle_) handle_.destroy();  // half-way is fine: locals are destroyed where the coroutine waits
  }

  // Runs to the first question or to the end. Call once.
  void start() { resume(); }
  bool done() const { return handle_.done(); }
  // The prompts waiting for an answer; not empty unless done() (asking for nothing is answered at once).
  const std::vector<Prompt>& questions() const { return handle_.promise().questions; }
  // One completion per question, in order; runs to the next question or to the end.
  // What the coroutine throws comes out of here (and of start()).
  void answer(std::vector<Completion> completions) {
    if (completions.size() != questions().size())
      throw GenerationError(message("An exchange asked ", counted(questions().size(), "question"),
                                    " but was given ", completions.size(), " answers."));
    handle_.promise().answers = std::move(completions);
    handle_.promise().questions.clear();
    resume();
  }
  // The finished draft; done() must be true.
  Draft take() { return std::move(handle_.promise().draft); }

 private:
  explicit Exchange(Handle handle) : handle_(handle) {}
  void resume() {
    handle_.resume();
    if (handle_.promise().error) std::rethrow_exception(std::exchange(handle_.promise().error, nullptr));
  }
  Handle handle_;
};

// co_await ask(prompt) gives a Completion; co_await ask(prompts) gives a vector of them in the same order.
class AskOne {
 public:
  explicit AskOne(Prompt prompt) : prompt_(std::move(prompt)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(Exchange::Handle handle) {
    promise_ = &handle.promise();
    promise_->questions.clear();
    promise_->questions.push_back(std::move(prompt_));
  }
  Completion await_resume() { return std::move(promise_->answers.front()); }

 private:
  Prompt prompt_;
  Exchange::promise_type* promise_ = nullptr;
};

class AskMany {
 public:
  explicit AskMany(std::vector<Prompt> prompts) : prompts_(std::move(prompts)) {}
  bool await_ready() const noexcept { return prompts_.empty(); }
  void await_suspend(Exchange::Handle handle) {
    promise_ = &handle.promise();
    promise_->questions = std::move(prompts_);
  }
  std::vector<Completion> await_resume() {
    if (!promise_) return {};
    return std::move(promise_->answers);
  }

 private:
  std::vector<Prompt> prompts_;
  Exchange::promise_type* promise_ = nullptr;
};

inline AskOne ask(Prompt prompt) {
  return AskOne(std::move(prompt));
}
inline AskMany ask(std::vector<Prompt> prompts) {
  return AskMany(std::move(prompts));
}

}  // namespace synthema

namespace synthema::detail {

template <class Argument>
constexpr bool dangles_in_coroutine =
    std::is_reference_v<Argument> && (std::is_same_v<std::remove_cvref_t<Argument>, Task> ||
                                      std::is_same_v<std::remove_cvref_t<Argument>, Random>);

}  // namespace synthema::detail

// The one place that sees how a coroutine takes its parameters.
template <class... Arguments>
struct std::coroutine_traits<synthema::Exchange, Arguments...> {
  static_assert(
      !(synthema::detail::dangles_in_coroutine<Arguments> || ...),
      "compose() must take its Task and its Random by value: references to them dangle when the coroutine "
      "resumes.");
  using promise_type = synthema::Exchange::promise_type;
};
