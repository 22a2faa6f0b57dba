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

// Values of events as they are told apart: numbers and truth values (true is 1) as numbers, labels whatever
// their case.
std::string event_key(const Column& column, std::size_t row) {
  if (is_number(column.kind()) || column.kind() == Kind::boolean) return message(column.number_at(row));
  return lower_case(column.value_at(row).display());
}

// Labels that say by themselves that something happened.
bool names_event(const std::string& key) {
  static constexpr std::string_view kEvents[] = {"true", "yes",  "y",        "1",     "event",
                                                 "dead", "died", "deceased", "death", "relapse"};
  return std::ranges::find(kEvents, key) != std::end(kEvents);
}

// What the values of the real rows mean: of two numbers the larger is the event, of labels the one that says
// so. Where only one number occurs, 0 is no event.
class Events {
 public:
  Events(const Column& real, const std::string& name) : name_(name), numbers_(holds_numbers(real)) {
    for (std::size_t row = 0; row < real.size() && values_.size() < 3; ++row)
      if (!real.is_null(row)) values_.try_emplace(event_key(real, row), row);
    if (values_.size() > 2)
      throw EvaluationError({.field = name}, "The column of events has more than two different values.");
    if (values_.empty()) return;
    event_ = numbers_ ? larger(real) : telling();
    const auto found = values_.find(event_);
    shown_ = real.kind() == Kind::boolean ? "true"
             : found == values_.end()     ? event_
             : numbers_                   ? found->first
                                          : real.value_at(found->second).display();
  }

  const std::string& happened() const { return shown_; }

  // Whether it happened in this row of any table.
  bool in(const Column& column, std::size_t row) const {
    const std::string key = event_key(column, row);
    if (key == event_) return true;
    if (values_.empty() || values_.contains(key)) return false;
    // The real rows may have one of the two values only.
    const bool other = values_.size() < 2 && numbers_ == holds_numbers(column) &&
                       (numbers_ ? column.number_at(row) < number_ : !names_event(key));
    if (!other)
      throw EvaluationError({.field = name_},
                            "The column of events has values that it does not have in the real rows; write "
                            "the events of all tables in the same way.");
    return false;
  }

 private:
  static bool holds_numbers(const Column& column) {
    return is_number(column.kind()) || column.kind() == Kind::boolean;
  }

  std::string larger(const Column& real) {
    if (real.kind() == Kind::boolean) {
      number_ = 1;
      return "1";
    }
    const double a = real.number_at(values_.begin()->second), b = real.number_at(values_.rbegin()->second);
    number_ = a == b && a == 0 ? 1 : std::max(a, b);
    return message(number_);
  }

  std::string telling() const {
    const std::string &first = values_.begin()->first, &last = values_.rbegin()->first;
    if (names_event(first) != names_event(last)) return names_event(first) ? first : last;
    if (values_.size() == 1 && names_event(first)) return first;
    throw EvaluationError({.field = name_},
                          "Which label of the column is the event cannot be told; make it a boolean or a "
                          "number (1: it happened, 0: it did not), or write yes and no, or dead and alive.");
  }

  std::string name_, event_, shown_;
  bool numbers_;
  double number_ = 0;                          // that is the event
  std::map<std::string, std::size_t> values_;  // of the real rows, to a row
};

}  // namespace

SurvivalTimes survival_times(const Table& table, const Table& real, const std::string& duration,
                             const std::string& event) {
  const Column &durations = needed(table, duration), &events = needed(table, event);
  if (!is_number(durations.kind())) throw EvaluationError({.field = duration}, "Durations must be numbers.");
  SurvivalTimes out;
  const Events happened(needed(real, event), event);
  out.happened = happened.happened();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (durations.is_null(row) || events.is_null(row)) continue;
    const double time = durations.number_at(row);
    if (time < 0) throw EvaluationError({.field = duration}, "A duration is negative.");
    out.duration.push_back(time);
    out.event.push_back(happened.in(events, row) ? 1 : 0);
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
