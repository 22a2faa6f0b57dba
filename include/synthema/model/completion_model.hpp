// Concept CompletionModel: whatever answers prompts. The local engine, an HTTP endpoint, a cache in front of
// either and a scripted model for tests are all models of it; there is no second scheduler.
//
// Required of M (a movable type, used by one thread at a time):
//   1. m.submit(std::vector<CompletionRequest>): takes the requests and returns at once; ids are the caller's
//   and unique
//      among those under way. A request that can never be answered (prompt longer than the context, unknown
//      role) does not throw: it finishes with Finish::failed and a sentence. Thrown: broken state of the
//      model itself.
//   2. m.poll() -> std::vector<FinishedCompletion>: does a bounded piece of work and hands over what is
//   finished, in any
//      order; empty means "not yet" (or nothing is under way). It never blocks for ever.
//   3. m.discard(): forgets everything under way.
//   4. m.digest() converts to std::string: names exactly which model answers (weights, tokenizer, template).
//   5. m.numeric_path() converts to std::string: the arithmetic that answers ("fp32-cpu", "scripted",
//   "remote").
//   6. m.location(): in the process, on this host, or remote. Data that may not leave the machine never meet
//   a remote one.
// Determinism: the completion of a request is a function of its prompt, sampling values and random stream
// only; neither of its neighbours nor of its order. A model that cannot promise that (an endpoint) says so in
// its numeric path. Not required: fairness across callers, priorities, time-outs (limits are in tokens and
// attempts).
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/prompt/completion.hpp"
#include "synthema/prompt/prompt.hpp"
#include "synthema/prompt/sampling.hpp"

namespace synthema {

enum class ModelLocation : std::uint8_t { in_process, this_host, remote };

struct CompletionRequest {
  CompletionRequest() = default;
  CompletionRequest(std::uint64_t id_, Prompt prompt_, Sampling sampling_, Random random_)
      : id(id_), prompt(std::move(prompt_)), sampling(sampling_), random(random_) {}
  std::uint64_t id = 0;
  Prompt prompt;
  Sampling sampling;  // already merged: the prompt's own values or else the run's
  Random random;      // the stream of this call
  // An answer (Completion::token_ids) to be checked, not written: a model that can reads it in one pass,
  // gives the completion that has these tokens and says in `check` whether it would have drawn them. Others
  // answer as always.
  std::optional<std::vector<std::int32_t>> given;
};

struct FinishedCompletion {
  std::uint64_t id = 0;
  Completion completion;
};

template <class M>
concept CompletionModel =
    std::movable<M> && requires(M& m, const M& c, std::vector<CompletionRequest> requests) {
      m.submit(std::move(requests));
      { m.poll() } -> std::same_as<std::vector<FinishedCompletion>>;
      m.discard();
      { c.digest() } -> std::convertible_to<std::string>;
      { c.numeric_path() } -> std::convertible_to<std::string>;
      { c.location() } -> std::same_as<ModelLocation>;
    };

}  // namespace synthema
