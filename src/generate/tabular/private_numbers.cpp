#include <algorithm>
#include <cmath>
#include <iterator>

#include "src/generate/tabular/noisy_histogram.hpp"
#include "src/generate/tabular/private_learner.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema::detail {

namespace {

constexpr double kLargest = 9007199254740991.0;  // whole numbers beyond 2^53 are not told apart
constexpr double kResolutionShare = 0.1;         // of a column's budget, where decimals are not named
constexpr double kSettled = 0.99;                // of the rows must be on the grid
constexpr std::size_t kMostGuessed = 6;          // decimals, where noise drowned how many there are
constexpr std::uint32_t kMostDecimals = 9;
constexpr std::int64_t kResolutions[] = {86400000000, 3600000000, 60000000, 1000000, 1000, 1};

double power_of_ten(std::uint32_t decimals) {
  return std::pow(10.0, static_cast<double>(decimals));
}

bool states_resolution(const Field& field) {
  return field.kind == Kind::integer || (field.kind == Kind::real && field.decimals);
}

// How many decimals, or which resolution of a time, the values need: the fewest that settle nearly all of the
// counts that noise alone would not make. Where there is none, what has the largest count, and not many
// decimals; it is then not told.
template <class Needs>
std::size_t noisy_resolution(const PrivateLearner& learner, const Column& column, std::size_t choices,
                             PrivateColumn& out, const Needs& needs) {
  const Field& field = out.coding.field;
  std::vector<double> counts(choices);
  for (const std::size_t row : learner.rows)
    if (!column.is_null(row)) counts[needs(row)] += 1;
  const double sigma =
      learner.budget.measure(counts, learner.rho(field) * kResolutionShare, "resolution: " + field.name);
  const auto most = std::max_element(
      counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(std::min(choices, kMostGuessed + 1)));
  const auto guessed = static_cast<std::size_t>(most - counts.begin());
  double all = 0, until = 0;
  for (double& count : counts) all += count = count < kFaint * sigma ? 0.0 : count;
  out.resolved = all > 0;
  if (!out.resolved) return guessed;
  for (std::size_t i = 0; i < choices; ++i)
    if ((until += counts[i]) >= kSettled * all) return i;
  return choices - 1;
}

void learn_step(const PrivateLearner& learner, const Column& column, PrivateColumn& learnt) {
  const auto times = column.integers();
  const std::size_t found =
      noisy_resolution(learner, column, std::size(kResolutions), learnt, [&](std::size_t row) {
        std::size_t i = 0;
        while (times[row] % kResolutions[i] != 0) ++i;
        return i;
      });
  learnt.coding.zone = column.zone();
  learnt.coding.step = kResolutions[found];
}

void learn_decimals(const PrivateLearner& learner, const Column& column, PrivateColumn& learnt) {
  const auto reals = column.reals();
  const std::size_t found =
      noisy_resolution(learner, column, kMostDecimals + 2, learnt, [&](std::size_t row) -> std::size_t {
        for (std::uint32_t d = 0; d <= kMostDecimals; ++d) {
          const double scaled = std::nearbyint(reals[row] * power_of_ten(d));
          if (std::abs(scaled) <= kLargest && scaled / power_of_ten(d) == reals[row]) return d;
        }
        return kMostDecimals + 1;
      });
  learnt.coding.grid = found <= kMostDecimals;
  if (learnt.coding.grid) learnt.coding.decimals = static_cast<std::uint32_t>(found);
}

// Decides the grid; the origin follows with the range.
void learn_resolution(const PrivateLearner& learner, const Column& column, PrivateColumn& learnt) {
  ColumnCoding& coding = learnt.coding;
  coding.grid = true;
  if (column.kind() == Kind::time)
    learn_step(learner, column, learnt);
  else if (!states_resolution(coding.field))
    learn_decimals(learner, column, learnt);
  else if (column.kind() == Kind::real)
    coding.decimals = *coding.field.decimals;
}

// x of a value while the origin is still 0.
double raw_cell(const ColumnCoding& coding, double v) {
  if (!coding.grid) return v;
  const double x = std::nearbyint(v * power_of_ten(coding.decimals) / static_cast<double>(coding.step));
  return std::clamp(x, -kLargest, kLargest);
}

NumberRange stated_range(const ColumnCoding& coding) {
  const Field& field = coding.field;
  NumberRange out{field.minimum ? raw_cell(coding, *field.minimum) : -kInfinity,
                  field.maximum ? raw_cell(coding, *field.maximum) : kInfinity};
  if (coding.grid && field.minimum && coding.number(out.lowest) < *field.minimum) ++out.lowest;
  if (coding.grid && field.maximum && coding.number(out.highest) > *field.maximum) --out.highest;
  if (out.lowest > out.highest)
    throw SchemaError({.field = field.name}, "No value lies within the range that the schema gives.");
  return out;
}

// Neighbouring leaves share a state until it has its part of the rows.
void number_states(std::span<const NoisyHistogram::Node> leaves, std::size_t bins, PrivateColumn& out,
                   LearntColumn& learnt) {
  double total = 0;
  for (const auto& leaf : leaves) total += std::max(leaf.count, 0.0);
  double left = total, mass = 0, count = 0, variance = 0;
  const auto close = [&] {
    learnt.add_state(out, count, 1 / variance);
    left -= mass;
    mass = count = variance = 0;
  };
  for (const auto& leaf : leaves) {
    const double own = std::max(leaf.count, 0.0);
    const double share = left / static_cast<double>(bins - std::min<std::size_t>(out.states, bins - 1));
    if (variance > 0 && out.states + 1 < bins && mass + own - share > share - mass && mass > 0) close();
    out.cells.push_back({leaf.low, leaf.high, own, out.states});
    mass += own;
    count += leaf.count;
    variance += leaf.variance;
  }
  close();
  // A state without any weight is uniform over its cells.
  std::vector<double> weights(out.states);
  for (const NumberCell& cell : out.cells) weights[cell.state] += cell.weight;
  for (NumberCell& cell : out.cells)
    if (!(weights[cell.state] > 0)) cell.weight = std::max(cell.high - cell.low, 1.0);
}

// On a grid cells count from the lowest value: x of it so far.
double begin_with_lowest(PrivateColumn& out) {
  ColumnCoding& coding = out.coding;
  double shift = 0;
  if (coding.grid) {
    shift = out.cells.front().low;
    coding.origin = coding.step * static_cast<std::int64_t>(shift);
    for (NumberCell& cell : out.cells) cell.low -= shift, cell.high -= shift;
  }
  coding.interval = true;
  coding.values = {out.cells.front().low, out.cells.back().high - (coding.grid ? 1 : 0)};
  if (coding.values[1] <= coding.values[0]) coding.values.pop_back();
  return shift;
}

}  // namespace

void learn_numbers(const PrivateLearner& learner, const Column& column, PrivateColumn& out,
                   LearntColumn& learnt) {
  ColumnCoding& coding = out.coding;
  coding.form = CodingForm::number;
  const Field& field = coding.field;
  learner.require_named(field, field.minimum && field.maximum, "range of numbers");
  learn_resolution(learner, column, out);
  const double rho = learner.rho(field) * (states_resolution(field) ? 1 : 1 - kResolutionShare);
  const NumberRange range = stated_range(coding);
  std::vector<double> cells;
  cells.reserve(learner.rows.size());
  for (const std::size_t row : learner.rows)
    cells.push_back(column.is_null(row)
                        ? kMissing
                        : std::clamp(raw_cell(coding, column.number_at(row)), range.lowest, range.highest));
  const NoisyHistogram histogram(learner, out, cells, rho, range);
  const std::vector<NoisyHistogram::Node> leaves = histogram.leaves();
  if (leaves.empty()) return give_up(out);
  number_states(leaves, learner.options.bins, out, learnt);
  if (out.missing) learnt.add_state(out, histogram.missing(), 1 / histogram.missing_variance());
  const double shift = begin_with_lowest(out);
  const double first = coding.values.front(), last = coding.values.back();
  for (const double cell : cells)
    learnt.states.push_back(std::isnan(cell) ? out.missing_state()
                                             : out.state_of(std::clamp(cell - shift, first, last)));
}

double cell_is_told_from(const PrivateBudget& budget, double rho) {
  return kClear * budget.sigma_of(rho / NoisyHistogram::kLevels);
}

double smallest_part(double rho) {
  return rho * std::min(kResolutionShare, (1 - kResolutionShare) / NoisyHistogram::kLevels);
}

}  // namespace synthema::detail
