// A Task is what a strategy is asked to write: one row. A cheap handle; copies share the pool and the schema.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/table.hpp"
#include "synthema/data/value.hpp"
#include "synthema/prompt/completion.hpp"

namespace synthema {

struct Task {
  std::uint64_t row = 0;                   // row id: names the row for ever
  std::uint64_t attempt = 0;               // 0, 1, ...: a retry is a new attempt of the same row
  Record condition;                        // what the row must agree with
  std::shared_ptr<const Table> exemplars;  // pool to show from; may be null. Frozen for the round
  std::shared_ptr<const Schema> schema;    // of the finished row; may be null
};

// What a strategy returns: the row's values and which exemplars (rows of the pool) it showed the model.
struct Draft {
  Draft() = default;
  explicit Draft(Record values_, std::vector<std::uint64_t> exemplars_ = {})
      : values(std::move(values_)), exemplars(std::move(exemplars_)) {}
  Record values;
  std::vector<std::uint64_t> exemplars;
  // Of the tokens that were drawn for all answers of the attempt; the driver notes it before the checks look.
  std::optional<double> mean_log_probability;
  friend bool operator==(const Draft&, const Draft&) = default;
};

}  // namespace synthema
