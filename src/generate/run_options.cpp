#include "synthema/generate/run_options.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "synthema/core/counted.hpp"

namespace synthema {

namespace {

bool may_leave(const std::shared_ptr<const Table>& table) {
  return !table || table->schema().may_leave_machine;
}

bool may_leave(const std::shared_ptr<const Schema>& schema) {
  return !schema || schema->may_leave_machine;
}

Task task_of(std::uint64_t row, Record condition, const std::shared_ptr<const Table>& exemplars,
             const std::shared_ptr<const Schema>& schema) {
  Task task;
  task.row = row;
  task.condition = std::move(condition);
  task.exemplars = exemplars;
  task.schema = schema;
  return task;
}

}  // namespace

void RunOptions::check() const {
  const auto require = [](bool ok, const char* field, const char* range) {
    if (!ok) throw ConfigError({.field = field}, message("The run option must be ", range, "."));
  };
  require(rows > 0, "rows", "at least 1");
  require(max_attempts > 0, "max_attempts", "at least 1");
  require(max_questions > 0, "max_questions", "at least 1");
  require(in_flight > 0, "in_flight", "at least 1");
  require(hopeless_below >= 0 && hopeless_below <= 1, "hopeless_below", "between 0 and 1");
  sampling.check();
}

void RunCounts::add(std::span<const RowOutcome> attempts_of_row) {
  ++rows;
  attempts += attempts_of_row.size();
  for (const RowOutcome& outcome : attempts_of_row) tokens += outcome.provenance.tokens.generated();
  for (const RowOutcome& outcome : attempts_of_row)
    if (outcome.accepted())
      ++accepted;
    else
      ++rejected[{outcome.check, outcome.reason}];
}

std::string RunCounts::text() const {
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.1f %%", 100 * acceptance());
  std::string out = message(accepted, " of ", counted(attempts, "attempt"), " accepted (", percent, ")");
  std::vector<std::pair<std::uint64_t, std::string>> reasons;
  for (const auto& [why, times] : rejected) reasons.emplace_back(times, why.first + ": " + why.second);
  std::ranges::stable_sort(reasons, std::ranges::greater(), [](const auto& r) { return r.first; });
  const char* separator = "; rejected most often: ";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, reasons.size()); ++i) {
    out += message(separator, reasons[i].second, " (", counted(reasons[i].first, "time"), ")");
    separator = "; ";
  }
  return out;
}

TaskSource tasks_from(std::shared_ptr<const Table> conditions, std::shared_ptr<const Table> exemplars,
                      std::shared_ptr<const Schema> schema, bool cycle) {
  if (!conditions || conditions->rows() == 0)
    throw ConfigError({.field = "conditions"},
                      "The table of conditions has no rows, so there is nothing to write.");
  const bool open = may_leave(conditions) && may_leave(exemplars) && may_leave(schema);
  return {[=](std::uint64_t row) -> std::optional<Task> {
            if (!cycle && row >= conditions->rows()) return std::nullopt;
            return task_of(row, conditions->record(row % conditions->rows()), exemplars, schema);
          },
          open};
}

TaskSource tasks_from(std::function<std::optional<Record>(std::uint64_t row, Random random)> draw,
                      std::uint64_t seed, std::shared_ptr<const Table> exemplars,
                      std::shared_ptr<const Schema> schema) {
  constexpr std::uint64_t condition_stream = std::numeric_limits<std::uint64_t>::max();
  const bool open = may_leave(exemplars) && may_leave(schema);
  return {[=, draw = std::move(draw)](std::uint64_t row) -> std::optional<Task> {
            auto condition = draw(row, Random(seed).stream(row).stream(condition_stream));
            if (!condition) return std::nullopt;
            return task_of(row, std::move(*condition), exemplars, schema);
          },
          open};
}

}  // namespace synthema
