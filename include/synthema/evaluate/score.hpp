// A Score says what was measured, how sure we are, and what it could have been at best and at worst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"

namespace synthema {

enum class Direction : std::uint8_t { higher, lower, none };  // which way is better
constexpr std::string_view name_of(Direction direction) {
  constexpr std::string_view names[] = {"higher", "lower", "none"};
  return names[static_cast<int>(direction)];
}

struct Range {
  double low = 0;   // may be -infinity
  double high = 1;  // may be +infinity
  friend bool operator==(const Range&, const Range&) = default;
};

struct Interval {
  double low = 0;
  double high = 0;
  double level = 0.95;
  std::string method;  // "bootstrap percentile, 1000 resamples of rows", "Wilson", ...
};

// The same measure of one column, pair, label or subgroup.
struct ScorePart {
  std::string name;  // "age", "age x sex", "HP:0002315"
  std::optional<double> value;
  std::uint64_t n = 0;
  std::string note;
};

// A line that shows more than its one number: y over x, both ascending along the points.
struct Curve {
  std::string name;  // "ROC" of two labels, "ROC, mean of labels", "ROC of C" of the label C against the rest
  std::string of;    // whose line it is: "trained on synthetic rows"
  std::vector<double> x, y;  // as many of each
};

struct Bound {
  double value = 0;
  std::string source;  // how it was obtained: "shuffled labels, 200 draws", "theory", "holdout"
  // Standard error of `value` if the rows that it was measured on are like the synthetic ones; 0 where it is
  // exact, not known, or a part of the score's interval.
  double error = 0;
};

struct Score {
  std::string name;             // "label_recovery_top1"
  std::string estimand;         // one sentence: what the number estimates, and its unit
  std::optional<double> value;  // absent exactly when `undefined` says why
  std::string undefined;        // a sentence
  std::optional<Interval> interval;
  std::string no_interval;  // why there is none, where there is none
  std::uint64_t n = 0;      // rows (or subjects) used
  std::vector<ScorePart> parts;
  std::vector<Curve> curves;            // what a report draws, nothing that is computed further
  std::optional<Bound> ceiling;         // the best that data of this size could score
  std::optional<Bound> floor;           // what knowing nothing scores
  std::string convention = "synthema";  // whose definition
  std::string definition;               // formula or source, one line
  std::vector<std::string> warnings;
  Direction direction = Direction::none;
  Range range;
};

std::string to_json(const Score& score);  // infinities as the texts "inf" and "-inf"; absent members left out
Score score_from_json(std::string_view json);  // ParseError

}  // namespace synthema
