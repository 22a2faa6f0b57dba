#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "synthema/evaluate/resampling.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

constexpr double kZ = 1.959963984540054;

RowSums ones_and_zeros(std::size_t ones, std::size_t zeros) {
  RowSums out{2, {}};
  for (std::size_t i = 0; i < ones + zeros; ++i) out.values.push_back(i < ones), out.values.push_back(1);
  return out;
}
std::optional<double> mean(std::span<const double> sums) {
  return sums[0] / sums[1];
}

}  // namespace

TEST_CASE("quantiles interpolate as type 7 of Hyndman and Fan") {
  const std::vector<double> sorted{1, 2, 3, 4};
  CHECK(quantile(sorted, 0) == 1);
  CHECK(quantile(sorted, 0.25) == 1.75);
  CHECK(quantile(sorted, 0.5) == 2.5);
  CHECK(quantile(sorted, 1) == 4);
  CHECK(quantile(std::vector<double>{7}, 0.3) == 7);
}

TEST_CASE("a resample is the sum of as many units as there are, the same ones whatever the width") {
  for (const std::size_t units : {1, 2, 3, 10, 1000, 8000, 65536, 100003})
    for (std::size_t width = 2; width <= 8; ++width) {
      RowSums narrow{1, {}}, by_unit{width, {}};
      for (std::size_t i = 0; i < units; ++i) {
        narrow.values.push_back(std::sqrt(static_cast<double>(i)));
        by_unit.values.push_back(1);
        by_unit.values.insert(by_unit.values.end(), width - 1, narrow.values.back());
      }
      std::vector<double> sums(width, detail::resampled(narrow, units, Random(units))[0]);
      sums[0] = static_cast<double>(units);
      CHECK(detail::resampled(by_unit, units, Random(units)) == sums);
    }
}

TEST_CASE("every unit is as likely to be drawn") {
  constexpr std::size_t kUnits = 5, kResamples = 20'000;
  RowSums by_unit{kUnits, std::vector<double>(kUnits * kUnits)};
  for (std::size_t unit = 0; unit < kUnits; ++unit) by_unit.values[unit * kUnits + unit] = 1;
  std::vector<double> counts(kUnits);
  for (std::size_t b = 0; b < kResamples; ++b) {
    const std::vector<double> drawn = detail::resampled(by_unit, kUnits, Random(1).stream(b));
    for (std::size_t unit = 0; unit < kUnits; ++unit) counts[unit] += drawn[unit];
  }
  for (const double count : counts)  // standard deviation 0.006
    CHECK(std::abs(count / kResamples - 1) < 0.025);
}

TEST_CASE("Wilson's interval") {
  const Interval none = wilson(0, 10);
  CHECK(none.low == 0);
  CHECK(none.high == Approx(kZ * kZ / (10 + kZ * kZ)));  // 0.2775
  const Interval half = wilson(5, 10);
  CHECK(half.low == Approx(0.2366).epsilon(1e-3));  // Newcombe 1998's form of the same formula
  CHECK(half.high == Approx(1 - half.low));
  CHECK(wilson(10, 10).high == 1);
  // Half: sqrt(1 / 4 / n) z, shortened by 1 + z^2 / n; z of 99 % is 2.5758293.
  CHECK(wilson(50, 100, 0.99).high - 0.5 == Approx(2.5758293 / 20 / std::sqrt(1 + 6.6348966 / 100)));
  CHECK_THROWS_AS(wilson(1, 2, 1), ConfigError);
}

TEST_CASE("units are rows, or subjects where the schema names them; a missing subject is its own unit") {
  CHECK(Units::of(text_table({"a", "b"})).count == 2);
  const Field subject{.name = "patient", .roles = {Role::subject}};
  const std::vector<Record> records{{{"patient", "p"}},
                                    {{"patient", "q"}},
                                    {{"patient", "p"}},
                                    {{"patient", Value()}},
                                    {{"patient", Value()}}};
  const Units units = Units::of(Table::from_records({.fields = {subject}}, records));
  CHECK(units.name == "subjects");
  CHECK(units.count == 4);
  CHECK(units.of_row == std::vector<std::size_t>{0, 1, 0, 2, 3});
  const Units some = units.take(std::vector<std::size_t>{1, 3, 1});
  CHECK(some.count == 2);
  CHECK(some.of_row == std::vector<std::size_t>{0, 1, 0});
}

TEST_CASE("the bootstrap resamples units") {
  EvaluationContext context;
  context.seed = 4;
  const RowSums rows = ones_and_zeros(50, 50);
  const auto by_row = bootstrap(rows, Units::rows(100), context, mean);
  REQUIRE(by_row);
  // Close to the normal interval of a share of one half, 0.5 +- 0.098.
  CHECK(by_row->low == Approx(0.402).epsilon(0.05));
  CHECK(by_row->high == Approx(0.598).epsilon(0.05));
  CHECK(by_row->method == "bootstrap percentile, 1000 resamples of 100 rows");
  // Ten patients of ten equal rows each: only tenths can be drawn, and the interval shows it.
  Units patients = Units::rows(100);
  patients.count = 10;
  for (std::size_t row = 0; row < 100; ++row) patients.of_row[row] = row / 10;
  const auto by_patient = bootstrap(rows, patients, context, mean);
  REQUIRE(by_patient);
  CHECK(by_patient->low == Approx(0.2));
  CHECK(by_patient->high == Approx(0.8));
}

TEST_CASE("an interval depends on the seed and never on the number of threads") {
  EvaluationContext context;
  context.seed = 9;
  const auto interval = [&](std::size_t threads, std::uint64_t seed) {
    context.threads = threads, context.seed = seed;
    const Interval found = *bootstrap(ones_and_zeros(1300, 2400), Units::rows(3700), context, mean);
    return std::pair(found.low, found.high);
  };
  CHECK(interval(1, 9) == interval(3, 9));
  CHECK(interval(1, 9) != interval(1, 10));
}

TEST_CASE("no interval where a bootstrap says nothing") {
  EvaluationContext context;
  CHECK_FALSE(bootstrap(ones_and_zeros(1, 0), Units::rows(1), context, mean));
  CHECK_FALSE(bootstrap(ones_and_zeros(4, 5), Units::rows(9), context, mean));
  CHECK_FALSE(bootstrap(ones_and_zeros(20, 0), Units::rows(20), context, mean));  // no width
  const auto often_undefined = [](std::span<const double> sums) {
    return sums[0] > 5 ? std::optional(sums[0]) : std::nullopt;
  };
  CHECK_FALSE(bootstrap(ones_and_zeros(5, 5), Units::rows(10), context, often_undefined));
  context.bootstrap = 0;
  CHECK_FALSE(bootstrap(ones_and_zeros(5, 5), Units::rows(10), context, mean));
}

TEST_CASE("a cancelled evaluation stops in the bootstrap") {
  EvaluationContext context;
  context.cancel.cancel();
  CHECK_THROWS_AS(bootstrap(ones_and_zeros(5, 5), Units::rows(10), context, mean), Cancelled);
}

TEST_CASE("the jackknife's width, and its bounds") {
  const std::vector<double> without{0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  // Squares about the mean 1/2 sum to 2.5; (n - 1) / n of that is 2.25.
  const auto wide = jackknife(0, without, "rows", {-10, 10});
  REQUIRE(wide);
  CHECK(wide->low == Approx(-kZ * 1.5));
  CHECK(wide->high == Approx(kZ * 1.5));
  CHECK(jackknife(0.5, without, "rows", {0, 1})->high == 1);
  // What is of second order is taken off, but never more than half of the variance.
  CHECK(jackknife(0, without, "rows", {-10, 10}, 1)->high == Approx(kZ * std::sqrt(1.25)));
  CHECK(jackknife(0, without, "rows", {-10, 10}, 2)->high == Approx(kZ * std::sqrt(1.125)));
  CHECK_FALSE(jackknife(0, std::vector<double>{0, 1, 0, 1, 0, 1, 0, 1, 0}, "rows", {0, 1}));  // nine units
  CHECK_FALSE(jackknife(0, std::vector<double>(20, 0.5), "rows", {0, 1}));  // a width of zero is no certainty
}

TEST_CASE("a ratio of sums with its interval") {
  EvaluationContext context;
  Score score;
  RatioRows rows{.numerator = {1, 0, 3, 1, 2, 1, 3, 0, 4, 1}, .denominator = {2, 4, 4, 4, 4, 4, 4, 4, 4, 6}};
  set_ratio(score, rows, Units::rows(10), context);
  CHECK(score.value == 0.4);
  CHECK(score.n == 10);
  CHECK(score.interval->method.find("bootstrap") == 0);
  SUBCASE("all or none: Wilson over the units, since a bootstrap has no width") {
    score.range = {0, 1};
    const RatioRows all{.numerator = {1, 1, 1, 1}, .denominator = {1, 1, 1, 1}, .share = true};
    Units two = Units::rows(4);
    two.count = 2, two.of_row = {0, 0, 1, 1};
    set_ratio(score, all, two, context);
    CHECK(score.value == 1);
    CHECK(score.interval->low == Approx(wilson(2, 2).low));
  }
  SUBCASE("too few units, or too few that differ, for a bootstrap") {
    const auto scored = [&](std::vector<double> numerator, Range range) {
      Score out;
      out.range = range;
      RatioRows some;
      for (const double value : numerator) some.add(value);
      set_ratio(out, some, Units::rows(numerator.size()), context);
      return out;
    };
    const Score two = scored({0, 0}, {0, 1});  // neither is nearer to training: that proves little
    CHECK(two.interval->low == 0);
    CHECK(two.interval->high == Approx(wilson(0, 2).high));
    CHECK(two.interval->method == "Wilson over 2 rows (too few for a bootstrap)");
    const Score ties = scored(std::vector<double>(30, 0.5), {0, 1});
    CHECK(ties.interval->low == Approx(wilson(15, 30).low));
    std::vector<double> rare(200, 0.0);
    for (std::size_t i = 0; i < 4; ++i) rare[i] = 0.5;
    CHECK(scored(rare, {0, 1}).interval->high == Approx(wilson(2, 200).high));
    rare[4] = 0.5;
    CHECK(scored(rare, {0, 1}).interval->method.find("bootstrap") == 0);
    const Range open{0, std::numeric_limits<double>::infinity()};
    CHECK_FALSE(scored({5, 7}, open).interval);
    CHECK(scored({5, 7}, open).no_interval.find("fewer than ten") != std::string::npos);
    const Score same = scored(std::vector<double>(30, 5.0), open);
    CHECK_FALSE(same.interval);
    CHECK(same.no_interval.find("Fewer than five") == 0);
  }
  SUBCASE("nothing to divide by: undefined with a reason") {
    Score empty;
    set_ratio(empty, {}, Units::rows(0), context);
    CHECK_FALSE(empty.value);
    CHECK_FALSE(empty.undefined.empty());
  }
}
