// verify: is a run folder what it says it is? Every line must be whole, sealed and in its place. Then there
// are two ways to go on. Rows can be made again, and must come out byte for byte: on the same kind of
// machine. Or they are re-scored, on any machine: the strategy asks again, every answer is read instead of
// written, many rows at a time, and the model must choose the recorded tokens with the noise of their place.
// Machines round differently, so a token that lies within a tolerance of the one drawn here is counted apart
// as a near-tie; any other is a failure, and so is a row whose values do not follow from its tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/driver.hpp"
#include "synthema/generate/run_folder.hpp"

namespace synthema {

struct VerifyDifference {
  std::uint64_t row = 0;
  std::string what;  // a sentence
};

struct VerifyResult {
  std::uint64_t rows = 0;      // accepted rows whose line is good
  std::uint64_t rejected = 0;  // attempts likewise
  std::uint64_t regenerated = 0;
  std::uint64_t rescored = 0;
  AnswerCheck tokens;        // of the rescored rows, accepted or not
  std::string numeric_path;  // of the model that re-scored
  std::vector<VerifyDifference> differences;

  bool ok() const { return differences.empty(); }
  std::string text() const;  // one line for people
};

// Makes these rows again, many at a time, and hands all attempts of each to the sink, in the order given.
using RegenerateRows = std::function<void(std::span<const std::uint64_t> rows, const RowSink& sink)>;

// RunFolderError for a damaged folder, as read_rows() says, or one without a manifest.
VerifyResult verify_lines(const std::string& folder);

// The same, and regenerates `sample` decided rows spread evenly over the run (all where there are at most
// 100), with their rejected attempts. RunFolderError names the key in which `manifest`, that of whoever
// regenerates, differs.
VerifyResult verify(const std::string& folder, const Record& manifest, const RegenerateRows& regenerate,
                    std::size_t sample);

// The answers of a run, by the key of the random stream that they were drawn with.
struct RecordedAnswer {
  std::uint64_t row = 0;
  std::vector<std::int32_t> tokens;
};
using RecordedAnswers = std::unordered_map<std::uint64_t, RecordedAnswer>;

// A run that is being re-scored: its lines, waiting to be compared.
class SYNTHEMA_EXPORT RecordedRun {
 public:
  VerifyResult result;
  RecordedAnswers answers;

  void compare(std::span<const RowOutcome> attempts);  // of one row
  std::vector<std::uint64_t> waiting() const;          // rows that were not compared
  VerifyResult finished(const std::map<std::uint64_t, AnswerCheck>& checks, std::string numeric_path) &&;

 private:
  friend RecordedRun recorded_run(const std::string& folder, const Record& manifest);
  std::map<std::uint64_t, std::vector<std::string>> lines_;
  std::map<std::uint64_t, std::string> differences_;
};
// RunFolderError as verify(), and where the run has no recorded tokens.
SYNTHEMA_EXPORT RecordedRun recorded_run(const std::string& folder, const Record& manifest);

// The seed of the run of a manifest. RunFolderError if it has none that could be.
std::uint64_t seed_of(const Record& manifest);

// A text of a manifest. RunFolderError where it has none of this name.
SYNTHEMA_EXPORT std::string text_entry(const Record& manifest, const char* name);

// The options a manifest tells of. RunFolderError if it tells too little.
RunOptions options_from(const Record& manifest);

// Makes rows again with the driver. All are kept by reference.
template <CompletionModel M, PromptStrategy S>
RegenerateRows regenerate_with(M& model, const S& strategy, const TaskSource& tasks,
                               const std::vector<Check>& checks, const RunOptions& options) {
  return [&](std::span<const std::uint64_t> rows, const RowSink& sink) {
    if (rows.empty()) return;
    RunOptions these = options;
    these.rows = rows.size();
    these.hopeless_below = 0;
    const TaskSource only{
        [&](std::uint64_t place) { return place < rows.size() ? tasks.task(rows[place]) : std::nullopt; },
        tasks.may_leave_machine};
    std::size_t made = 0;
    const RowSink counted = [&](std::span<const RowOutcome> attempts) {
      ++made;
      sink(attempts);
    };
    try {
      run_rows(model, strategy, only, checks, these, counted);
    } catch (const GenerationError&) {  // rows that are given up end the tasks; the sink has them
      if (made < rows.size()) throw;
    }
  };
}

// A model that reads the recorded answers of a run instead of writing new ones. It has the run's own numeric
// path, so that what it gives is compared with what the run gave.
template <CompletionModel M>
class ReplayingModel {
 public:
  ReplayingModel(M& model, const RecordedAnswers& recorded, std::string numeric_path)
      : model_(&model), recorded_(&recorded), numeric_path_(std::move(numeric_path)) {}

  void submit(std::vector<CompletionRequest> requests) {
    for (CompletionRequest& request : requests)
      if (const auto found = recorded_->find(request.random.key()); found != recorded_->end()) {
        rows_[request.id] = found->second.row;
        request.given = found->second.tokens;
      }
    model_->submit(std::move(requests));
  }
  std::vector<FinishedCompletion> poll() {
    std::vector<FinishedCompletion> finished = model_->poll();
    for (FinishedCompletion& one : finished) {
      const auto row = rows_.extract(one.id);
      if (row && one.completion.check) checks_[row.mapped()] += *one.completion.check;
    }
    return finished;
  }
  void discard() { model_->discard(); }
  std::string digest() const { return model_->digest(); }
  std::string numeric_path() const { return numeric_path_; }
  ModelLocation location() const { return model_->location(); }

  const std::map<std::uint64_t, AnswerCheck>& checks() const { return checks_; }  // by row

 private:
  M* model_;
  const RecordedAnswers* recorded_;
  std::string numeric_path_;
  std::unordered_map<std::uint64_t, std::uint64_t> rows_;  // by request
  std::map<std::uint64_t, AnswerCheck> checks_;
};

// Re-scores all decided rows with the driver. RunFolderError as verify(). `manifest` is that of a run with
// the run's own numeric path.
template <CompletionModel M, PromptStrategy S>
VerifyResult rescore(const std::string& folder, const Record& manifest, M& model, const S& strategy,
                     const TaskSource& tasks, const std::vector<Check>& checks, RunOptions options) {
  RecordedRun recorded = recorded_run(folder, manifest);
  ReplayingModel<M> replaying(model, recorded.answers, text_entry(manifest, "numeric_path"));
  const RowSink compare = [&](std::span<const RowOutcome> attempts) { recorded.compare(attempts); };
  options.hopeless_below = 0;
  if (recorded.result.rows > 0) {
    options.rows = recorded.result.rows;
    run_rows(replaying, strategy, tasks, checks, options, compare);
  }
  // Rows that were given up after the last accepted one.
  regenerate_with(replaying, strategy, tasks, checks, options)(recorded.waiting(), compare);
  return std::move(recorded).finished(replaying.checks(), model.numeric_path());
}

}  // namespace synthema
