// ScriptedModel answers from a function: the CompletionModel for tests. It can be late, answer out of order,
// and fail.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/completion_model.hpp"

namespace synthema {

// A completion with one "free" token per word: what scripts usually want to say.
Completion scripted_answer(std::string text);
Completion scripted_failure(std::string sentence);

struct ScriptedOptions {
  // Polls that a request waits before it is finished; empty: none.
  std::function<std::uint64_t(const CompletionRequest&)> delay = {};
  bool newest_first = false;       // of what is ready at one poll
  std::size_t at_once = SIZE_MAX;  // at most so many a poll
  std::string digest = "scripted";
  ModelLocation location = ModelLocation::in_process;
};

class SYNTHEMA_EXPORT ScriptedModel {
 public:
  using Script =
      std::function<Completion(const CompletionRequest&)>;  // pure: the same request, the same answer

  explicit ScriptedModel(Script script, ScriptedOptions options = {});
  // By the prompt's text (the last message of a chat). A prompt that is not listed fails.
  explicit ScriptedModel(std::map<std::string, std::string> answers, ScriptedOptions options = {});

  void submit(std::vector<CompletionRequest> requests);
  std::vector<FinishedCompletion> poll();
  void discard() { waiting_.clear(); }
  std::string digest() const { return options_.digest; }
  std::string numeric_path() const { return "scripted"; }
  ModelLocation location() const { return options_.location; }

  std::uint64_t asked() const { return asked_; }  // requests ever submitted
  std::size_t under_way() const { return waiting_.size(); }

 private:
  struct Waiting {
    CompletionRequest request;
    std::uint64_t polls_left = 0;
  };
  Script script_;
  ScriptedOptions options_;
  std::vector<Waiting> waiting_;
  std::uint64_t asked_ = 0;
};

static_assert(CompletionModel<ScriptedModel>);

}  // namespace synthema
