#include "src/generate/tabular/coded_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "src/generate/tabular/number_parts.hpp"
#include "src/generate/tabular/number_protection.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint32_t kMostDecimals = 9;
constexpr double kExact = 9007199254740992.0;  // 2^53

constexpr double kArithmetic = 1e-13;  // of the largest number

// Fewest decimals that all values keep; nothing where nine do not do.
std::optional<std::uint32_t> decimals_of(const Column& column, double largest) {
  const auto values = column.reals();
  double power = 1;
  std::uint32_t decimals = 0;
  for (std::size_t i = 0; i < values.size();) {
    if (column.is_null(i) || whole_of(values[i], power, largest)) {
      ++i;
      continue;
    }
    if (decimals == kMostDecimals) return std::nullopt;
    power *= 10;
    ++decimals;  // values that were whole before still are
  }
  return decimals;
}

// Values in ascending order as whole numbers, shifted and divided by what all differences are multiples of.
void learn_grid(std::span<const std::int64_t> sorted, ColumnCoding& out) {
  out.grid = true;
  out.origin = sorted.front();
  std::uint64_t step = 0;
  for (std::size_t i = 1; i < sorted.size() && step != 1; ++i)
    step = std::gcd(step, static_cast<std::uint64_t>(sorted[i]) - static_cast<std::uint64_t>(sorted[i - 1]));
  out.step = step == 0 || step > std::uint64_t{1} << 62 ? 1 : static_cast<std::int64_t>(step);
}

void finish_numbers(const CodingLearner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes) {
  std::vector<std::size_t> rows(out.values.size());
  for (const std::uint32_t code : codes)
    if (code < rows.size()) ++rows[code];
  const CodePeople people(learner, codes, out.values.size());
  protect(learner, people, rows, out);
  learn_parts(learner, people, rows, out);
}

// Codes of the rows by their place among the different values; `kept` is called with those, ascending.
//
// The values are sorted by themselves and looked up again: half the memory of sorting them with their rows.
template <class T, class Value, class Kept>
void code_values(const Column& column, const Value& value_at, std::vector<std::uint32_t>& codes,
                 const Kept& kept) {
  std::vector<T> different;
  different.reserve(column.size() - column.null_count());
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) different.push_back(value_at(row));
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  different.shrink_to_fit();
  codes.assign(column.size(), static_cast<std::uint32_t>(different.size()));
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row))
      codes[row] = static_cast<std::uint32_t>(
          std::lower_bound(different.begin(), different.end(), value_at(row)) - different.begin());
  kept(different);
}

}  // namespace

std::optional<double> whole_of(double v, double power, double largest) {
  const double scaled = std::nearbyint(v * power);
  const double slack = std::min(kArithmetic * largest, 0.01 / power);
  const bool kept = scaled / power == v || (scaled != 0 && std::abs(scaled / power - v) <= slack);
  return kept && std::abs(scaled) < kExact ? std::optional(scaled) : std::nullopt;
}

double power_of_ten(std::uint32_t decimals) {
  double out = 1;
  for (std::uint32_t i = 0; i < decimals; ++i) out *= 10;
  return out;
}

void learn_reals(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                 std::vector<std::uint32_t>& codes) {
  const auto reals = column.reals();
  double largest = 0;
  for (std::size_t row = 0; row < reals.size(); ++row)
    if (!column.is_null(row)) largest = std::max(largest, std::abs(reals[row]));
  auto decimals = decimals_of(column, largest);
  if (const auto stated = out.field.decimals; stated && (!decimals || *decimals > *stated)) decimals = stated;
  const double power = power_of_ten(decimals.value_or(0));
  if (!decimals || !(largest * power < kExact)) {
    code_values<double>(
        column, [&](std::size_t row) { return reals[row] + 0.0; },  // one zero
        codes, [&](std::vector<double>& values) { out.values = std::move(values); });
    return finish_numbers(learner, out, codes);
  }
  out.decimals = *decimals;
  code_values<std::int64_t>(
      column, [&](std::size_t row) { return static_cast<std::int64_t>(std::nearbyint(reals[row] * power)); },
      codes,
      [&](const std::vector<std::int64_t>& values) {
        learn_grid(values, out);
        for (const std::int64_t v : values) {
          const std::int64_t steps = (v - out.origin) / out.step;  // whole: all lie on the grid
          out.values.push_back(static_cast<double>(steps));
        }
      });
  finish_numbers(learner, out, codes);
}

void learn_whole(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                 std::vector<std::uint32_t>& codes) {
  const auto integers = column.integers();
  code_values<std::int64_t>(
      column, [&](std::size_t row) { return integers[row]; }, codes,
      [&](const std::vector<std::int64_t>& values) {
        learn_grid(values, out);
        const std::uint64_t span =
            (static_cast<std::uint64_t>(values.back()) - static_cast<std::uint64_t>(values.front())) /
            static_cast<std::uint64_t>(out.step);
        if (span >= static_cast<std::uint64_t>(kExact))
          throw SchemaError(
              {.field = out.field.name},
              "The whole numbers of the column lie 2^53 steps or more apart, more than can be told "
              "apart here. Give it the role 'identifier' if it names something, leave it out, or "
              "use a larger unit.");
        for (const std::int64_t v : values) {
          const std::uint64_t beyond = static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(out.origin);
          const std::uint64_t steps = beyond / static_cast<std::uint64_t>(out.step);
          out.values.push_back(static_cast<double>(steps));
        }
      });
  out.zone = column.zone();
  finish_numbers(learner, out, codes);
}

}  // namespace synthema::detail
