// Groups of fields and keys: kept by every method, alone and with conditions, and named where they conflict.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

using namespace synthema;

namespace {

// Days in hospital by ward, with a total in front of its parts; a stage in three columns; two findings that
// exclude each other. Nearly all real rows break something.
Schema wards_schema() {
  Schema schema;
  schema.fields = {{.name = "days", .kind = Kind::integer},
                   {.name = "sex", .kind = Kind::category},
                   {.name = "early", .kind = Kind::boolean},
                   {.name = "late", .kind = Kind::boolean},
                   {.name = "final", .kind = Kind::integer},
                   {.name = "surgery", .kind = Kind::integer},
                   {.name = "icu", .kind = Kind::integer, .minimum = 0},
                   {.name = "cost", .kind = Kind::real},
                   {.name = "drugs", .kind = Kind::real},
                   {.name = "care", .kind = Kind::real},
                   {.name = "pregnant", .kind = Kind::boolean},
                   {.name = "prostate", .kind = Kind::boolean}};
  schema.groups = {{.kind = "sum", .fields = {"surgery", "icu"}, .total = "days"},
                   {.kind = "sum", .fields = {"drugs", "care"}, .total = "cost"},
                   {.kind = "one_hot", .fields = {"early", "late", "final"}},
                   {.kind = "exclusive", .fields = {"pregnant", "prostate"}}};
  return schema;
}

Table wards(std::size_t rows, Schema schema = wards_schema()) {
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(21).stream(row);
    const auto whole = [&](std::uint64_t below) { return static_cast<std::int64_t>(random.below(below)); };
    records.push_back({{"days", whole(30)},
                       {"sex", random.uniform() < 0.5 ? "m" : "f"},
                       {"early", random.uniform() < 0.4},
                       {"late", random.uniform() < 0.4},
                       {"final", whole(2)},
                       {"surgery", whole(10)},
                       {"icu", random.uniform() < 0.1 ? Value() : Value(whole(12))},
                       {"cost", static_cast<double>(whole(1000)) / 10},
                       {"drugs", static_cast<double>(whole(300)) / 10},
                       {"care", static_cast<double>(whole(400)) / 10},
                       {"pregnant", random.uniform() < 0.3},
                       {"prostate", random.uniform() < 0.3}});
  }
  return Table::from_records(std::move(schema), records);
}

std::shared_ptr<Table> fixed(const char* name, Kind kind, Value value) {
  Schema schema;
  schema.fields = {{.name = name, .kind = kind}};
  const std::vector<Record> rows{{{name, value}}};
  return std::make_shared<Table>(Table::from_records(schema, rows));
}

template <class G>
void refuses(const Schema& schema, const char* what) {
  G generator;
  CHECK_THROWS_WITH_AS(generator.fit(wards(300, schema)), doctest::Contains(what), GenerationError);
}

}  // namespace

TEST_CASE_TEMPLATE("Sums, one-hot groups and exclusive fields hold in every row", G, SequentialTrees,
                   IndependentMarginals, GaussianCopula) {
  G generator;
  generator.fit(wards(1200));
  CHECK(nonconformities(generator, {.rows = 1500, .seed = 3}).empty());
  const Table made = generator.sample({.rows = 1500, .seed = 3});
  std::size_t early = 0, pregnant = 0;
  for (std::size_t row = 0; row < made.rows(); ++row) {
    early += made.column("early").boolean_at(row);
    pregnant += made.column("pregnant").boolean_at(row);
    if (!made.column("icu").is_null(row))
      CHECK(made.column("days").integers()[row] ==
            made.column("surgery").integers()[row] + made.column("icu").integers()[row]);
    CHECK(std::abs(made.column("cost").number_at(row) - made.column("drugs").number_at(row) -
                   made.column("care").number_at(row)) < 1e-9);
  }
  CHECK(early > 300);
  CHECK(pregnant > 200);
  // Conditions on a total, on a part, on what another must then not be.
  for (const auto& [name, kind, value] :
       {std::tuple{"days", Kind::integer, Value(15)}, std::tuple{"care", Kind::real, Value(12.5)},
        std::tuple{"late", Kind::boolean, Value(true)}, std::tuple{"prostate", Kind::boolean, Value(true)}}) {
    const Table some = generator.sample({.rows = 200, .seed = 4, .conditions = fixed(name, kind, value)});
    for (std::size_t row = 0; row < some.rows(); ++row) {
      CHECK(some.column(name).value_at(row).display() == value.display());
      CHECK(!schema_misfit(generator.schema(), some.record(row)));
    }
  }
  const Table again = G::load(generator.save()).sample({.rows = 1500, .seed = 3});
  CHECK(content_digest(again) == content_digest(made));
}

TEST_CASE_TEMPLATE("Keys are unique, and the same at any number of threads", G, SequentialTrees,
                   IndependentMarginals, GaussianCopula) {
  Schema schema = wards_schema();
  schema.groups = {{.kind = "unique", .fields = {"surgery", "days"}}};
  std::vector<std::string> digests;
  for (const std::size_t threads : {1U, 2U}) {
    G generator({.threads = threads});
    generator.fit(wards(1000, schema));
    const Table made = generator.sample({.rows = 100, .seed = 1});
    std::set<std::pair<std::int64_t, std::int64_t>> keys;
    for (std::size_t row = 0; row < made.rows(); ++row)
      keys.emplace(made.column("surgery").integers()[row], made.column("days").integers()[row]);
    CHECK(keys.size() == 100);
    digests.push_back(content_digest(made));
    CHECK_THROWS_WITH_AS(generator.sample({.rows = 301, .seed = 1}), doctest::Contains("'surgery', 'days'"),
                         GenerationError);
  }
  CHECK(digests[0] == digests[1]);
}

TEST_CASE_TEMPLATE("Groups that contradict each other or the rules are named", G, SequentialTrees,
                   IndependentMarginals, GaussianCopula) {
  Schema schema = wards_schema();
  schema.groups = {{.kind = "one_hot", .fields = {"early", "late"}},
                   {.kind = "one_hot", .fields = {"late", "pregnant"}},
                   {.kind = "one_hot", .fields = {"early", "pregnant"}}};
  refuses<G>(schema, "contradict each other: one_hot of 'early', 'late'");
  schema = wards_schema();
  schema.fields[4].maximum = 0;
  schema.fields[5].minimum = 2;
  schema.groups = {{.kind = "one_hot", .fields = {"final", "surgery"}}};
  refuses<G>(schema, "no way to keep the one_hot of 'final', 'surgery'");
  schema = wards_schema();
  schema.fields[0].maximum = 5;
  schema.fields[5].minimum = 8;
  refuses<G>(schema, "sum of 'surgery', 'icu'");
}

TEST_CASE("Groups are part of a schema: JSON, checks, selections") {
  const Schema schema = wards_schema();
  CHECK(schema_from_json(to_json(schema)) == schema);
  for (const auto& [group, what] :
       {std::pair{GroupRule{.kind = "twice", .fields = {"days", "icu"}}, "no known kind"},
        std::pair{GroupRule{.kind = "sum", .fields = {"days", "icu"}}, "needs a total"},
        std::pair{GroupRule{.kind = "one_hot", .fields = {"sex", "early"}}, "of kind category"},
        std::pair{GroupRule{.kind = "one_hot", .fields = {"early"}}, "too few"},
        std::pair{GroupRule{.kind = "sum", .fields = {"days", "icu"}, .total = "icu"}, "twice"}}) {
    Schema broken = schema;
    broken.groups = {group};
    CHECK_THROWS_WITH_AS(broken.check(), doctest::Contains(what), SchemaError);
  }
  const std::vector<std::string> some{"surgery", "icu", "early"};
  CHECK(wards(20).select(some).schema().groups.empty());
}

TEST_CASE("A row that breaks a group has no likelihood; one whose total follows loses nothing by it") {
  Schema schema = wards_schema();
  schema.groups = {{.kind = "sum", .fields = {"surgery", "icu"}, .total = "days"}};
  IndependentMarginals marginals;
  marginals.fit(wards(1000, schema));
  Record row = marginals.sample({.rows = 1, .seed = 1}).record(0);
  row.set("surgery", 4), row.set("icu", 5), row.set("days", 9);
  std::vector<Record> rows{row, row, row};
  rows[1].set("days", 10);
  rows[2].set("surgery", 3), rows[2].set("days", 8);
  const std::vector<double> logs = marginals.log_prob(Table::from_records(schema, rows));
  CHECK(std::isfinite(logs[0]));
  CHECK(std::isinf(logs[1]));
  // Both differ by the share of their number of days in surgery alone.
  CHECK(std::abs(logs[0] - logs[2]) < 0.5);
}
