// Likelihoods of rows: that they are what sampling does, cell by cell and row by row.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

#include "generate/tabular_tables.hpp"
#include "src/generate/tabular/normal_box.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

using namespace synthema;
using testing::patients;

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

double sum_of_shares(const std::vector<double>& logs) {
  double sum = 0;
  for (const double one : logs) sum += std::exp(one);
  return sum;
}

// All rows that these values of each column can make.
Table all_rows(const Schema& schema, const std::vector<std::vector<Value>>& values) {
  std::vector<Record> rows{{}};
  for (std::size_t c = 0; c < values.size(); ++c) {
    std::vector<Record> longer;
    for (const Record& row : rows)
      for (const Value& value : values[c]) {
        Record next = row;
        next.set(schema.fields[c].name, value);
        longer.push_back(std::move(next));
      }
    rows = std::move(longer);
  }
  return Table::from_records(schema, rows);
}

// sex, diagnosis (depends on sex, sometimes missing), smoker (depends on both), stage of four.
Table diagnoses(std::size_t rows, std::vector<FieldRule> rules = {}) {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category},
                   {.name = "diagnosis", .kind = Kind::category},
                   {.name = "smoker", .kind = Kind::category},
                   {.name = "stage", .kind = Kind::text}};
  schema.rules = std::move(rules);
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(5).stream(row);
    const bool male = random.uniform() < 0.45;
    const double u = random.uniform();
    const char* diagnosis = u < 0.3 ? "asthma" : u < (male ? 0.8 : 0.35) ? "gout" : "migraine";
    records.push_back({{"sex", male ? "m" : "f"},
                       {"diagnosis", random.uniform() < 0.1 ? Value() : Value(diagnosis)},
                       {"smoker", random.uniform() < (male && u < 0.3 ? 0.8 : 0.2) ? "yes" : "no"},
                       {"stage", std::string(1, static_cast<char>('1' + random.below(4)))}});
  }
  return Table::from_records(std::move(schema), records);
}

// And some that are never made, in which what is always there is missing.
Table all_diagnoses(const Schema& schema) {
  return all_rows(schema, {{"m", "f", Value()},
                           {"asthma", "gout", "migraine", Value()},
                           {"yes", "no", Value()},
                           {"1", "2", "3", "4"}});
}

OwnedCounts counts_of(const CodedTable& coded, std::size_t column, std::size_t rows) {
  std::vector<std::uint32_t> codes = coded.codes[column];
  codes.resize(rows);
  return count_codes(coded.columns[column], std::move(codes));
}

}  // namespace

TEST_CASE("The density of a cell is how often it is drawn") {
  const CodedTable coded = code_table(patients(600), {});
  constexpr std::size_t kDraws = 200'000;
  // Whole years of many people; tenths of which many are rare; days. All rows, and a small part of them.
  for (const std::size_t column : {0U, 2U, 4U})
    for (const std::size_t rows : {600U, 25U, 1U}) {
      const ColumnCoding& coding = coded.columns[column];
      const OwnedCounts counts = counts_of(coded, column, rows);
      std::map<double, double> drawn;
      for (std::size_t i = 0; i < kDraws; ++i) {
        const double cell = draw_cell(coding, counts.view(), Random(9).block(i, column));
        drawn[std::isnan(cell) ? -1 : cell] += 1.0 / kDraws;
      }
      double sum = 0;
      for (double x = -1; x <= coding.values.back() + 1; ++x) {
        const double width = x < 0 ? 1 : measure_width(coding);
        const double share = std::exp(log_density(coding, counts.view(), x < 0 ? kMissing : x)) * width;
        sum += share;
        const double error = std::sqrt(share / kDraws) + 1e-5;
        CHECK(std::abs(share - drawn[x]) < 5 * error);
      }
      CHECK(sum == doctest::Approx(1).epsilon(1e-9));
    }
}

TEST_CASE("The density of a list whose tail is smoothed is how often its numbers are drawn") {
  Schema schema;
  schema.fields = {{.name = "income", .kind = Kind::integer}};
  std::vector<Record> records;
  for (int i = 0; i < 900; ++i) records.push_back({{"income", std::int64_t{10} * (1 + i % 30)}});
  for (int i = 0; i < 5; ++i) records.push_back({{"income", std::int64_t{17 + 30 * i}}});
  for (int i = 0; i < 6; ++i) records.push_back({{"income", std::int64_t{320}}});
  for (int i = 0; i < 30; ++i) records.push_back({{"income", std::int64_t{430} + 2 * (i % 20)}});
  const CodedTable coded = code_table(Table::from_records(schema, records), {});
  const ColumnCoding& coding = coded.columns[0];
  const auto replaced = std::ranges::count(coding.replaced, 1),
             rare =
                 std::ranges::count_if(coding.protection, [](Protection p) { return p != Protection::none; });
  REQUIRE(replaced > 0);
  REQUIRE(replaced < rare);
  constexpr std::size_t kDraws = 200'000;
  const OwnedCounts counts = counts_of(coded, 0, records.size());
  std::map<double, double> drawn;
  for (std::size_t i = 0; i < kDraws; ++i)
    drawn[draw_cell(coding, counts.view(), Random(9).block(i, 0))] += 1.0 / kDraws;
  double sum = 0;
  for (double x = 0; x <= coding.values.back(); ++x) {
    const double share = std::exp(log_density(coding, counts.view(), x));
    sum += share;
    CHECK(std::abs(share - drawn[x]) < 5 * (std::sqrt(share / kDraws) + 1e-5));
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-9));
}

TEST_CASE("The density of reals without a grid integrates to one, beside points that many share") {
  Schema schema;
  schema.fields = {{.name = "level", .kind = Kind::real}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 300; ++row) {
    Random random = Random(3).stream(row);
    records.push_back({{"level", row % 3 == 0 ? 0.0 : std::exp(3 * random.uniform())}});
  }
  const CodedTable coded = code_table(Table::from_records(schema, records), {});
  const ColumnCoding& coding = coded.columns[0];
  REQUIRE(!coding.grid);
  REQUIRE(coding.replaced.empty());
  const OwnedCounts counts = counts_of(coded, 0, 300);
  CHECK(std::exp(log_density(coding, counts.view(), 0.0)) > 0.33);
  double sum = std::exp(log_density(coding, counts.view(), 0.0));
  double below = 0, drawn_below = 0;
  // Constant between neighbouring values and the ends of what is drawn.
  std::vector<double> places = coding.values;
  places.insert(places.end(), {coding.lowest, coding.highest});
  std::ranges::sort(places);
  for (std::size_t i = 1; i < places.size(); ++i) {
    const double low = places[i - 1], high = places[i];
    const double density = std::exp(log_density(coding, counts.view(), std::midpoint(low, high)));
    sum += density * (high - low);
    below += density * std::max(0.0, std::min(high, 5.0) - low);
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-9));
  for (std::size_t i = 0; i < 100'000; ++i) {
    const double cell = draw_cell(coding, counts.view(), Random(4).block(i, 0));
    drawn_below += cell > 0 && cell < 5 ? 1e-5 : 0.0;
  }
  CHECK(std::abs(below - drawn_below) < 0.008);
}

TEST_CASE_TEMPLATE("Shares of all rows sum to one, with rules and without, and are how often rows are drawn",
                   G, SequentialTrees, IndependentMarginals, GaussianCopula) {
  const std::vector<FieldRule> rules{
      {.field = "diagnosis", .given = "sex", .labels = {"m"}, .categories = {"asthma", "gout"}},
      {.field = "smoker", .given = "diagnosis", .labels = {"migraine"}, .categories = {"no"}}};
  for (const bool ruled : {false, true}) {
    G generator;
    generator.fit(diagnoses(3000, ruled ? rules : std::vector<FieldRule>{}));
    const Table rows = all_diagnoses(generator.schema());
    const std::vector<double> logs = generator.log_prob(rows);
    CHECK(sum_of_shares(logs) == doctest::Approx(1).epsilon(1e-9));
    CHECK(generator.log_prob(rows) == logs);
    constexpr std::size_t kDraws = 40'000;
    const Table made = generator.sample({.rows = kDraws, .seed = 2});
    std::map<std::string, double> drawn;
    const auto key = [](const Table& table, std::size_t row) {
      std::string out;
      for (std::size_t c = 0; c < table.columns(); ++c)
        out += table.column(c).is_null(row) ? "-" : table.column(c).value_at(row).display() + " ";
      return out;
    };
    for (std::size_t row = 0; row < kDraws; ++row) drawn[key(made, row)] += 1.0 / kDraws;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const double share = std::exp(logs[row]);
      CHECK(std::abs(share - drawn[key(rows, row)]) <= 5 * std::sqrt(share / kDraws) + 2e-3 * share);
    }
  }
}

TEST_CASE_TEMPLATE("Densities of mixed rows sum to one over the grid", G, SequentialTrees,
                   IndependentMarginals, GaussianCopula) {
  Schema schema;
  schema.fields = {{.name = "group", .kind = Kind::category},
                   {.name = "count", .kind = Kind::integer},
                   {.name = "level", .kind = Kind::real}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 400; ++row) {
    Random random = Random(8).stream(row);
    const auto count = static_cast<std::int64_t>(random.below(12) * random.below(3));
    const auto tenths = 3 * count + static_cast<std::int64_t>(random.below(30));
    records.push_back({{"group", random.uniform() < 0.3 + 0.02 * static_cast<double>(count) ? "a" : "b"},
                       {"count", random.uniform() < 0.1 ? Value() : Value(count)},
                       {"level", static_cast<double>(tenths) / 10}});
  }
  const Table real = Table::from_records(schema, records);
  std::vector<Value> counts{Value()}, levels;
  for (std::int64_t i = 0; i <= 22; ++i) counts.emplace_back(i);
  for (std::int64_t i = 0; i <= 100; ++i) levels.emplace_back(static_cast<double>(i) / 10);
  G generator;
  generator.fit(real);
  const std::vector<double> logs = generator.log_prob(all_rows(schema, {{"a", "b"}, counts, levels}));
  CHECK(sum_of_shares(logs) * 0.1 == doctest::Approx(1).epsilon(1e-5));  // the copula integrates boxes
}

TEST_CASE("Held-out rows are likelier where dependence was learnt") {
  const Table real = patients(3000), held_out = patients(500, 77);
  SequentialTrees trees;
  GaussianCopula copula;
  IndependentMarginals marginals;
  trees.fit(real);
  copula.fit(real);
  marginals.fit(real);
  const std::vector<double> by_trees = trees.log_prob(held_out), by_copula = copula.log_prob(held_out),
                            by_marginals = marginals.log_prob(held_out);
  double gain_of_trees = 0, gain_of_copula = 0;
  std::size_t finite = 0;
  for (std::size_t row = 0; row < held_out.rows(); ++row) {
    if (!std::isfinite(by_trees[row]) || !std::isfinite(by_marginals[row])) continue;
    ++finite;
    gain_of_trees += by_trees[row] - by_marginals[row];
    gain_of_copula += by_copula[row] - by_marginals[row];
  }
  CHECK(finite > 300);
  CHECK(gain_of_trees / static_cast<double>(finite) > 1);
  CHECK(gain_of_copula / static_cast<double>(finite) > 1);
  for (const auto* logs : {&by_trees, &by_copula, &by_marginals})
    CHECK(std::ranges::none_of(*logs, [](double v) { return std::isnan(v); }));
}

TEST_CASE("The copula's share of two halves is that of the normal vector") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::boolean}, {.name = "b", .kind = Kind::boolean}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 1000; ++row) {
    const bool a = row % 2 == 0;
    records.push_back({{"a", a}, {"b", row % 10 < 2 ? !a : a}});
  }
  GaussianCopula copula;
  copula.fit(Table::from_records(schema, records));
  const double r = copula.correlations()[1];
  CHECK(r > 0.5);
  const std::vector<double> logs = copula.log_prob(all_rows(schema, {{true}, {true}}));
  CHECK(std::exp(logs[0]) == doctest::Approx(0.25 + std::asin(r) / (2 * std::numbers::pi)).epsilon(2e-3));
  CHECK(std::exp(logs[0]) == doctest::Approx(0.4).epsilon(2e-3));  // four in five agree
}

TEST_CASE("Rows that are never made, and tables that are none of the generator's") {
  Schema schema;
  schema.fields = {{.name = "id", .kind = Kind::text, .roles = {Role::identifier}},
                   {.name = "sex", .kind = Kind::category},
                   {.name = "empty", .kind = Kind::real},
                   {.name = "age", .kind = Kind::integer}};
  std::vector<Record> records;
  for (int i = 0; i < 200; ++i)
    records.push_back({{"id", "p" + std::to_string(1000 + i)},
                       {"sex", i % 2 ? "m" : "f"},
                       {"empty", Value()},
                       {"age", 20 + 2 * (i % 10)}});
  SequentialTrees trees;
  trees.fit(Table::from_records(schema, records));
  Schema asked = schema;
  asked.fields.erase(asked.fields.begin());
  const std::vector<Record> rows{{{"sex", "m"}, {"empty", Value()}, {"age", 22}},
                                 {{"sex", "x"}, {"empty", Value()}, {"age", 22}},
                                 {{"sex", "m"}, {"empty", 1.0}, {"age", 22}},
                                 {{"sex", "m"}, {"empty", Value()}, {"age", 23}},
                                 {{"sex", "m"}, {"empty", Value()}, {"age", Value()}}};
  const std::vector<double> logs = trees.log_prob(Table::from_records(asked, rows));
  CHECK(std::isfinite(logs[0]));
  for (std::size_t row = 1; row < rows.size(); ++row)
    CHECK(logs[row] == -std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH_AS(trees.log_prob(patients(5)), doctest::Contains("empty"), SchemaError);
  CHECK_THROWS_AS(SequentialTrees().log_prob(patients(5)), GenerationError);
}

TEST_CASE("the mass of a box of a normal vector, where its variables nearly say each other") {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  const auto integral = [](double low, double high, const auto& of) {
    constexpr int kSteps = 2'000;
    double sum = 0;
    for (int i = 0; i < kSteps; ++i) {
      const double z = low + (high - low) * (i + 0.5) / kSteps;
      sum += normal_density(z) * of(z);
    }
    return sum * (high - low) / kSteps;
  };
  const auto box = [](double low, double high) { return detail::ScoreFunction{.pieces = {{low, high, 1}}}; };
  // z2 is z1 but for a thousandth: both ask for a strip that one in some hundreds of evenly spread points
  // hits.
  for (const double rho : {0.9, 0.999, 0.999999}) {
    const double rest = std::sqrt(1 - rho * rho);
    const double factor[] = {1, 0, rho, rest};
    for (const double edge : {0.002, 0.3}) {
      const detail::ScoreFunction functions[] = {box(-kFar, edge), box(0, kFar)};
      const double exact = integral(-9, edge, [&](double z) { return normal_share(rho * z / rest); });
      CHECK(std::exp(detail::log_mean_product(factor, functions, 0.01)) ==
            doctest::Approx(exact).epsilon(0.03));
    }
  }
  // The third is the sum of the first two, nearly, and excludes most of what these allow.
  const double half = std::sqrt(0.5), rest = 0.01, scale = std::sqrt(1 - rest * rest);
  const double factor[] = {1, 0, 0, 0, 1, 0, half * scale, half * scale, rest};
  const detail::ScoreFunction functions[] = {box(-0.5, 0.5), box(-0.2, 0.4), box(0.5, kFar)};
  const double exact = integral(-0.5, 0.5, [&](double x) {
    constexpr int kSteps = 400;
    double sum = 0;
    for (int i = 0; i < kSteps; ++i) {
      const double y = -0.2 + 0.6 * (i + 0.5) / kSteps;
      sum += normal_density(y) * normal_share((half * scale * (x + y) - 0.5) / rest);
    }
    return sum * 0.6 / kSteps;
  });
  CHECK(std::exp(detail::log_mean_product(factor, functions, 0.01)) == doctest::Approx(exact).epsilon(0.06));
  // A rule that leaves the second half the line keeps the order, and divides by what it leaves.
  detail::ScoreFunction ruled[] = {box(-0.5, 0.5), box(0, kFar), box(0.99, 1)};
  ruled[1].allowed = {{0, kFar, 1}};
  const double left = integral(-0.5, 0.5, [&](double x) {
    return 2 * integral(0, 9, [&](double y) {
             const double mean = half * scale * (x + y);
             return normal_share((1 - mean) / rest) - normal_share((0.99 - mean) / rest);
           });
  });
  CHECK(std::exp(detail::log_mean_product(factor, ruled, 0.01)) == doctest::Approx(left).epsilon(0.06));
}
