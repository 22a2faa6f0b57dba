// TextGenerator: a model and a strategy as a Generator. It runs the driver in memory; a run that must survive
// a kill uses run_in_folder (run_folder.hpp) with the same parts.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/generate/driver.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/outcome_table.hpp"
#include "synthema/generate/run_manifest.hpp"

namespace synthema {

template <CompletionModel M, PromptStrategy S>
class TextGenerator {
 public:
  static constexpr bool honours_conditions = true;

  // `schema` of the rows. `options` gives everything but rows, seed, progress and cancel, which come with
  // each request.
  TextGenerator(M model, S strategy, Schema schema, std::vector<Check> checks = {}, RunOptions options = {},
                std::shared_ptr<const Table> exemplars = {})
      : model_(std::move(model)),
        strategy_(std::move(strategy)),
        schema_(std::make_shared<const Schema>(std::move(schema))),
        checks_(std::move(checks)),
        options_(std::move(options)),
        exemplars_(std::move(exemplars)) {
    schema_->check();
  }

  std::string_view name() const { return strategy_.name(); }
  const Schema& schema() const { return *schema_; }

  // Row id i agrees with condition i mod n; a row that is given up leaves its id out. Throws as Driver::run
  // does.
  Table sample(const SampleRequest& request) {
    RunOptions options = options_;
    options.rows = request.rows, options.seed = request.seed;
    options.progress = request.progress, options.cancel = request.cancel;
    outcomes_.clear();
    const TaskSource tasks = tasks_of(request);
    run_rows(model_, strategy_, tasks, checks_, options, [&](std::span<const RowOutcome> attempts) {
      outcomes_.insert(outcomes_.end(), attempts.begin(), attempts.end());
    });
    const GivenTimes times = given_times(request.conditions.get(), exemplars_.get());
    return rows_table(outcomes_, schema_.get(), times.without_zone);
  }
  // Every attempt of the last sample, also of one that did not reach its target.
  const std::vector<RowOutcome>& outcomes() const { return outcomes_; }

 private:
  TaskSource tasks_of(const SampleRequest& request) const {
    if (request.conditions) return tasks_from(request.conditions, exemplars_, schema_);
    return tasks_from([](std::uint64_t, Random) { return Record(); }, request.seed, exemplars_, schema_);
  }

  M model_;
  S strategy_;
  std::shared_ptr<const Schema> schema_;
  std::vector<Check> checks_;
  RunOptions options_;
  std::shared_ptr<const Table> exemplars_;
  std::vector<RowOutcome> outcomes_;
};

}  // namespace synthema
