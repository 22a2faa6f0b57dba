// CheckedModel: a model that may not keep to what a prompt asks for (an endpoint, one written in Python). An
// answer that is not of the form asked for, or holds a banned text, fails with the reason; one without a form
// ends before the first stop text. The local model masks and needs none of this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/completion_model.hpp"

namespace synthema {

// Looks at answers as described above. JSON may be spelt in any way and have its keys in any order; the
// bounds that masks set where a schema has none do not count. What a schema says is read once for all its
// answers.
class SYNTHEMA_EXPORT AnswerChecks {
 public:
  AnswerChecks();
  AnswerChecks(AnswerChecks&&) noexcept;
  AnswerChecks& operator=(AnswerChecks&&) noexcept;
  ~AnswerChecks();

  void check(const Prompt& prompt, Completion& completion);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <CompletionModel M>
class CheckedModel {
 public:
  explicit CheckedModel(M model) : model_(std::move(model)) {}

  void submit(std::vector<CompletionRequest> requests) {
    for (const CompletionRequest& request : requests) prompts_.insert_or_assign(request.id, request.prompt);
    model_.submit(std::move(requests));
  }
  std::vector<FinishedCompletion> poll() {
    std::vector<FinishedCompletion> finished = model_.poll();
    for (FinishedCompletion& one : finished)
      if (const auto asked = prompts_.extract(one.id)) checks_.check(asked.mapped(), one.completion);
    return finished;
  }
  void discard() {
    prompts_.clear();
    model_.discard();
  }
  std::string digest() const { return model_.digest(); }
  std::string numeric_path() const { return model_.numeric_path(); }
  ModelLocation location() const { return model_.location(); }

 private:
  M model_;
  AnswerChecks checks_;
  std::unordered_map<std::uint64_t, Prompt> prompts_;  // under way
};

}  // namespace synthema
