// Concept PromptStrategy: how one row is asked for.
//
// Required of S (a movable type; all calls are const and may be made for many tasks at once):
//   1. s.name() converts to std::string_view: a short, stable name; it enters every row's provenance.
//   2. s.compose(Task, Random) returns an Exchange, a coroutine that takes both by value (rules:
//   exchange.hpp).
// The same task and the same random stream must give the same questions for the same answers: no clock, no
// globals. Not required: knowing the model, retrying (the driver retries), checking (checks do), looking at
// other rows (never). What needs several questions asks several times in one coroutine; there is no second
// mechanism for pipelines. A strategy may have options() -> PartOptions: what two of them differ in, so that
// a run is not resumed with the other one.
#pragma once

#include <concepts>
#include <string_view>

#include "synthema/core/random.hpp"
#include "synthema/prompt/exchange.hpp"
#include "synthema/prompt/part_options.hpp"
#include "synthema/prompt/task.hpp"

namespace synthema {

template <class S>
concept PromptStrategy = std::movable<S> && requires(const S& s, Task task, Random random) {
  { s.name() } -> std::convertible_to<std::string_view>;
  { s.compose(task, random) } -> std::same_as<Exchange>;
};

template <PromptStrategy S>
PartOptions part_options(const S& strategy) {
  if constexpr (requires { strategy.options(); })
    return strategy.options();
  else
    return {};
}

}  // namespace synthema
