#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "learn/tables.hpp"
#include "synthema/learn/binned_table.hpp"

using namespace synthema;
using testing::numbers;

namespace {

const std::vector<std::string> kV = {"v"};

std::vector<int> bins(const Binning& binning, const Table& table) {
  const BinnedTable cut = binning.apply(table);
  return {cut.column(0).begin(), cut.column(0).end()};
}

}  // namespace

TEST_CASE("few different numbers have a bin each, cut halfway, and missing is the last") {
  const Table table = numbers({1.0, 3.0, Value(), 3.0, 7.0});
  const Binning binning(table, kV);
  CHECK(binning.columns()[0].cuts == std::vector<double>{2, 5});
  CHECK(binning.columns()[0].bins == 4);
  CHECK(bins(binning, table) == std::vector<int>{0, 1, 3, 1, 2});
  // Values that were not learnt go by the cuts; one on a cut belongs below it.
  CHECK(bins(binning, numbers({-9.0, 2.0, 2.1, 99.0})) == std::vector<int>{0, 0, 1, 2});
}

TEST_CASE("many different numbers are cut at quantiles") {
  std::vector<Value> values;
  for (int i = 0; i < 1000; ++i) values.emplace_back(static_cast<double>((i * 7919) % 1000));
  const Binning binning(numbers(values), kV, 10);
  std::vector<int> counts(11);
  for (const int bin : bins(binning, numbers(values))) ++counts[static_cast<std::size_t>(bin)];
  for (int bin = 0; bin < 10; ++bin) CHECK(counts[static_cast<std::size_t>(bin)] == 100);
  CHECK(counts[10] == 0);
  // One value that fills most of the column takes no more than one bin.
  std::vector<Value> mostly(900, Value(0.0));
  for (int i = 0; i < 300; ++i) mostly.emplace_back(1.0 + i);
  const Binning skewed(numbers(mostly), kV, 10);
  CHECK(skewed.columns()[0].cuts.size() < 9);
  CHECK(std::is_sorted(skewed.columns()[0].cuts.begin(), skewed.columns()[0].cuts.end()));
}

TEST_CASE("neighbouring doubles are told apart") {
  const double a = 1.0, b = std::nextafter(a, 2.0);
  const Binning binning(numbers({a, b}), kV);
  CHECK(bins(binning, numbers({a, b})) == std::vector<int>{0, 1});
}

TEST_CASE("the most frequent labels have bins, the rest share one") {
  std::vector<Value> values;
  for (int label = 0; label < 300; ++label)
    for (int i = 0; i < (label < 253 ? 3 : 1); ++i) values.emplace_back("L" + std::to_string(1000 + label));
  const Table table = numbers(values, Kind::category);
  const Binning binning(table, kV);
  CHECK(binning.columns()[0].labels.size() == 254);
  CHECK(binning.columns()[0].bins == 256);
  CHECK(bins(binning, numbers({"L1000", "never seen", "L1299", Value()}, Kind::category)) ==
        std::vector<int>{0, 254, 254, 255});
}

TEST_CASE("what cannot be cut is refused by name") {
  CHECK_THROWS_AS(Binning(numbers({"a"}, Kind::text), kV), SchemaError);
  CHECK_THROWS_AS(Binning(numbers({1.0}), kV, 256), ConfigError);
  const Binning binning(numbers({1.0, 2.0}), kV);
  CHECK_THROWS_AS(binning.apply(numbers({"a"}, Kind::category)), EvaluationError);
  CHECK_THROWS_AS(binning.apply(Table()), EvaluationError);
}
