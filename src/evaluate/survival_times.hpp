// Durations and events of a table's rows, and the curve they make.
#pragma once

#include <string>
#include <vector>

#include "synthema/data/table.hpp"

namespace synthema::detail {

struct SurvivalTimes {
  std::vector<double> duration;
  std::vector<char> event;        // 1: happened, 0: censored
  std::vector<std::size_t> rows;  // of the table, those that have both
  std::string happened;           // the value that is the event
};

// EvaluationError if a column is not there, durations are no numbers or negative, or the events have more
// than two values, values that the real ones do not have, or labels of which it cannot be told which is the
// event. `real` decides which value it is: true, the larger of two numbers, a label that says so ("yes",
// "dead"). True and 1, and labels that differ in case, are one value.
SurvivalTimes survival_times(const Table& table, const Table& real, const std::string& duration,
                             const std::string& event);

// The Kaplan-Meier estimate as steps: survival[i] holds from time[i] up to the next; the first step is (0,
// 1).
struct SurvivalCurve {
  std::vector<double> time, survival;
  double longest = 0;  // last time, of an event or not

  double at(double t) const;
};
SurvivalCurve kaplan_meier(const SurvivalTimes& times);

}  // namespace synthema::detail
