// What the driver keeps of one attempt while it is under way, and how it is judged. Not a template: nothing
// here knows the model or the strategy.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/check.hpp"
#include "synthema/generate/row.hpp"
#include "synthema/generate/run_options.hpp"
#include "synthema/model/completion_model.hpp"
#include "synthema/prompt/part_options.hpp"

namespace synthema {

// Who answers and who asks: the same for every row of a run.
struct RunIdentity {
  std::string generator;
  std::string strategy;
  std::string model;  // digest
  std::string numeric_path;
  bool remote = false;
  PartOptions strategy_options = {};
};

class SYNTHEMA_EXPORT Attempt {
 public:
  Attempt(const RunIdentity& identity, const RunOptions& options, const Task& task, bool is_private);

  // Notes a question before it is asked, and gives it its sampling values and random stream.
  CompletionRequest request(std::uint64_t id, Prompt prompt);
  // The answer to the question asked as number `question` of this attempt.
  void note(std::size_t question, const Completion& completion);
  std::uint64_t questions() const { return outcome_.provenance.questions; }

  // The end of the attempt, in one of three ways. `last`: no further attempt would follow a rejection.
  RowOutcome judged(Draft draft, const std::vector<Check>& checks, bool last) &&;
  RowOutcome failed(const std::string& reason, bool last) &&;

 private:
  RowOutcome finished();

  const RunOptions& options_;
  const Task& task_;
  bool private_;
  Sha256 causes_;
  // Of each answer, in the order of the questions and not of the answers' arrival, which must not show in a
  // sum.
  std::vector<std::optional<double>> log_probabilities_;
  std::size_t last_answered_ = 0;
  RowOutcome outcome_;
};

// Whether any data of this task may not leave the machine.
bool is_private(const Task& task);

// The sentence of an exception that means "this attempt is no good" (GenerationError, ParseError,
// SchemaError). Everything else (a cancelled run, a wrong option, a programming error) is thrown on.
std::string reason_or_rethrow(const std::exception_ptr& error);

}  // namespace synthema
