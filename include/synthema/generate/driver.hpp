// Driver: the only code that resumes exchanges. It keeps many rows in flight, passes on what they ask, judges
// what they return, tries again, and gives the first N accepted rows in row-id order, whatever finished
// first.
//
// The result depends on the model, the strategy, the tasks, the checks and the options `rows`, `seed`,
// `sampling`, `max_attempts`, `max_questions` and `hopeless_*`; never on `in_flight`, on the order in which
// the model answers, or on an interruption. Attempts of one row follow each other. No row is started while
// the rows before it could still be enough, so nothing is done in vain (except after a hopeless row).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/generate/attempt.hpp"
#include "synthema/generate/row_ledger.hpp"
#include "synthema/generate/run_manifest.hpp"
#include "synthema/prompt/prompt_strategy.hpp"

namespace synthema {

template <CompletionModel M, PromptStrategy S>
class Driver {
 public:
  // All are kept by reference and must outlive the driver. ConfigError for options out of range.
  Driver(M& model, const S& strategy, const TaskSource& tasks, const std::vector<Check>& checks,
         const RunOptions& options)
      : model_(model), strategy_(strategy), tasks_(tasks), checks_(checks), options_(options) {
    options.check();
    identity_ = identity_of(model, strategy, options);
  }

  // Runs to the target. PolicyError before the first question if the data may not go where the model is;
  // GenerationError for a hopeless run or tasks that end too early; Cancelled; what strategy, checks or model
  // throw. In each case the sink keeps what it was given. `before`: what an interrupted run had decided.
  RunCounts run(const RowSink& sink, RunCounts before = {}) {
    check_policy(!tasks_.may_leave_machine);
    RowLedger ledger(options_, sink, std::move(before));
    next_row_ = ledger.counts().rows;
    const Forget forget{*this};
    while (!ledger.complete()) {
      options_.cancel.check();
      if (options_.heartbeat) options_.heartbeat();
      start_rows(ledger);
      if (ledger.complete()) break;
      ledger.check_end();
      if (!outbox_.empty()) model_.submit(std::exchange(outbox_, {}));
      deliver(model_.poll(), ledger);
    }
    return ledger.counts();
  }

 private:
  struct Row {
    std::uint64_t place = 0;  // its key in rows_; the task knows which row of the run it is
    Task task;
    bool is_private = false;
    std::vector<RowOutcome> finished;  // rejected attempts so far, and the accepted one
    std::optional<Attempt> attempt;
    Exchange exchange;
    std::vector<Completion> answers;  // one per question under way
    std::size_t missing = 0;
    std::size_t asked = 0;  // questions of this attempt before those under way
  };
  struct Question {
    std::uint64_t place = 0;
    std::size_t index = 0;
  };
  // Whatever ends the run, the model forgets what is under way.
  struct Forget {
    Driver& driver;
    ~Forget() {
      try {
        driver.model_.discard();
      } catch (...) {  // the run has its own outcome by now
      }
      driver.outbox_.clear(), driver.questions_.clear(), driver.rows_.clear();
    }
  };

  void check_policy(bool is_private) const {
    if (is_private && identity_.remote)
      throw PolicyError(
          "The schema says that the data may not leave the machine, but the model is remote; nothing was "
          "sent. Use a model on this machine.");
  }

  void start_rows(RowLedger& ledger) {
    while (rows_.size() < options_.in_flight && ledger.wants_more(rows_.size())) {
      std::optional<Task> task = tasks_.task(next_row_);
      if (!task) return ledger.end_at(next_row_);
      check_policy(is_private(*task));
      Row& row = rows_[next_row_];
      row.place = next_row_++;
      row.task = std::move(*task);
      row.is_private = !tasks_.may_leave_machine || is_private(row.task);
      begin_attempt(row);
      advance(row, ledger);
    }
  }

  void deliver(std::vector<FinishedCompletion> finished, RowLedger& ledger) {
    if (finished.empty()) return idle();
    for (FinishedCompletion& one : finished) {
      const auto asked = questions_.extract(one.id);
      if (!asked)
        throw GenerationError(message("The model answered a request (", one.id, ") that is not under way."));
      Row& row = rows_.at(asked.mapped().place);
      row.attempt->note(row.asked + asked.mapped().index, one.completion);
      row.answers[asked.mapped().index] = std::move(one.completion);
      if (--row.missing == 0) {
        resume(row);
        advance(row, ledger);
      }
    }
  }

  void idle() const {
    if (model_.location() == ModelLocation::in_process)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  bool is_last(const Row& row) const { return row.finished.size() + 1 >= options_.max_attempts; }

  void begin_attempt(Row& row) {
    constexpr std::uint64_t strategy_stream =
        std::numeric_limits<std::uint64_t>::max();  // no question has it
    row.task.attempt = row.finished.size();
    row.attempt.emplace(identity_, options_, row.task, row.is_private);
    guarded(row, [&] {
      const auto random = Random::for_call(options_.seed, row.task.row, row.task.attempt, strategy_stream);
      row.exchange = strategy_.compose(row.task, random);
      row.exchange.start();
    });
  }

  void resume(Row& row) {
    for (const Completion& answer : row.answers)
      if (answer.finish == Finish::failed) return fail(row, "The model could not answer: " + answer.failure);
    guarded(row, [&] { row.exchange.answer(std::move(row.answers)); });
  }

  // What the strategy throws for good ends the attempt; anything else ends the run.
  template <class Work>
  void guarded(Row& row, const Work& work) {
    try {
      work();
    } catch (...) {
      fail(row, reason_or_rethrow(std::current_exception()));
    }
  }

  void fail(Row& row, const std::string& reason) {
    row.finished.push_back(std::move(*row.attempt).failed(reason, is_last(row)));
    row.attempt.reset();
    row.exchange = Exchange();
  }

  // Brings a row to where it waits for the model, or to its end (it then no longer exists).
  void advance(Row& row, RowLedger& ledger) {
    for (;;) {
      if (row.attempt && !row.exchange.done()) {
        if (ask(row)) return;
        continue;
      }
      if (row.attempt) {
        row.finished.push_back(std::move(*row.attempt).judged(row.exchange.take(), checks_, is_last(row)));
        row.attempt.reset();
        row.exchange = Exchange();
      }
      if (row.finished.back().accepted() || row.finished.back().last) {
        auto decided = rows_.extract(row.place);
        return ledger.decide(decided.key(), std::move(decided.mapped().finished));
      }
      begin_attempt(row);
    }
  }

  // False if the attempt has asked too much and was ended.
  bool ask(Row& row) {
    const std::vector<Prompt>& prompts = row.exchange.questions();
    if (row.attempt->questions() + prompts.size() > options_.max_questions) {
      fail(row, message("The strategy asked more than ", options_.max_questions, " questions."));
      return false;
    }
    row.answers.assign(prompts.size(), Completion());
    row.missing = prompts.size();
    row.asked = row.attempt->questions();
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const std::uint64_t id = next_id_++;
      questions_.emplace(id, Question{row.place, i});
      outbox_.push_back(row.attempt->request(id, prompts[i]));
    }
    return true;
  }

  M& model_;
  const S& strategy_;
  const TaskSource& tasks_;
  const std::vector<Check>& checks_;
  const RunOptions& options_;
  RunIdentity identity_;
  std::uint64_t next_row_ = 0;
  std::uint64_t next_id_ = 0;
  std::map<std::uint64_t, Row> rows_;  // under way
  std::unordered_map<std::uint64_t, Question> questions_;
  std::vector<CompletionRequest> outbox_;
};

// One run with what it counted.
template <CompletionModel M, PromptStrategy S>
RunCounts run_rows(M& model, const S& strategy, const TaskSource& tasks, const std::vector<Check>& checks,
                   const RunOptions& options, const RowSink& sink, RunCounts before = {}) {
  return Driver<M, S>(model, strategy, tasks, checks, options).run(sink, std::move(before));
}

}  // namespace synthema
