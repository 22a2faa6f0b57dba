// RowLedger puts decided rows into row-id order, hands them on, counts, and knows when a run is over. The one
// place where the order of finishing is turned into the order of rows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/run_options.hpp"

namespace synthema {

class SYNTHEMA_EXPORT RowLedger {
 public:
  // `before`: what an interrupted run had decided; its next row id is before.rows.
  RowLedger(const RunOptions& options, const RowSink& sink, RunCounts before);

  // All attempts of a decided row. Rows in order go to the sink at once, others wait for their turn.
  // GenerationError once the run is hopeless; what the sink was given before stays.
  void decide(std::uint64_t row, std::vector<RowOutcome> attempts);
  // There is no task for this row nor for any later one.
  void end_at(std::uint64_t row);

  bool complete() const { return counts_.accepted >= options_.rows; }
  // Whether one more row is needed even if all that are under way are accepted.
  bool wants_more(std::size_t under_way) const;
  // GenerationError if the tasks have ended, every row is decided and the target was not reached.
  void check_end() const;
  const RunCounts& counts() const { return counts_; }

 private:
  void commit();
  void check_hopeless() const;
  void report() const;

  const RunOptions& options_;
  const RowSink& sink_;
  RunCounts counts_;
  std::map<std::uint64_t, std::vector<RowOutcome>> waiting_;  // decided, but an earlier row is not
  std::uint64_t waiting_accepted_ = 0;
  std::optional<std::uint64_t> end_;
};

}  // namespace synthema
