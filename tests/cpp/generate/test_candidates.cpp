// Candidates for what stands before fixed cells, and how much each weighs.
#include <doctest/doctest.h>

#include <cmath>

#include "src/generate/tabular/candidates.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "synthema/core/error.hpp"

using namespace synthema;
using namespace synthema::detail;

namespace {

constexpr double kFree = std::numeric_limits<double>::quiet_NaN();
constexpr double kNever = -std::numeric_limits<double>::infinity();

// first <= middle <= last, and alone; of the middle, `single` people have 41 and nobody else 40 to 42, and
// `gone` have none.
struct Ordered {
  CodedTable coded;
  RowRules rules;
  std::vector<OwnedCounts> counts;
  std::vector<std::vector<double>> bounds;

  explicit Ordered(std::size_t single, std::size_t gone = 0) {
    Schema schema;
    for (const char* name : {"first", "last", "middle", "alone"})
      schema.fields.push_back({.name = name, .kind = Kind::integer});
    schema.rules = {{.field = "middle", .given = "first", .relation = ">="},
                    {.field = "middle", .given = "last", .relation = "<="}};
    std::vector<Record> rows;
    for (std::int64_t i = 0; i < 600; ++i) {
      const std::int64_t middle = i % 60 < 40 ? i % 60 : i % 60 + 3;
      rows.push_back({{"first", i % 50}, {"last", 30 + i % 50}, {"middle", middle}, {"alone", i % 7}});
    }
    for (std::size_t i = 0; i < single; ++i)
      rows.push_back({{"first", std::int64_t{3}},
                      {"last", std::int64_t{50}},
                      {"middle", std::int64_t{41}},
                      {"alone", std::int64_t{1}}});
    for (std::size_t i = 0; i < gone; ++i)
      rows.push_back({{"first", std::int64_t{3}}, {"last", std::int64_t{50}}, {"alone", std::int64_t{1}}});
    coded = code_table(Table::from_records(schema, rows), {});
    rules = RowRules(coded.schema, coded.columns);
    for (std::size_t c = 0; c < 4; ++c) {
      counts.push_back(count_codes(coded.columns[c], coded.codes[c]));
      bounds.push_back(bounds_of(counts.back()));
    }
  }
  WeighedCell turn(std::size_t column, const KnownCells& past, const KnownCells& now) const {
    return {.past = {rules, coded.columns, column, past},
            .now = {rules, coded.columns, column, now},
            .counts = counts[column].view(),
            .bounds = bounds[column]};
  }
  double cell(std::size_t column, double number) const {
    return coded.columns[column].cell_of_number(number);
  }
  // How much the middle one weighs where it is 41 beside these two.
  double weight(double first, double last) const {
    const std::vector<double> cells{cell(0, first), cell(1, last), cell(2, 41), 0};
    const std::vector<std::uint8_t> past{1, 1, 0, 0}, now{1, 1, 1, 0};
    return turn(2, {cells, past}, {cells, now}).fixed(cells[2], Random(1).block(0, 0)).weight;
  }
};

}  // namespace

TEST_CASE("A candidate is drawn in proportion to its weight, and none where all are impossible") {
  std::vector<double> none{kNever, kNever};
  CHECK_FALSE(draw_candidate(none, Random(1)));
  std::size_t second = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    std::vector<double> weights{-1000 + std::log(0.25), -1000 + std::log(0.75), kNever};
    second += draw_candidate(weights, Random(1).stream(i)) == 1;
  }
  CHECK(std::abs(static_cast<double>(second) / 4000 - 0.75) < 0.03);
}

TEST_CASE("Weighed are fixed columns that rules bind to free ones before them, and these") {
  const Ordered table(0);
  const std::vector<std::size_t> order{0, 1, 2, 3};
  using Weighed = std::vector<std::uint8_t>;
  CHECK(weighed_columns(table.rules, order, std::vector{kFree, kFree, 5.0, kFree}) == Weighed{1, 1, 1, 0});
  CHECK(weighed_columns(table.rules, order, std::vector{1.0, kFree, 5.0, 2.0}) == Weighed{0, 1, 1, 0});
  CHECK(weighed_columns(table.rules, order, std::vector{1.0, 9.0, 5.0, 2.0}) == Weighed{0, 0, 0, 0});
  CHECK(weighed_columns(table.rules, order, std::vector{1.0, 9.0, kFree, 2.0}) == Weighed{0, 0, 0, 0});
}

TEST_CASE("Weights are finite and at most 1, in gaps too, and do not tell whether one person is there") {
  const Ordered nobody(0), one(1), two(2);
  for (const auto& [first, last] :
       {std::pair{0.0, 79.0}, {20.0, 60.0}, {39.0, 43.0}, {40.0, 42.0}, {41.0, 42.0}}) {
    const double without = nobody.weight(first, last), with = one.weight(first, last);
    CAPTURE(first);
    CHECK(std::isfinite(without));
    CHECK(without <= 0);
    CHECK(with <= 0);
    CHECK(two.weight(first, last) <= 0);
    CHECK(std::abs(without - with) < 0.8);  // the logarithm of a factor of about two
    CHECK(std::abs(two.weight(first, last) - with) < 0.8);
  }
  CHECK(nobody.weight(41, 41) == 0);  // it has to be 41
}

TEST_CASE("A cell is missing as often as ever, and one that is there weighs by what is left of those") {
  const Ordered all(2), some(2, 200);
  const double there = 602.0 / 802;
  CHECK(some.weight(20, 60) - all.weight(20, 60) == doctest::Approx(std::log(there)).epsilon(0.02));
  const std::vector<double> cells{some.cell(0, 20), some.cell(1, 30), 0, 0};
  const std::vector<std::uint8_t> past{1, 0, 0, 0}, now{1, 1, 0, 0};
  double missing = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const PhiloxBlock block = Random(1).block(i, 0);
    const WeighedCell::Taken taken = some.turn(2, {cells, past}, {cells, now}).draw(block, Random(2), i);
    if (!std::isnan(taken.cell)) continue;
    missing += 1.0 / 4000;
    CHECK(taken.weight == 0);
  }
  CHECK(std::abs(missing - (1 - there)) < 0.03);
  // What is not missing weighs as where nobody's is.
  const PhiloxBlock low{1U << 20, 1, 2, 3};
  CHECK(
      some.turn(2, {cells, past}, {cells, now}).draw(low, Random(2), 0).weight ==
      doctest::Approx(all.turn(2, {cells, past}, {cells, now}).draw(low, Random(2), 0).weight).epsilon(0.02));
}

TEST_CASE("Drawing candidates takes one beside what is fixed, can be cancelled") {
  const Ordered table(1);
  const std::vector<std::size_t> order{0, 1, 2, 3};
  const std::vector<double> fixed{kFree, kFree, table.cell(2, 41), kFree};
  const std::vector<std::uint8_t> weighed = weighed_columns(table.rules, order, fixed);
  RowCells row(4);
  std::vector<double> noises(3);
  CancelToken cancel;
  std::size_t turns = 0;
  const auto turn = [&](std::size_t, std::size_t column, const KnownCells& past) {
    ++turns;
    return table.turn(column, past, row.view());
  };
  const WeighedColumns columns{order, weighed, fixed, turn};
  for (std::uint64_t number = 0; number < 50; ++number) {
    row.forget();
    row.set(2, fixed[2]);
    CHECK_FALSE(draw_weighed(columns, row, noises, Random(1), number, cancel));
    CHECK(table.coded.columns[0].number(row.cells[0]) <= 41);
    CHECK(table.coded.columns[1].number(row.cells[1]) >= 41);
    CHECK(row.known == std::vector<std::uint8_t>{1, 1, 1, 0});
  }
  CHECK(turns == 50 * 64 * 3);
  const WeighedColumns cancels{order, weighed, fixed,
                               [&](std::size_t place, std::size_t column, const KnownCells& past) {
                                 cancel.cancel();
                                 return turn(place, column, past);
                               }};
  turns = 0;
  CHECK_THROWS_AS(draw_weighed(cancels, row, noises, Random(1), 0, cancel), Cancelled);
  CHECK(turns == 3);  // the first candidate
}
