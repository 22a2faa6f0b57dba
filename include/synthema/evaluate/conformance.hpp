// What every evaluator promises, as a test that a plug-in's author can run: nonconformities(evaluator, ...)
// gives one sentence per broken promise; an empty result means that none was found.
#pragma once

#include <cmath>
#include <exception>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

namespace detail {

inline bool same_number(const std::optional<double>& a, const std::optional<double>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return *a == *b || std::abs(*a - *b) <= 1e-9 * (1 + std::abs(*a));
}

// What surrounds the value: its interval, and what it could have been at best and at worst.
inline void check_surroundings(const Score& score, const Range& range, std::vector<std::string>& out) {
  const auto within = [](double x, double low, double high) { return x >= low - 1e-9 && x <= high + 1e-9; };
  if (const auto& interval = score.interval) {
    if (!within(*score.value, interval->low, interval->high))
      out.push_back(message("The value ", *score.value, " is outside its own interval, ", interval->low,
                            " to ", interval->high, "."));
    if (!within(interval->low, range.low, range.high) || !within(interval->high, range.low, range.high))
      out.push_back(message("The interval ", interval->low, " to ", interval->high, " is outside the range [",
                            range.low, ", ", range.high, "]."));
  }
  for (const auto& [name, bound] : {std::pair("ceiling", &score.ceiling), std::pair("floor", &score.floor)})
    if (*bound && !within((*bound)->value, range.low, range.high))
      out.push_back(message("The ", name, " ", (*bound)->value, " is outside the range [", range.low, ", ",
                            range.high, "]."));
}

template <class E>
void check_form(const E& evaluator, const Score& score, std::vector<std::string>& out) {
  if (score.name != std::string_view(evaluator.name()))
    out.push_back(message("The score is named '", score.name, "', not as its evaluator."));
  if (score.value.has_value() == !score.undefined.empty())
    out.push_back("A score has a value, or else a sentence in `undefined`, and never both.");
  if (!score.value) return;
  const Range range = evaluator.range();
  if (!(*score.value >= range.low - 1e-9 && *score.value <= range.high + 1e-9))
    out.push_back(
        message("The value ", *score.value, " is outside the range [", range.low, ", ", range.high, "]."));
  check_surroundings(score, range, out);
  if (!score.interval && score.no_interval.empty())
    out.push_back("A value without an interval must say why in `no_interval`.");
  if (score.estimand.empty()) out.push_back("The score does not say what it estimates.");
}

inline Table shuffled(const Table& table) {
  std::vector<std::size_t> order(table.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(1);
  random.shuffle(order);
  return table.take(order);
}

}  // namespace detail

// `real` may be null. The tables should have the columns that the evaluator reads, and the context what it
// needs. Tried: form of the score, its value within its interval and all within the range; the same value
// again, on one thread, with rows in another order (`row_order` false: skipped, for evaluators that pair rows
// with the real table's), and inputs left as they were; empty tables give an undefined score and no
// exception.
template <Evaluator E>
std::vector<std::string> nonconformities(const E& evaluator, const Table* real, const Table& synthetic,
                                         const EvaluationContext& context, bool row_order = true) {
  std::vector<std::string> out;
  const auto attempt = [&](const char* when, const Table* r, const Table& s, const EvaluationContext& c) {
    try {
      return evaluator.evaluate(r, s, c);
    } catch (const std::exception& error) {
      out.push_back(message("It threw ", when, ": ", error.what()));
      return Score{};
    }
  };
  const std::string before = content_digest(synthetic);
  const Score score = attempt("on the tables given", real, synthetic, context);
  if (!out.empty()) return out;
  detail::check_form(evaluator, score, out);
  if (content_digest(synthetic) != before) out.push_back("It changed the synthetic table.");
  EvaluationContext one_thread = context;
  one_thread.threads = 1;
  const Score again = attempt("on one thread", real, synthetic, one_thread);
  if (again.value != score.value) out.push_back("The value depends on the number of threads or on the call.");
  if (again.interval.has_value() != score.interval.has_value() ||
      (score.interval &&
       (again.interval->low != score.interval->low || again.interval->high != score.interval->high)))
    out.push_back("The interval depends on the number of threads or on the call.");
  if (row_order &&
      !detail::same_number(attempt("on shuffled rows", real, detail::shuffled(synthetic), context).value,
                           score.value))
    out.push_back("The value depends on the order of the rows.");
  const Table none = synthetic.head(0);
  const Table no_real = real ? real->head(0) : Table();
  const Score empty = attempt("on empty tables", real ? &no_real : nullptr, none, context);
  if (empty.value)
    out.push_back("Empty tables must give an undefined score, not a value.");
  else if (empty.undefined.empty() && out.empty())
    out.push_back("An undefined score must say why.");
  return out;
}

}  // namespace synthema
