// What a run of the driver is told, and what it counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"
#include "synthema/generate/row.hpp"
#include "synthema/prompt/sampling.hpp"
#include "synthema/prompt/task.hpp"

namespace synthema {

struct RunOptions {
  std::uint64_t rows = 0;  // accepted rows wanted
  std::uint64_t seed = 0;
  Sampling sampling;                 // for questions that bring none of their own
  std::uint64_t max_attempts = 20;   // of one row; then the row is given up and the next one is tried
  std::uint64_t max_questions = 64;  // of one attempt
  std::size_t in_flight = 64;        // rows worked on at once; never changes a result
  // A run is hopeless if, after at least `hopeless_after` attempts in row-id order, less than
  // `hopeless_below` of them were accepted.
  std::uint64_t hopeless_after = 500;
  double hopeless_below = 0.01;
  std::string generator = "text";  // for the provenance
  std::string digest_key;          // names private data; see Provenance
  ProgressSink progress;           // may be empty
  CancelToken cancel;
  std::function<void()> heartbeat;  // called often, from the driving thread; may throw to stop; may be empty

  void check() const;  // ConfigError names the field and its range
};

// Row id -> what to write. Nothing: there are no more rows. Must give the same task for the same id.
struct TaskSource {
  std::function<std::optional<Task>(std::uint64_t row)> task;
  bool may_leave_machine = true;  // false if the conditions or exemplars must not leave it
};

// All attempts of one decided row in order; the last one is accepted or has `last`. Rows come in row-id
// order.
using RowSink = std::function<void(std::span<const RowOutcome>)>;

// Everything counted in row-id order, so the same however far ahead the driver worked.
struct RunCounts {
  std::uint64_t rows = 0;      // decided: accepted or given up; also the next row id
  std::uint64_t accepted = 0;  // rows
  std::uint64_t attempts = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> rejected;  // (check, reason) -> attempts

  void add(std::span<const RowOutcome> attempts_of_row);
  double acceptance() const {
    return attempts ? static_cast<double>(accepted) / static_cast<double>(attempts) : 0;
  }
  // "12 of 400 attempts were accepted (3.0 %); most often rejected: length (too short) 200 times, ..."
  std::string text() const;
  friend bool operator==(const RunCounts&, const RunCounts&) = default;
};

// Row r agrees with row r mod n of `conditions` (`cycle`), or the source ends after n rows. ConfigError if
// the table is null or empty.
TaskSource tasks_from(std::shared_ptr<const Table> conditions, std::shared_ptr<const Table> exemplars = {},
                      std::shared_ptr<const Schema> schema = {}, bool cycle = true);
// A condition drawn for each row from the row's own stream; nothing ends the source.
TaskSource tasks_from(std::function<std::optional<Record>(std::uint64_t row, Random random)> draw,
                      std::uint64_t seed, std::shared_ptr<const Table> exemplars = {},
                      std::shared_ptr<const Schema> schema = {});

}  // namespace synthema
