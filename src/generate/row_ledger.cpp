#include "synthema/generate/row_ledger.hpp"

#include <cstdio>

#include "synthema/core/counted.hpp"

namespace synthema {

RowLedger::RowLedger(const RunOptions& options, const RowSink& sink, RunCounts before)
    : options_(options), sink_(sink), counts_(std::move(before)) {
  if (!complete()) check_hopeless();
}

void RowLedger::decide(std::uint64_t row, std::vector<RowOutcome> attempts) {
  waiting_accepted_ += attempts.back().accepted();
  waiting_.emplace(row, std::move(attempts));
  const std::uint64_t before = counts_.rows;
  commit();
  if (counts_.rows == before) report();  // an earlier row holds this one back: people still see work
}

void RowLedger::end_at(std::uint64_t row) {
  if (!end_ || row < *end_) end_ = row;
}

bool RowLedger::wants_more(std::size_t under_way) const {
  return !end_ && counts_.accepted + waiting_accepted_ + under_way < options_.rows;
}

void RowLedger::check_end() const {
  if (complete() || !end_ || counts_.rows < *end_) return;
  throw GenerationError(message("There are no more conditions: ", counted(*end_, "task"), " gave ",
                                counts_.accepted, " of the ", counted(options_.rows, "row"),
                                " asked for, with ", counts_.text(),
                                ". The rows reached are kept. Give more conditions, or ask for fewer rows."));
}

void RowLedger::commit() {
  while (!complete() && !waiting_.empty() && waiting_.begin()->first == counts_.rows) {
    const auto attempts = std::move(waiting_.extract(waiting_.begin()).mapped());
    waiting_accepted_ -= attempts.back().accepted();
    if (sink_) sink_(attempts);
    counts_.add(attempts);
    report();
    if (!complete()) check_hopeless();
  }
}

void RowLedger::check_hopeless() const {
  if (counts_.attempts < options_.hopeless_after || counts_.attempts == 0) return;
  if (counts_.acceptance() >= options_.hopeless_below) return;
  throw GenerationError(message("The run was stopped because it is hopeless: only ", counts_.text(),
                                ". It had ", counts_.accepted, " of ", counted(options_.rows, "row"),
                                "; what it had is kept. Change the prompt, the model or the checks, or lower "
                                "hopeless_below (now ",
                                options_.hopeless_below, "), and start a new run."));
}

void RowLedger::report() const {
  if (!options_.progress) return;
  char acceptance[32] = "";
  if (counts_.attempts > 0)
    std::snprintf(acceptance, sizeof acceptance, "acceptance %.2f", counts_.acceptance());
  std::string note = acceptance;
  if (waiting_accepted_ > 0)
    note += message(note.empty() ? "" : ", ", "later rows ready: ", waiting_accepted_);
  options_.progress({"generate", counts_.accepted, options_.rows, note, counts_.tokens});
}

}  // namespace synthema
