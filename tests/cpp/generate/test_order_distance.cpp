// Which numbers are measured from which, and what cells lie at a distance.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "src/generate/tabular/order_distance.hpp"
#include "synthema/core/random.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

using namespace synthema;
using namespace synthema::detail;

namespace {

// admission, and discharge some days after it; the unit of each is so many hours.
struct Stays {
  CodedTable coded;
  RowRules rules;

  explicit Stays(std::int64_t unit_of_admission = 24, std::int64_t unit_of_discharge = 24,
                 std::uint64_t longest = 20, bool unknown = false) {
    Schema schema;
    schema.fields = {{.name = "admission", .kind = Kind::integer},
                     {.name = "discharge", .kind = Kind::integer}};
    schema.rules = {{.field = "discharge", .given = "admission", .relation = ">="}};
    std::vector<Record> rows;
    for (std::size_t row = 0; row < 1000; ++row) {
      Random random = Random(1).stream(row);
      const auto admission = static_cast<std::int64_t>(random.below(1000)) * unit_of_admission;
      const auto discharge = admission + 24 + static_cast<std::int64_t>(random.below(longest)) * 24;
      Record& record = rows.emplace_back();
      if (!unknown || row % 4 != 0) record.set("admission", admission);
      if (row % 5 != 0) record.set("discharge", discharge / unit_of_discharge * unit_of_discharge);
    }
    coded = code_table(Table::from_records(schema, rows), {});
    rules = RowRules(coded.schema, coded.columns);
  }
  std::optional<LearntDistance> learn(std::vector<std::size_t> before = {0}) const {
    return learn_distance(coded, rules, 1, before, {});
  }
};

}  // namespace

TEST_CASE("A number is measured from one that stands before it, where that says more and leads to its grid") {
  const auto learnt = Stays().learn();
  REQUIRE(learnt);
  CHECK(learnt->from == 0);
  CHECK_FALSE(Stays().learn({}));
  CHECK_FALSE(Stays(24, 24, 2000).learn());  // stays as long as the range
  CHECK(Stays(24, 1).learn());
  CHECK_FALSE(Stays(1, 24).learn());  // midnights after hours
}

TEST_CASE(
    "Of several columns, a number is measured from the one that leaves it least, in any order of rules") {
  Schema schema;
  for (const char* name : {"birth", "admission", "surgery", "discharge"})
    schema.fields.push_back({.name = name, .kind = Kind::integer});
  const auto learn = [&](std::size_t missing_in_100, std::vector<std::string> given) {
    schema.rules.clear();
    for (const std::string& name : given)
      schema.rules.push_back({.field = "discharge", .given = name, .relation = ">="});
    std::vector<Record> rows;
    for (std::size_t row = 0; row < 1000; ++row) {
      Random random = Random(1).stream(row);
      const auto birth = static_cast<std::int64_t>(random.below(15000));
      const auto admission = 20000 + static_cast<std::int64_t>(random.below(1500));
      const auto surgery = admission + static_cast<std::int64_t>(random.below(20));
      Record& record = rows.emplace_back();
      record = {{"birth", birth}, {"admission", admission}};
      if (row % 100 >= missing_in_100) record.set("surgery", surgery);
      record.set("discharge", surgery + static_cast<std::int64_t>(random.below(10)));
    }
    const CodedTable coded = code_table(Table::from_records(schema, rows), {});
    const std::vector<std::size_t> before{0, 1, 2};
    const auto learnt = learn_distance(coded, RowRules(coded.schema, coded.columns), 3, before, {});
    return learnt ? learnt->from : 0;
  };
  for (const bool reversed : {false, true}) {
    const auto listed = [&](std::vector<std::string> names) {
      if (reversed) std::ranges::reverse(names);
      return names;
    };
    CHECK(learn(0, listed({"birth", "admission"})) == 1);
    CHECK(learn(0, listed({"birth", "admission", "surgery"})) == 2);
    CHECK(learn(30, listed({"birth", "admission", "surgery"})) == 1);  // it is often not there
  }
}

TEST_CASE("Rows without something to measure from say nothing of distances") {
  const Stays stays(24, 24, 20, true);
  const auto learnt = stays.learn();
  REQUIRE(learnt);
  const OwnedCounts counts = learnt->counts();
  CHECK(counts.view().total() == 750);
  REQUIRE(counts.codes.back() == learnt->coding.missing_code());
  const std::size_t last = counts.codes.size() - 1;
  CHECK(counts.cumulative[last] - counts.cumulative[last - 1] == 150);  // a fifth of these
}

TEST_CASE("A distance from or to a number that is hidden is unknown, not missing") {
  Schema schema;
  schema.fields = {{.name = "who", .kind = Kind::integer, .roles = {Role::subject}},
                   {.name = "admission", .kind = Kind::integer},
                   {.name = "discharge", .kind = Kind::integer}};
  schema.rules = {{.field = "discharge", .given = "admission", .relation = ">="}};
  std::vector<Record> rows;
  for (std::int64_t row = 0; row < 700; ++row) {
    Random random = Random(1).stream(static_cast<std::uint64_t>(row));
    // A person with 200 stays within a few days.
    const std::int64_t admission = row < 200 ? 400 + row % 3 : static_cast<std::int64_t>(random.below(1000));
    const auto stay = static_cast<std::int64_t>(random.below(20));
    rows.push_back({{"who", row < 200 ? 0 : row}, {"admission", admission}, {"discharge", admission + stay}});
  }
  const CodedTable coded = code_table(Table::from_records(schema, rows), {});
  const auto hidden = [&](std::size_t column, std::size_t row) {
    return coded.codes[column][row] == coded.columns[column].pooled_code();
  };
  const auto learnt =
      learn_distance(coded, RowRules(coded.schema, coded.columns), 2, std::vector<std::size_t>{1}, {});
  REQUIRE(learnt);
  CHECK_FALSE(learnt->coding.missing);
  CHECK(std::ranges::count(learnt->open, 0) == 0);
  std::size_t unknown = 0;
  for (std::size_t row = 0; row < 700; ++row) {
    const bool is_unknown = learnt->codes[row] == learnt->coding.pooled_code();
    unknown += is_unknown;
    CHECK(is_unknown == (hidden(1, row) || hidden(2, row)));
    CHECK(learnt->codes[row] != learnt->coding.missing_code());
  }
  CHECK(unknown > 100);
  CHECK(learnt->counts().view().total() == 700 - unknown);
}

TEST_CASE("A distance leads to a cell and back, and never beyond what samples have") {
  const Stays stays;
  const auto learnt = stays.learn();
  REQUIRE(learnt);
  const std::span<const ColumnCoding> columns = stays.coded.columns;
  const double day = learnt->coding.cell_of_number(24 * 7), base = columns[0].cell_of_number(24 * 500);
  const auto cell = cell_at_distance(columns, 1, *learnt, base, day, 0);
  REQUIRE(cell);
  CHECK(std::abs(learnt->cell_of(columns, 1, *cell, base) - day) <= 3);  // away from what one person has
  const auto back = base_at_distance(columns, 1, *learnt, columns[1].cell_of_number(24 * 507), day, 0);
  REQUIRE(back);
  CHECK(std::abs(columns[0].number(*back) - 24 * 500) <= 72);
  const double longest = reach_of(learnt->coding).second;
  CHECK_FALSE(cell_at_distance(columns, 1, *learnt, reach_of(columns[0]).second, longest, 0));
  CHECK_FALSE(base_at_distance(columns, 1, *learnt, reach_of(columns[1]).first, longest, 0));
  // From what is known to lie beyond, to what lies there, too.
  const auto beyond = cell_at_distance(columns, 1, *learnt, columns[0].cell_of_number(24 * 2000), day, 0);
  REQUIRE(beyond);
  CHECK(columns[1].number(*beyond) == 24 * 2007);
}

TEST_CASE("Shares of distances are those that the rules leave, and densities sum to one") {
  const Stays stays;
  const auto learnt = stays.learn();
  REQUIRE(learnt);
  const OwnedCounts counts = learnt->counts(),
                    numbers = count_codes(stays.coded.columns[1], stays.coded.codes[1]);
  const std::span<const ColumnCoding> columns = stays.coded.columns;
  const std::vector<double> cells{columns[0].cell_of_number(24 * 500), 0};
  const std::vector<std::uint8_t> known{1, 0};
  const RuledCell ruled{stays.rules, columns, 1, {cells, known}};
  const CodeCounts own[] = {numbers.view()}, from[] = {counts.view()};
  double sum = 0;
  for (int day = 480; day < 560; ++day) {
    const double cell = columns[1].cell_of_number(24 * day);
    const DistanceShares shares = shares_of_distances(*learnt, counts.view(), ruled, cell);
    CHECK(shares.missing == doctest::Approx(0.2));
    CHECK(shares.taken + shares.refused == doctest::Approx(0.8));
    sum += std::exp(log_density_at_distance(*learnt, from, own, ruled, cell));
  }
  CHECK(sum == doctest::Approx(0.8).epsilon(0.01));
  const double missing = std::nan("");
  CHECK(log_density_at_distance(*learnt, from, own, ruled, missing) == doctest::Approx(std::log(0.2)));
}
