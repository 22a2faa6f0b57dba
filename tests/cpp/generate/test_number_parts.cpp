// Parts of a column of numbers, and its ends: what one person has is not told.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "src/generate/tabular/model_arrays.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"

using namespace synthema;

namespace {

struct Row {
  std::int64_t person;
  double x;
};

// Of kind real or integer; with a subject, if people may have several rows.
CodedTable coded(const std::vector<Row>& rows, Kind kind, bool subject, const CodingOptions& options = {}) {
  Schema schema;
  schema.fields = {{.name = "x", .kind = kind}};
  if (subject) schema.fields.push_back({.name = "person", .kind = Kind::integer, .roles = {Role::subject}});
  std::vector<Record> records;
  for (const Row& row : rows) {
    Record& record = records.emplace_back();
    record.set("x", kind == Kind::real ? Value(row.x) : Value(static_cast<std::int64_t>(row.x)));
    if (subject) record.set("person", row.person);
  }
  return code_table(Table::from_records(schema, records), options);
}

// Fewest people with a value in one of the parts, bins or classes, as `of` numbers the cells.
std::size_t fewest(const std::vector<Row>& rows, const ColumnCoding& coding, const auto& of) {
  std::map<std::size_t, std::set<std::int64_t>> people;
  for (const Row& row : rows) people[of(coding.cell_of_number(row.x))].insert(row.person);
  std::size_t out = rows.size();
  for (const auto& [number, own] : people) out = std::min(out, own.size());
  return out;
}

// Numbers on a grid of `places` in [0, 1], in the square: dense where they are small, sparse where large.
std::vector<Row> uneven(std::size_t n, double places, std::int64_t people) {
  std::vector<Row> out;
  for (std::size_t i = 0; i < n; ++i) {
    Random random = Random(3).stream(i);
    const double u = random.uniform();
    const auto person = people == 0
                            ? static_cast<std::int64_t>(i)
                            : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(people)));
    out.push_back({person, std::floor(places * u * u)});
  }
  return out;
}

// 40 people each have 10 to 14 and 100 to 104, and these people something between.
ColumnCoding with_between(const std::vector<Row>& between, bool subject) {
  std::vector<Row> rows;
  std::int64_t person = 1000;
  for (const double from : {10.0, 100.0})
    for (int i = 0; i < 5 * 40; ++i) rows.push_back({person++, from + i % 5});
  rows.insert(rows.end(), between.begin(), between.end());
  return coded(rows, Kind::integer, subject).columns[0];
}

}  // namespace

TEST_CASE("A number that stands for none lies behind a gap, in which few people are no piece of their own") {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 500; ++i) {
    Random random = Random(3).stream(static_cast<std::uint64_t>(i));
    const auto own = static_cast<double>(30 + random.below(60) + random.below(60));
    rows.push_back({i, i % 10 == 0 ? 9999 : i % 10 == 1 ? -99 : own});
  }
  const ColumnCoding with = coded(rows, Kind::integer, false).columns[0];
  REQUIRE(with.behind_gaps.size() == 2);
  CHECK(with.number(with.values[with.behind_gaps[0] - 1]) == -99);
  CHECK(with.number(with.values[with.behind_gaps[1]]) == 9999);
  std::erase_if(rows, [](const Row& row) { return row.x == 9999 || row.x == -99; });
  CHECK(coded(rows, Kind::integer, false).columns[0].behind_gaps.empty());
  for (std::int64_t i = 500; i < 600; ++i) rows.push_back({i, 9999});
  for (std::int64_t i = 600; i < 602; ++i) rows.push_back({i, static_cast<double>(3000 + i)});
  const ColumnCoding between = coded(rows, Kind::integer, false).columns[0];
  REQUIRE(between.behind_gaps.size() == 1);
  CHECK(between.number(between.values[between.behind_gaps[0]]) == 9999);
}

TEST_CASE("Each part, bin and class holds values of enough people, not rows") {
  for (const std::int64_t people : {0, 40})
    for (const double places : {12.0, 300.0, 1e9}) {
      const std::vector<Row> rows = uneven(1500, places, people);
      for (const std::size_t rare_below : {std::size_t{2}, std::size_t{5}, std::size_t{11}}) {
        const ColumnCoding coding =
            coded(rows, Kind::integer, people > 0, {.rare_below = rare_below}).columns[0];
        CAPTURE(people);
        CAPTURE(places);
        CAPTURE(rare_below);
        CHECK(fewest(rows, coding, [&](double x) { return coding.part_of(x); }) >= rare_below);
        CHECK(fewest(rows, coding, [&](double x) { return coding.bin_of(x); }) >= rare_below);
        CHECK(fewest(rows, coding, [&](double x) { return coding.part_classes[coding.part_of(x)]; }) >=
              rare_below);
        CHECK(std::ranges::adjacent_find(coding.cuts, std::greater_equal{}) == coding.cuts.end());
        CHECK(coding.part_bins.size() == coding.cuts.size() + 1);
        CHECK(coding.cuts.size() > 3);
        for (std::uint32_t code = 0; code < coding.codes(); ++code) {
          CHECK(coding.bin_of_code(code) == coding.bin_of(coding.values[code]));
          const std::size_t part = coding.part_of(coding.values[code]);
          const auto [first, last] = coding.codes_in(part, part + 1);
          CHECK((first <= code && code < last));
        }
      }
    }
}

TEST_CASE("A few people between frequent values move no cut, however many rows they have") {
  const ColumnCoding nobody = with_between({}, false);
  const std::vector<double> cuts{0.5, 1.5, 2.5, 3.5, (14 + 100) / 2.0 - 10, 90.5, 91.5, 92.5, 93.5};
  CHECK(nobody.cuts == cuts);
  for (const double x : {15.0, 40.0, 57.0, 58.0, 80.0, 99.0}) {
    CAPTURE(x);
    for (const std::int64_t people : {1, 2, 4}) {
      std::vector<Row> between, often;
      for (std::int64_t person = 0; person < people; ++person) {
        between.push_back({person, x});
        for (int i = 0; i < 50; ++i) often.push_back({person, x + i % 3});
      }
      for (const ColumnCoding& coding : {with_between(between, false), with_between(often, true)}) {
        CHECK(coding.cuts == cuts);
        CHECK(coding.part_bins == nobody.part_bins);
        CHECK(coding.part_classes == nobody.part_classes);
        // It lies with the nearer one, as a number does that nobody has.
        CHECK(coding.part_of(coding.cell_of_number(x)) == nobody.part_of(nobody.cell_of_number(x)));
        CHECK(coding.part_of(coding.cell_of_number(x)) == (x <= 57 ? 4 : 5));
      }
    }
  }
}

TEST_CASE("Enough people between two frequent values make parts, cut beside the frequent ones") {
  std::vector<std::vector<double>> cuts;
  for (const double shift : {0.0, 3.0, 11.0}) {
    std::vector<Row> between;
    for (std::int64_t person = 0; person < 7; ++person)
      between.push_back({person, 30 + shift + 5 * static_cast<double>(person)});
    const ColumnCoding coding = with_between(between, false);
    cuts.push_back(coding.cuts);
    const std::size_t part = coding.part_of(coding.cell_of_number(30));
    for (const double x : {15.0, 50.0, 99.0}) CHECK(coding.part_of(coding.cell_of_number(x)) == part);
    CHECK(coding.part_of(coding.cell_of_number(14)) == part - 1);
    CHECK(coding.part_of(coding.cell_of_number(100)) == part + 1);
    const auto [first, last] = coding.codes_in(part, part + 1);
    CHECK(last - first == 7);
  }
  CHECK(cuts[0] == cuts[1]);
  CHECK(cuts[0] == cuts[2]);
  // One person with as many values makes none.
  std::vector<Row> one;
  for (int i = 0; i < 7; ++i) one.push_back({1, 30.0 + 5 * i});
  CHECK(with_between(one, true).cuts == with_between({}, true).cuts);
}

TEST_CASE("What is drawn and may be asked for ends at no single person's value") {
  const auto spaced = [](std::size_t n, double power) {
    std::vector<Row> out;
    for (std::size_t i = 0; i < n; ++i)
      out.push_back({static_cast<std::int64_t>(i), std::pow(static_cast<double>(i) + 0.37, power)});
    return out;
  };
  std::vector<std::vector<Row>> tables;
  for (const std::size_t n : {5U, 6U, 7U, 8U, 9U, 10U, 11U, 40U})
    for (const double power : {0.3, 1.1, 4.0}) tables.push_back(spaced(n, power));
  // One or two people beside one frequent value, on one side or on both.
  for (const std::vector<double>& few :
       {std::vector{1.5}, {1.5, 7.25}, {1.5, 2.5, 7.25}, {-3.5, 1.5}, {-3.5, -1.25, 7.25}}) {
    std::vector<Row>& table = tables.emplace_back(50, Row{0, 1.0});
    for (const double x : few) table.push_back({0, x});
    for (std::size_t i = 0; i < table.size(); ++i) table[i].person = static_cast<std::int64_t>(i);
  }
  for (std::size_t t = 0; t < tables.size(); ++t) {
    CAPTURE(t);
    const CodedTable table = coded(tables[t], Kind::real, false);
    const ColumnCoding& coding = table.columns[0];
    const auto [low, high] = reach_of(coding);
    REQUIRE(low <= high);
    std::map<double, std::size_t> with;
    for (const Row& row : tables[t]) ++with[row.x];
    const auto is_single = [&](double x) { return with.contains(x) && with[x] == 1; };
    CHECK_FALSE(is_single(coding.number(low)));
    CHECK_FALSE(is_single(coding.number(high)));
    const OwnedCounts counts = count_codes(coding, table.codes[0]);
    double least = std::numeric_limits<double>::infinity(), most = -least, sum = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      const double x = draw_cell(coding, counts.view(), Random(1).block(i, 0));
      least = std::min(least, x), most = std::max(most, x), sum += coding.number(x);
    }
    CHECK(least >= low);
    CHECK(most <= high);
    if (tables[t].size() >= 20) continue;
    // Fewer than ten people: spread over more than a point, about where they are.
    CHECK(most - least > 0.2 * (high - low));
    CHECK(sum / 20'000 > with.begin()->first);
    CHECK(sum / 20'000 < with.rbegin()->first);
  }
}

TEST_CASE("The end is one of people: a person with many rows far out does not make it") {
  for (const std::size_t rows_of_one : {std::size_t{1}, std::size_t{20}}) {
    std::vector<Row> rows;
    for (std::int64_t person = 0; person < 400; ++person)
      rows.push_back({person, static_cast<double>(person)});
    for (std::size_t i = 0; i < rows_of_one; ++i) rows.push_back({999, 10'000 + static_cast<double>(i)});
    const ColumnCoding coding = coded(rows, Kind::integer, true).columns[0];
    CHECK(coding.number(coding.highest) < 400);
    CHECK(coding.number(coding.highest) > 390);
  }
}

TEST_CASE("Where the ends meet, draws and densities are of one even distribution") {
  std::vector<Row> rows;
  for (std::int64_t person = 0; person < 7; ++person)
    rows.push_back({person, static_cast<double>(person * person) + 0.5});
  const CodedTable table = coded(rows, Kind::real, false);
  const ColumnCoding& coding = table.columns[0];
  REQUIRE(coding.low_tail > coding.high_tail);
  REQUIRE(coding.grid);
  const OwnedCounts counts = count_codes(coding, table.codes[0]);
  const auto [low, high] = reach_of(coding);
  double mass = 0;
  for (double x = std::ceil(low); x <= high; ++x)
    mass += std::exp(log_density(coding, counts.view(), x)) * measure_width(coding);
  CHECK(mass == doctest::Approx(1).epsilon(1e-9));
}

TEST_CASE("Files that have bins and classes by value load; other numbers of them do not") {
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::integer}};
  std::vector<Record> records;
  for (std::int64_t i = 0; i < 300; ++i) records.push_back({{"x", i % 30}});
  IndependentMarginals model;
  model.fit(Table::from_records(schema, records));
  const detail::ModelArrays saved(model.save(), "", "independent_marginals");
  const auto older = [&](std::size_t bins) {
    detail::ModelArrays out("independent_marginals");
    out.about = saved.about;
    for (const char* name : {"0.values", "0.ends"}) out.put(name, saved.get<double>(name));
    for (const char* name : {"0.tails", "0.codes", "0.cumulative"})
      out.put(name, saved.get<std::uint32_t>(name));
    out.put("0.protection", saved.get<std::uint8_t>("0.protection"));
    std::vector<std::uint8_t> by_value(bins);
    for (std::size_t i = 0; i < bins; ++i) by_value[i] = static_cast<std::uint8_t>(i);
    out.put("0.bins", by_value);
    out.put("0.classes", by_value);
    out.put("0.cuts", std::vector<double>{0.5});
    return out.file();
  };
  const IndependentMarginals loaded = IndependentMarginals::load(older(30));
  const auto sampled = [](const IndependentMarginals& of) {
    return content_digest(of.sample({.rows = 100, .seed = 1}));
  };
  CHECK(sampled(loaded) == sampled(model));
  CHECK_THROWS_WITH_AS(IndependentMarginals::load(older(29)), doctest::Contains("different lengths"),
                       ModelError);
}
