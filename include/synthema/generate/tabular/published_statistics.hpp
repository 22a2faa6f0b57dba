// What a publication says of a table: means, spreads, quartiles, counts and correlations, no row of it. Read
// from JSON; GaussianCopula::from_statistics makes rows under them.
//
// {"name": "cohort", "source": "...", "licence": "...", "rows": 6166,
//  "columns": [
//    {"name": "age", "kind": "integer", "mean": 57.3, "sd": 15.1, "minimum": 18, "maximum": 94},
//    {"name": "bmi", "kind": "real", "decimals": 1, "mean": 24.1, "sd": 3.9, "minimum": 12, "maximum": 60},
//    {"name": "stay", "kind": "integer", "q1": 4, "median": 7, "q3": 12, "minimum": 0, "maximum": 90},
//    {"name": "asa", "kind": "category", "counts": {"1": 1802, "2": 3590, "3": 774}, "missing": 0.02},
//    {"name": "smoker", "kind": "boolean", "share": 0.21}],
//  "correlations": [["age", "asa", 0.41], ["age", "bmi", 0.08]],
//  "rules": [...]}
//
// Columns take the keys of a schema's field too (unit, description, roles); `rules` are a schema's. A mean
// goes with an sd; a median with q1 and q3. `counts` may be shares: they are divided by their sum. `missing`
// is a share. Correlations are Pearson's; of a boolean with 0 and 1, of a category with the place of the
// label, counted from 0. Pairs that are not named are taken as uncorrelated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"

namespace synthema {

struct ColumnStatistics {
  // Numbers: mean and sd, or median and quartiles; the range is the field's.
  std::optional<double> mean = {}, sd = {};
  std::optional<double> q1 = {}, median = {}, q3 = {};
  // Labels, in the order of the field's categories; false and true of a boolean. They sum to one.
  std::vector<double> shares = {};
  double missing = 0;  // share of all rows
};

struct PublishedCorrelation {
  std::string first = {}, second = {};
  double value = 0;
};

struct PublishedStatistics {
  Schema schema = {};
  std::vector<ColumnStatistics> columns = {};  // by field
  std::vector<PublishedCorrelation> correlations = {};
  std::optional<std::uint64_t> rows = {};  // people whom they describe

  // SchemaError names the column whose statistics are missing, contradict each other or do not fit its kind,
  // or the correlation that is none.
  void check() const;
};

// ParseError, SchemaError.
SYNTHEMA_EXPORT PublishedStatistics statistics_from_json(std::string_view json, const std::string& file = {});

}  // namespace synthema
