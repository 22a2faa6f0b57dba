#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <map>
#include <set>
#include <type_traits>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/privacy/noise.hpp"

using namespace synthema;

namespace {

// Pearson's statistic of draws against probabilities that are proportional to `weight`; cells with fewer than
// 20 expected draws are pooled. Returns (statistic - cells) / sqrt(2 cells): about standard normal.
template <class Draw, class Weight>
double chi_square_excess(int draws, const Draw& draw, const Weight& weight) {
  std::map<std::int64_t, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[draw()];
  double total = 0;
  for (std::int64_t x = -2000; x <= 2000; ++x) total += weight(x);
  double statistic = 0, cells = -1, rest_expected = 0, rest_seen = 0;
  for (std::int64_t x = -2000; x <= 2000; ++x) {
    const double expected = draws * weight(x) / total;
    const int seen = counts.contains(x) ? counts[x] : 0;
    if (expected < 20) {
      rest_expected += expected, rest_seen += seen;
      continue;
    }
    statistic += (seen - expected) * (seen - expected) / expected;
    ++cells;
  }
  if (rest_expected > 1)
    statistic += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected, ++cells;
  return (statistic - cells) / std::sqrt(2 * cells);
}

}  // namespace

static_assert(!std::is_copy_constructible_v<NoiseSource> && !std::is_move_constructible_v<NoiseSource>,
              "two sources must never give the same bits");

TEST_CASE("the operating system's noise does not repeat and says that it is private") {
  NoiseSource a = NoiseSource::operating_system(), b = NoiseSource::operating_system();
  CHECK(a.is_private());
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(a.bits()), seen.insert(b.bits());
  CHECK(seen.size() == 4000);
}

TEST_CASE("a forked child does not draw what its parent draws") {
  NoiseSource source = NoiseSource::operating_system();
  source.bits();  // the buffer is full, and the child has it too
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::uint64_t draw = source.bits();
    ::_exit(::write(ends[1], &draw, sizeof draw) == sizeof draw ? 0 : 1);
  }
  std::uint64_t of_child = 0;
  REQUIRE(::read(ends[0], &of_child, sizeof of_child) == sizeof of_child);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(of_child != source.bits());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("the tests' source repeats and says that it is not private") {
  NoiseSource a = NoiseSource::seeded_for_tests(7), b = NoiseSource::seeded_for_tests(7),
              c = NoiseSource::seeded_for_tests(8);
  CHECK_FALSE(a.is_private());
  const std::uint64_t first = a.bits();
  CHECK(first == b.bits());
  CHECK(first != c.bits());
}

TEST_CASE("the discrete Laplace has its distribution") {
  NoiseSource source = NoiseSource::seeded_for_tests(1);
  for (const Ratio scale : {Ratio{1, 3}, Ratio{1, 1}, Ratio{7, 2}, Ratio::at_least(25.3)}) {
    const double b = static_cast<double>(scale.numerator) / static_cast<double>(scale.denominator);
    CAPTURE(b);
    const double excess = chi_square_excess(
        50000, [&] { return discrete_laplace(source, scale); },
        [&](std::int64_t x) { return std::exp(-std::abs(static_cast<double>(x)) / b); });
    CHECK(std::abs(excess) < 4);
  }
}

TEST_CASE("the discrete Gaussian has its distribution") {
  NoiseSource source = NoiseSource::seeded_for_tests(2);
  for (const Ratio variance : {Ratio{1, 5}, Ratio{1, 1}, Ratio{9, 4}, Ratio::at_least(400.7)}) {
    const double v = static_cast<double>(variance.numerator) / static_cast<double>(variance.denominator);
    CAPTURE(v);
    const double excess = chi_square_excess(
        50000, [&] { return discrete_gaussian(source, variance); },
        [&](std::int64_t x) { return std::exp(-static_cast<double>(x * x) / (2 * v)); });
    CHECK(std::abs(excess) < 4);
  }
}

TEST_CASE("the exponential mechanism has its distribution") {
  NoiseSource source = NoiseSource::seeded_for_tests(5);
  const std::vector<double> scores{0, 1, 2.5, -3, 2};
  const double epsilon = 1.5, sensitivity = 2;
  const auto weight = [&](std::int64_t x) {
    const bool known = x >= 0 && x < 5;
    return known ? std::exp(epsilon * scores[static_cast<std::size_t>(x)] / (2 * sensitivity)) : 0;
  };
  const auto draw = [&] {
    return static_cast<std::int64_t>(exponential_choice(source, scores, epsilon, sensitivity));
  };
  CHECK(std::abs(chi_square_excess(50000, draw, weight)) < 4);
  CHECK(exponential_choice(source, std::vector<double>{0, 1e300, 0}, 1, 1e-3) == 1);
  CHECK(exponential_choice(source, std::vector<double>{7}, 1, 1) == 0);
  CHECK_THROWS_WITH_AS(exponential_choice(source, {}, 1, 1), doctest::Contains("scores"), ConfigError);
  CHECK_THROWS_WITH_AS(exponential_choice(source, scores, 0, 1), doctest::Contains("epsilon"), ConfigError);
  CHECK_THROWS_WITH_AS(exponential_choice(source, scores, 1, 0), doctest::Contains("sensitivity"),
                       ConfigError);
}

TEST_CASE("large variances and tiny ones: no overflow") {
  NoiseSource source = NoiseSource::seeded_for_tests(3);
  double square = 0;
  const double largest = 0x1p30;
  for (int i = 0; i < 4000; ++i) {
    const auto draw = static_cast<double>(discrete_gaussian(source, Ratio::at_least(largest)));
    square += draw * draw / 4000;
  }
  CHECK(square / largest == doctest::Approx(1).epsilon(0.1));  // standard error 0.022
  for (int i = 0; i < 1000; ++i) CHECK(discrete_gaussian(source, {1, std::uint64_t{1} << 20}) == 0);
}

TEST_CASE("parameters are rounded to more noise") {
  for (const double value : {1e-9, 0.1, 1.0, 3.14159, 1e9}) {
    const Ratio ratio = Ratio::at_least(value);
    const double back = static_cast<double>(ratio.numerator) / static_cast<double>(ratio.denominator);
    CHECK(back >= value);
    CHECK(back <= value + 0x1p-19);
  }
  CHECK_THROWS_AS(Ratio::at_least(0), ConfigError);
  CHECK_THROWS_AS(Ratio::at_least(1e10), ConfigError);
  NoiseSource source = NoiseSource::seeded_for_tests(1);
  CHECK_THROWS_WITH_AS(discrete_laplace(source, {0, 1}), doctest::Contains("scale"), ConfigError);
  CHECK_THROWS_WITH_AS(discrete_gaussian(source, {1, std::uint64_t{1} << 40}), doctest::Contains("variance"),
                       ConfigError);
}

TEST_CASE("Gaussian noise: moments, tails, and one grid whatever the values") {
  NoiseSource source = NoiseSource::seeded_for_tests(4);
  const double sigma = 3;
  std::vector<double> values(100001, 0.1);
  add_gaussian_noise(values, sigma, source);
  double mean = 0, square = 0, beyond = 0;
  const double grid = std::ldexp(1.0, 1 - 20);
  bool on_grid = true;
  for (const double value : values) {
    const double z = (value - 0.1) / sigma;
    mean += z / 100001, square += z * z / 100001, beyond += std::abs(z) > 2;
    on_grid = on_grid && value / grid == std::round(value / grid);
  }
  CHECK(std::abs(mean) < 0.016);        // five standard errors
  CHECK(std::abs(square - 1) < 0.023);  // five standard errors
  CHECK(beyond / 100001 == doctest::Approx(0.0455).epsilon(0.07));
  CHECK(on_grid);
}

TEST_CASE("Gaussian noise refuses what it cannot protect") {
  NoiseSource source = NoiseSource::seeded_for_tests(4);
  std::vector<double> values{1, NAN};
  CHECK_THROWS_WITH_AS(add_gaussian_noise(values, 1, source), doctest::Contains("finite"), ConfigError);
  CHECK_THROWS_WITH_AS(add_gaussian_noise(values, 0, source), doctest::Contains("sigma"), ConfigError);
}
