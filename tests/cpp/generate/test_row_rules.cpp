#include <doctest/doctest.h>

#include <cmath>

#include "synthema/data/field_rule.hpp"
#include "synthema/data/schema_check.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"
#include "synthema/generate/tabular/private_marginals.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

using namespace synthema;

namespace {

constexpr std::int64_t kDay = 86400000000;

// Stays in hospital. Not one real row keeps all the rules: they come from the schema, not from the rows.
Schema stays_schema() {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category},
                   {.name = "age", .kind = Kind::integer, .minimum = 18},
                   {.name = "diagnosis", .kind = Kind::category},
                   {.name = "admission", .kind = Kind::time},
                   {.name = "discharge", .kind = Kind::time},
                   {.name = "death", .kind = Kind::time},
                   {.name = "dose", .kind = Kind::real, .minimum = 0, .maximum = 10}};
  schema.rules = {
      {.field = "diagnosis", .given = "sex", .labels = {"male"}, .categories = {"asthma", "prostatitis"}},
      {.field = "diagnosis", .given = "sex", .labels = {"female"}, .categories = {"asthma", "endometriosis"}},
      {.field = "discharge", .given = "admission", .relation = ">="},
      {.field = "death", .given = "discharge", .relation = ">="},
      {.field = "dose", .given = "age", .lowest = 65, .maximum = 4}};
  return schema;
}

Table stays(std::size_t rows, Schema schema = stays_schema()) {
  std::vector<Record> records;
  const std::vector<std::string> diagnoses{"asthma", "prostatitis", "endometriosis"};
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(11).stream(row);
    const auto day = static_cast<std::int64_t>(random.below(400));
    const auto stay = static_cast<std::int64_t>(random.below(9)) - 1;
    records.push_back(
        {{"sex", random.uniform() < 0.5 ? "male" : "female"},
         {"age", static_cast<std::int64_t>(10 + random.below(80))},
         {"diagnosis", diagnoses[random.below(3)]},
         {"admission", Timestamp{day * kDay}},
         {"discharge", Timestamp{(day + stay) * kDay}},
         {"death", random.uniform() < 0.8 ? Value() : Value(Timestamp{(day + stay + 2) * kDay})},
         {"dose", static_cast<double>(random.below(120)) / 10}});
  }
  return Table::from_records(std::move(schema), records);
}

std::shared_ptr<Table> one_condition(std::vector<std::pair<Field, Value>> wanted) {
  Schema schema;
  Record record;
  for (auto& [field, value] : wanted) {
    record.set(field.name, value);
    schema.fields.push_back(field);
  }
  const std::vector<Record> records{record};
  return std::make_shared<Table>(Table::from_records(schema, records));
}

void check_rows(const Schema& schema, const Table& made) {
  for (std::size_t row = 0; row < made.rows(); ++row) {
    const auto misfit = schema_misfit(schema, made.record(row));
    CHECK_MESSAGE(!misfit, misfit.value_or(""));
  }
}

}  // namespace

TEST_CASE("Every row keeps the ranges and rules of the schema") {
  const Table real = stays(1500);
  std::size_t broken = 0;
  for (std::size_t row = 0; row < real.rows(); ++row)
    broken += schema_misfit(real.schema(), real.record(row)).has_value();
  CHECK(broken > 500);
  for (const char* target : {"", "death", "diagnosis"}) {
    SequentialTrees trees({.target = target});
    trees.fit(real);
    const Table made = trees.sample({.rows = 2000, .seed = 1});
    check_rows(real.schema(), made);
    CHECK(made.column("death").null_count() > 1000);
    CHECK(made.column("death").null_count() < 1900);
  }
}

TEST_CASE("Rules and conditions hold together, whichever column is fixed") {
  SequentialTrees trees;
  trees.fit(stays(1500));
  const Field diagnosis{.name = "diagnosis", .kind = Kind::category},
      dose{.name = "dose", .kind = Kind::real};
  const Field discharge{.name = "discharge", .kind = Kind::time};
  const auto wanted =
      one_condition({{diagnosis, "prostatitis"}, {dose, 9.0}, {discharge, Timestamp{50 * kDay}}});
  const Table made = trees.sample({.rows = 300, .seed = 1, .conditions = wanted});
  check_rows(trees.schema(), made);
  for (std::size_t row = 0; row < made.rows(); ++row) {
    CHECK(made.column("sex").text_at(row) == "male");
    CHECK(made.column("age").integers()[row] < 65);
    CHECK(made.column("admission").integers()[row] <= 50 * kDay);
    CHECK(made.column("discharge").integers()[row] == 50 * kDay);
  }
}

TEST_CASE("What contradicts itself is named before the first row") {
  SequentialTrees trees;
  trees.fit(stays(800));
  const Field diagnosis{.name = "diagnosis", .kind = Kind::category},
      sex{.name = "sex", .kind = Kind::category};
  CHECK_THROWS_WITH_AS(
      trees.sample({.rows = 5, .conditions = one_condition({{diagnosis, "prostatitis"}, {sex, "female"}})}),
      doctest::Contains("'sex' is 'female' and 'diagnosis' is 'prostatitis'"), GenerationError);
  const Field age{.name = "age", .kind = Kind::integer}, dose{.name = "dose", .kind = Kind::real};
  CHECK_THROWS_WITH_AS(
      trees.sample({.rows = 5, .conditions = one_condition({{age, 70}, {dose, 9.0}})}),
      doctest::Contains("Condition 0 contradicts the schema: its rules or groups let no row be so "
                        "that 'age' is what the condition asks for and 'dose'"),
      GenerationError);
  CHECK_THROWS_WITH_AS(trees.sample({.rows = 5, .conditions = one_condition({{age, 12}})}),
                       doctest::Contains("its range, labels or groups"), GenerationError);
  Schema schema = stays_schema();
  schema.rules.push_back(
      {.field = "diagnosis", .given = "sex", .labels = {"male"}, .categories = {"endometriosis"}});
  CHECK_THROWS_WITH_AS(trees.fit(stays(800, schema)), doctest::Contains("'sex' is 'male'"), GenerationError);
  schema = stays_schema();
  schema.fields[2].categories = {"asthma", "endometriosis", "prostatitis"};
  schema.rules = {{.field = "diagnosis", .given = "age", .categories = {"none of them"}}};
  CHECK_THROWS_AS(
      [&] {
        trees.fit(stays(800, schema));
        trees.sample({.rows = 5});
      }(),
      Error);
}

TEST_CASE_TEMPLATE("Rules may name labels that few people have, or nobody", G, SequentialTrees,
                   GaussianCopula, IndependentMarginals) {
  Schema schema = stays_schema();
  schema.fields[0].categories = {"female", "male", "intersex"};
  schema.fields[2].categories = {"asthma", "prostatitis", "endometriosis", "rare", "nobody's"};
  for (const std::string diagnosis : {"rare", "nobody's"}) {
    schema.rules[0].labels = {"male", "intersex"};
    schema.rules[0].categories = {"asthma", "prostatitis", diagnosis};
    const Table real = stays(800, schema);
    std::vector<Record> records;
    for (std::size_t row = 0; row < real.rows(); ++row) records.push_back(real.record(row));
    records[0].set("diagnosis", "rare");
    records[1].set("sex", "intersex");
    G generator;
    generator.fit(Table::from_records(schema, records));
    check_rows(generator.schema(), generator.sample({.rows = 300, .seed = 1}));
    check_rows(generator.schema(), G::load(generator.save()).sample({.rows = 300, .seed = 1}));
    CHECK(generator.schema().rules[0].labels == std::vector<std::string>{"male"});
    CHECK(generator.schema().rules[0].categories == std::vector<std::string>{"asthma", "prostatitis"});
  }
  schema.rules[0] = {.field = "diagnosis", .given = "sex", .labels = {"intersex"}, .categories = {"asthma"}};
  SequentialTrees trees;
  trees.fit(stays(800, schema));
  CHECK(trees.schema().rules.size() == schema.rules.size() - 1);  // it never holds
  schema.rules[0] = {.field = "diagnosis", .given = "sex", .labels = {"male"}, .categories = {"nobody's"}};
  CHECK_THROWS_WITH_AS(trees.fit(stays(800, schema)),
                       doctest::Contains("given 'sex', leaves the column only labels"), GenerationError);
}

TEST_CASE("A model that was saved keeps the rules") {
  SequentialTrees trees;
  trees.fit(stays(800));
  const Table made = SequentialTrees::load(trees.save()).sample({.rows = 500, .seed = 2});
  check_rows(trees.schema(), made);
}

TEST_CASE_TEMPLATE("A range that the table has nothing of is an error, and no value is invented", G,
                   SequentialTrees, GaussianCopula, IndependentMarginals, PrivateMarginals) {
  Schema schema = stays_schema();
  schema.rules.clear();
  schema.fields[1].minimum = schema.fields[1].maximum = 200;
  G generator;
  CHECK_THROWS_WITH_AS(generator.fit(stays(800, schema)), doctest::Contains("200 only"), GenerationError);
  // One that a rule gives, of times as well.
  schema = stays_schema();
  schema.fields[6].maximum.reset();
  schema.rules = {{.field = "dose", .given = "sex", .labels = {"male"}, .minimum = 40}};
  CHECK_THROWS_WITH_AS(generator.fit(stays(800, schema)), doctest::Contains("given 'sex'"), GenerationError);
  schema.rules = {{.field = "death", .given = "age", .lowest = 50, .maximum = -3e6 * kDay}};
  CHECK_THROWS_WITH_AS(generator.fit(stays(800, schema)), doctest::Contains("'death'"), GenerationError);
  // It says nothing where it never holds.
  schema.fields[1].maximum = 120;  // noise may widen a range that nobody states
  schema.rules = {{.field = "dose", .given = "age", .lowest = 300, .minimum = 40}};
  generator.fit(stays(800, schema));
  CHECK(generator.sample({.rows = 50, .seed = 1}).rows() == 50);
}

TEST_CASE_TEMPLATE("Rules of numbers that contradict each other are named, though values may be missing", G,
                   SequentialTrees, GaussianCopula, IndependentMarginals, PrivateMarginals) {
  const auto refused = [](const std::vector<FieldRule>& rules) {
    Schema schema = stays_schema();
    schema.rules = rules;
    // Stated: noise may hide the ends of other ranges, and with them the way out.
    for (Field& one : schema.fields)
      if (one.kind == Kind::time) one.minimum = -10.0 * kDay, one.maximum = 500.0 * kDay;
    G generator;
    try {
      generator.fit(stays(800, schema));
    } catch (const GenerationError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const FieldRule between{.field = "discharge", .given = "admission", .relation = ">="},
      before{.field = "death", .given = "discharge", .relation = "<"},
      after{.field = "death", .given = "discharge", .relation = ">="};
  CHECK(refused({between, before}).empty());
  CHECK(refused({before, after}).find("order") != std::string::npos);
  CHECK(refused({between, after, {.field = "death", .given = "admission", .relation = "<"}}).find("order") !=
        std::string::npos);
  CHECK(refused({{.field = "dose", .given = "age", .lowest = 65, .maximum = 4},
                 {.field = "dose", .given = "age", .lowest = 40, .highest = 70, .minimum = 6}})
            .find("where 'age' is 65") != std::string::npos);
}
