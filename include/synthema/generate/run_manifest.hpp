// The manifest of a run: everything that decides its rows, as one flat record. Two runs with equal manifests
// give equal files; a resumed run must have the manifest it was begun with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "synthema/data/table.hpp"
#include "synthema/generate/attempt.hpp"
#include "synthema/generate/check.hpp"
#include "synthema/generate/run_options.hpp"
#include "synthema/prompt/prompt_strategy.hpp"

namespace synthema {

struct ManifestInputs {
  RunIdentity identity;
  std::vector<Check> checks;                // named in order
  std::shared_ptr<const Schema> schema;     // of the rows; may be null
  std::shared_ptr<const Table> exemplars;   // may be null
  std::shared_ptr<const Table> conditions;  // null: drawn by a function
  std::string settings;  // the caller's own words (a recipe); kept and compared as they are
};

// The fields that are times in the tables given to a run, and those of them that have no zone: a line of a
// run folder writes all as text in UTC.
struct GivenTimes {
  std::vector<std::string> fields = {};
  std::vector<std::string> without_zone = {};
};
// Where both tables have a field, the conditions say what it is. Either may be null.
GivenTimes given_times(const Table* conditions, const Table* exemplars);
GivenTimes given_times(const Record& manifest);  // none in that of a run of before

// Tables, and what the strategy and the checks were made with, are named by digests, keyed with `key` where
// it is not empty.
Record run_manifest(const ManifestInputs& inputs, const RunOptions& options, const std::string& key);

template <class M, class S>
RunIdentity identity_of(const M& model, const S& strategy, const RunOptions& options) {
  return {options.generator,
          std::string(strategy.name()),
          model.digest(),
          model.numeric_path(),
          model.location() == ModelLocation::remote,
          part_options(strategy)};
}

// The first entry in which two manifests differ, by the name of what was given; empty: none. Digests of
// options and given times are not compared with a run of before, which has none.
std::string first_difference(const Record& there, const Record& wanted);

}  // namespace synthema
