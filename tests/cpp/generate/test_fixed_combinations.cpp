// Combinations that a schema lists, or that enough people have: which they are, and that every method keeps
// them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "synthema/core/error.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/fixed_combinations.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

using namespace synthema;

namespace {

Schema drugs_schema(std::vector<ValueList> rows = {}) {
  Schema schema;
  schema.fields = {{.name = "drug", .kind = Kind::category},
                   {.name = "dose", .kind = Kind::real, .decimals = 1},
                   {.name = "age", .kind = Kind::integer},
                   {.name = "daily", .kind = Kind::boolean}};
  schema.groups = {{.kind = "combinations", .fields = {"daily", "drug", "dose"}, .rows = std::move(rows)}};
  return schema;
}

// Each drug has doses of its own; the last row alone has a frequent drug with another's dose.
Table drugs(const Schema& schema, std::size_t rows = 1000) {
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(3).stream(row);
    const bool first = random.uniform() < 0.6;
    const Value dose =
        first ? Value(random.uniform() < 0.5 ? 0.5 : 1.0) : (random.uniform() < 0.2 ? Value() : Value(20.0));
    records.push_back({{"drug", first ? "a" : "b"},
                       {"dose", row + 1 < rows ? dose : Value(20.0)},
                       {"age", static_cast<std::int64_t>(20 + random.below(60))},
                       {"daily", row + 1 < rows ? first : true}});
    if (row + 1 == rows) records.back().set("drug", "a");
  }
  return Table::from_records(schema, records);
}

std::set<std::string> made_by(const Table& table) {
  std::set<std::string> out;
  for (std::size_t row = 0; row < table.rows(); ++row)
    out.insert(table.column("daily").value_at(row).display() + " " +
               table.column("drug").value_at(row).display() + " " +
               table.column("dose").value_at(row).display());
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("Combinations of enough people are made, a single person's never is", G, SequentialTrees,
                   IndependentMarginals, GaussianCopula) {
  G generator;
  generator.fit(drugs(drugs_schema()));
  CHECK(nonconformities(generator, {.rows = 2000, .seed = 3}).empty());
  const Table made = generator.sample({.rows = 2000, .seed = 3});
  CHECK(made_by(made) == std::set<std::string>{"true a 0.5", "true a 1", "false b 20", "false b "});
  CHECK(generator.schema().groups[0].rows.size() == 4);
  const Table again = G::load(generator.save()).sample({.rows = 2000, .seed = 3});
  CHECK(content_digest(again) == content_digest(made));
  // A list is public.
  generator.fit(drugs(drugs_schema({{true, "a", 20}, {true, "a", 0.5}, {true, "c", 1}})));
  CHECK(made_by(generator.sample({.rows = 2000, .seed = 3})) ==
        std::set<std::string>{"true a 20", "true a 0.5"});
}

TEST_CASE("What is known leaves the cells of the combinations that have it") {
  const Table table = drugs(drugs_schema());
  const CodedTable coded = code_table(table, {});
  const RowRules rules(coded.schema, coded.columns);
  CHECK(rules.combined(0));
  CHECK(!rules.combined(2));
  std::vector<double> cells(4);
  std::vector<std::uint8_t> known(4);
  const double missing = std::nan("");
  const auto dose = [&](double v) { return coded.columns[1].cell_of_number(v); };
  CHECK(rules.admits(1, dose(20), {cells, known}, coded.columns));
  cells[0] = 0, known[0] = 1;  // drug a
  CHECK(!rules.admits(1, dose(20), {cells, known}, coded.columns));
  CHECK(!rules.admits(1, missing, {cells, known}, coded.columns));
  CHECK(rules.admits(1, dose(0.5), {cells, known}, coded.columns));
  CHECK(!rules.admits(1, dose(0.7), {cells, known}, coded.columns));
  CHECK(!rules.admits(3, 0, {cells, known}, coded.columns));
  cells[0] = 1;  // drug b
  CHECK(rules.admits(1, missing, {cells, known}, coded.columns));
  cells[1] = missing, known[1] = 1, known[0] = 0;
  CHECK(!rules.admits(0, 0, {cells, known}, coded.columns));
}

TEST_CASE("A record keeps a listed combination as the kinds of its fields compare") {
  const Schema schema = drugs_schema({{true, "a", 1}, {false, "b", Value()}});
  const GroupRule& group = schema.groups[0];
  CHECK(keeps(schema, group, {{"drug", "a"}, {"dose", 1.0}, {"daily", true}}));
  CHECK(keeps(schema, group, {{"drug", "b"}, {"daily", false}}));
  CHECK(!keeps(schema, group, {{"drug", "a"}, {"dose", 1.5}, {"daily", true}}));
  CHECK(!keeps(schema, group, {{"drug", "a"}, {"dose", Value()}, {"daily", true}}));
  CHECK(schema_misfit(schema, {{"drug", "b"}, {"dose", 1.0}, {"age", 3}, {"daily", false}})
            .value_or("")
            .find("combinations") != std::string::npos);
  CHECK(keeps(drugs_schema(), drugs_schema().groups[0], {{"drug", "x"}}));
}

namespace {

// Half of the rows have the same level, the others one of 500 levels that three people each have; the schema
// lists them all.
Table rare_levels() {
  Schema schema;
  schema.fields = {{.name = "drug", .kind = Kind::category},
                   {.name = "level", .kind = Kind::real, .decimals = 1}};
  schema.groups = {{.kind = "combinations", .fields = {"drug", "level"}, .rows = {{"a", 10.0}}}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 1500; ++row) {
    const double level = 11 + static_cast<double>(row / 3 * (row / 3 + 2)) / 10;
    records.push_back({{"drug", "a"}, {"level", 10.0}});
    records.push_back({{"drug", "a"}, {"level", level}});
    if (row % 3 == 0) schema.groups[0].rows.push_back({"a", level});
  }
  return Table::from_records(schema, records);
}

}  // namespace

TEST_CASE_TEMPLATE("Listed numbers of few people have their shares", G, SequentialTrees, IndependentMarginals,
                   GaussianCopula) {
  const Table real = rare_levels();
  G generator;
  generator.fit(real);
  constexpr std::size_t kDraws = 6000;
  const Table made = generator.sample({.rows = kDraws, .seed = 4});
  double frequent = 0;
  for (std::size_t row = 0; row < kDraws; ++row) frequent += made.column("level").number_at(row) == 10;
  CHECK(std::abs(frequent / kDraws - 0.5) < 0.03);
  // Densities of tenths: a frequent row, then one of each rare level.
  std::vector<std::size_t> different{0};
  for (std::size_t row = 1; row < real.rows(); row += 6) different.push_back(row);
  const std::vector<double> logs = generator.log_prob(real);
  double sum = 0;
  for (const std::size_t row : different) sum += std::exp(logs[row]) / 10;
  CHECK(std::exp(logs[0]) / 10 == doctest::Approx(0.5).epsilon(1e-6));
  CHECK(sum == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("A listed number that no row has is not made, whatever the others are") {
  // Every level belongs to two people: rare, but none is a single person's.
  Schema schema;
  schema.fields = {{.name = "drug", .kind = Kind::category}, {.name = "level", .kind = Kind::integer}};
  schema.groups = {{.kind = "combinations", .fields = {"drug", "level"}, .rows = {{"a", 13}, {"a", 15}}}};
  std::vector<Record> records;
  for (std::int64_t row = 0; row < 200; ++row)
    records.push_back({{"drug", "a"}, {"level", row / 2 * 2 + (row < 198 ? 0 : 1)}});  // whole steps of 1
  const auto fit = [&] {
    IndependentMarginals generator;
    generator.fit(Table::from_records(schema, records));
    return generator;
  };
  CHECK_THROWS_AS(fit(), GenerationError);
  for (std::int64_t level = 0; level < 12; level += 2) schema.groups[0].rows.push_back({"a", level});
  const Table made = fit().sample({.rows = 300, .seed = 2});
  for (std::size_t row = 0; row < made.rows(); ++row) CHECK(made.column("level").number_at(row) < 12);
  const CodedTable coded = code_table(Table::from_records(schema, records), {});
  CHECK(std::ranges::count(coded.columns[1].protection, Protection::rare) == 100);
  CHECK(listed_combinations(coded.schema, coded.schema.groups[0], coded.columns).size() == 6);
}
