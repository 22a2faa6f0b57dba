#include "synthema/model/scripted_model.hpp"

#include <algorithm>
#include <sstream>

namespace synthema {

namespace {

const std::string& last_text(const Prompt& prompt) {
  return prompt.is_plain() ? prompt.text : prompt.messages.back().text;
}

ScriptedModel::Script lookup(std::map<std::string, std::string> answers) {
  return [answers = std::move(answers)](const CompletionRequest& request) {
    const auto found = answers.find(last_text(request.prompt));
    if (found == answers.end()) return scripted_failure("The script has no answer to this prompt.");
    return scripted_answer(found->second);
  };
}

}  // namespace

Completion scripted_answer(std::string text) {
  std::istringstream words(text);
  Completion completion;
  for (std::string word; words >> word;) ++completion.tokens.free;
  completion.text = std::move(text);
  return completion;
}

Completion scripted_failure(std::string sentence) {
  Completion completion;
  completion.finish = Finish::failed;
  completion.failure = std::move(sentence);
  return completion;
}

ScriptedModel::ScriptedModel(Script script, ScriptedOptions options)
    : script_(std::move(script)), options_(std::move(options)) {}

ScriptedModel::ScriptedModel(std::map<std::string, std::string> answers, ScriptedOptions options)
    : ScriptedModel(lookup(std::move(answers)), std::move(options)) {}

void ScriptedModel::submit(std::vector<CompletionRequest> requests) {
  asked_ += requests.size();
  for (CompletionRequest& request : requests) {
    const std::uint64_t polls = options_.delay ? options_.delay(request) : 0;
    waiting_.push_back({std::move(request), polls});
  }
}

std::vector<FinishedCompletion> ScriptedModel::poll() {
  std::vector<FinishedCompletion> finished;
  std::vector<Waiting> left;
  if (options_.newest_first) std::ranges::reverse(waiting_);
  for (Waiting& one : waiting_) {
    if (one.polls_left == 0 && finished.size() < options_.at_once) {
      finished.push_back({one.request.id, script_(one.request)});
    } else {
      one.polls_left -= one.polls_left > 0;
      left.push_back(std::move(one));
    }
  }
  if (options_.newest_first) std::ranges::reverse(left);
  waiting_ = std::move(left);
  return finished;
}

}  // namespace synthema
