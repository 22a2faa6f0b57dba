#include "src/evaluate/survival_times.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <string_view>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/error.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema::detail {

namespace {

const Column& needed(const Table& table, const std::string& name) {
  if (!table.has(name))
    throw EvaluationError({.field = name}, "The table has no such column, but survival is measured by it.");
  return table.column(name);
}

std::string shown(const Column& column, std::size_t row) {
  if (is_number(column.kind())) return message(column.number_at(row));
  if (column.kind() == Kind::boolean) return column.boolean_at(row) ? "true" : "false";
  return column.value_at(row).display();
}

// Labels that say by themselves that something happened.
bool names_event(const std::string& label) {
  static constexpr std::string_view kEvents[] = {"true", "yes",  "y",        "1",     "event",
                                                 "dead", "died", "deceased", "death", "relapse"};
  return std::ranges::find(kEvents, lower_case(label)) != std::end(kEvents);
}

// Of two numbers the larger, of labels the one that says so. Where only one number occurs, 0 is no event.
std::string event_value(const Column& column, const std::string& name) {
  if (column.kind() == Kind::boolean) return "true";
  std::map<std::string, std::size_t> values;  // to a row
  for (std::size_t row = 0; row < column.size() && values.size() < 3; ++row)
    if (!column.is_null(row)) values.try_emplace(shown(column, row), row);
  if (values.size() > 2)
    throw EvaluationError({.field = name}, "The column of events has more than two different values.");
  if (values.empty()) return "";
  const auto [first, last] = std::pair(values.begin(), std::prev(values.end()));
  if (is_number(column.kind())) {
    const double a = column.number_at(first->second), b = column.number_at(last->second);
    return a == b && a == 0 ? "1" : a > b ? first->first : last->first;
  }
  if (names_event(first->first) != names_event(last->first))
    return names_event(first->first) ? first->first : last->first;
  if (values.size() == 1 && names_event(first->first)) return first->first;
  throw EvaluationError({.field = name},
                        "Which label of the column is the event cannot be told; make it a boolean or a "
                        "number (1: it happened, 0: it did not), or write yes and no, or dead and alive.");
}

}  // namespace

SurvivalTimes survival_times(const Table& table, const Table& real, const std::string& duration,
                             const std::string& event) {
  const Column &durations = needed(table, duration), &events = needed(table, event);
  if (!is_number(durations.kind())) throw EvaluationError({.field = duration}, "Durations must be numbers.");
  SurvivalTimes out;
  out.happened = event_value(needed(real, event), event);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (durations.is_null(row) || events.is_null(row)) continue;
    const double time = durations.number_at(row);
    if (time < 0) throw EvaluationError({.field = duration}, "A duration is negative.");
    out.duration.push_back(time);
    out.event.push_back(shown(events, row) == out.happened ? 1 : 0);
    out.rows.push_back(row);
  }
  return out;
}

double SurvivalCurve::at(double t) const {
  const auto above = std::upper_bound(time.begin(), time.end(), t);
  return above == time.begin() ? 1 : survival[static_cast<std::size_t>(above - time.begin()) - 1];
}

SurvivalCurve kaplan_meier(const SurvivalTimes& times) {
  std::vector<std::size_t> order(times.duration.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return times.duration[a] < times.duration[b]; });
  SurvivalCurve out{{0}, {1}, order.empty() ? 0 : times.duration[order.back()]};
  for (std::size_t i = 0; i < order.size();) {
    const double t = times.duration[order[i]];
    const auto at_risk = static_cast<double>(order.size() - i);
    double events = 0;
    for (; i < order.size() && times.duration[order[i]] == t; ++i) events += times.event[order[i]];
    if (events == 0) continue;
    out.time.push_back(t);
    out.survival.push_back(out.survival.back() * (1 - events / at_risk));
  }
  return out;
}

}  // namespace synthema::detail
