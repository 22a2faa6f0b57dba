// verify: is a run folder what it says it is? Every line must be whole, sealed and in its place; some rows,
// or all, are made again and must come out byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

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
  std::vector<VerifyDifference> differences;

  bool ok() const { return differences.empty(); }
  std::string text() const;  // one line for people
};

// All attempts of one row, made again.
using RegenerateRow = std::function<std::vector<RowOutcome>(std::uint64_t row)>;

// RunFolderError for a damaged folder: no manifest, a changed or missing line, attempts that do not follow
// each other, fewer rows than a complete run has.
VerifyResult verify_lines(const std::string& folder);

// The same, and regenerates `sample` decided rows spread evenly over the run (all where there are at most
// 100), with their rejected attempts. RunFolderError names the key in which `manifest`, that of whoever
// regenerates, differs.
VerifyResult verify(const std::string& folder, const Record& manifest, const RegenerateRow& regenerate,
                    std::size_t sample);

// The options a manifest tells of. RunFolderError if it tells too little.
RunOptions options_from(const Record& manifest);

// Makes one row again with the driver. All are kept by reference.
template <CompletionModel M, PromptStrategy S>
RegenerateRow regenerate_with(M& model, const S& strategy, const TaskSource& tasks,
                              const std::vector<Check>& checks, const RunOptions& options) {
  return [&](std::uint64_t row) {
    RunOptions one = options;
    one.rows = 1;
    one.hopeless_below = 0;
    RunCounts before;
    before.rows = row;
    std::vector<RowOutcome> outcomes;
    const TaskSource only{[&](std::uint64_t id) { return id == row ? tasks.task(id) : std::nullopt; },
                          tasks.may_leave_machine};
    const RowSink sink = [&](std::span<const RowOutcome> attempts) {
      outcomes.assign(attempts.begin(), attempts.end());
    };
    try {
      run_rows(model, strategy, only, checks, one, sink, before);
    } catch (const GenerationError&) {  // a row that is given up ends the tasks; the sink has it
      if (outcomes.empty()) throw;
    }
    return outcomes;
  };
}

}  // namespace synthema
