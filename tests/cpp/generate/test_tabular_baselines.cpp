// Independent marginals, the Gaussian copula and the bootstrap copy.
#include <doctest/doctest.h>

#include <cmath>

#include "generate/tabular_tables.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/bootstrap_copy.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"

using namespace synthema;
using testing::patients;

namespace {

double correlation(const Table& table, const char* a, const char* b) {
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.column(a).is_null(row) || table.column(b).is_null(row)) continue;
    const double x = table.column(a).number_at(row), y = table.column(b).number_at(row);
    n += 1, sa += x, sb += y, saa += x * x, sbb += y * y, sab += x * y;
  }
  return (sab - sa * sb / n) / std::sqrt((saa - sa * sa / n) * (sbb - sb * sb / n));
}

std::shared_ptr<Table> conditions(const char* name, Kind kind, Value value) {
  Schema schema;
  schema.fields = {{.name = name, .kind = kind}};
  const std::vector<Record> rows{{{name, value}}};
  return std::make_shared<Table>(Table::from_records(schema, rows));
}

}  // namespace

TEST_CASE_TEMPLATE("Fitted baselines keep the promises of a generator, and load as they were saved", G,
                   IndependentMarginals, GaussianCopula) {
  G generator;
  CHECK_THROWS_AS(generator.sample({.rows = 1}), GenerationError);
  generator.fit(patients(1000));
  CHECK(nonconformities(generator, {.rows = 200, .seed = 3}).empty());
  const SampleRequest request{
      .rows = 200, .seed = 3, .conditions = conditions("sex", Kind::category, "male")};
  const Table made = generator.sample(request);
  for (std::size_t row = 0; row < 200; ++row) CHECK(made.column("sex").text_at(row) == "male");
  CHECK(content_digest(G::load(generator.save()).sample(request)) == content_digest(made));
  const std::string file = generator.save();
  CHECK_THROWS_AS(G::load(file.substr(0, file.size() / 2)), ModelError);
}

TEST_CASE("Marginals forget what depends on what, the copula keeps it") {
  const Table real = patients(4000);
  IndependentMarginals marginals;
  marginals.fit(real);
  GaussianCopula copula;
  copula.fit(real);
  const double truth = correlation(real, "age", "pressure");
  CHECK(std::abs(correlation(marginals.sample({.rows = 4000, .seed = 1}), "age", "pressure")) < 0.05);
  const Table made = copula.sample({.rows = 4000, .seed = 1});
  CHECK(std::abs(correlation(made, "age", "pressure") - truth) < 0.04);
  CHECK(std::abs(correlation(made, "age", "score") - correlation(real, "age", "score")) < 0.04);
  // Conditions pull the others along.
  const Table old =
      copula.sample({.rows = 2000, .seed = 2, .conditions = conditions("age", Kind::integer, 75)});
  const Table young =
      copula.sample({.rows = 2000, .seed = 2, .conditions = conditions("age", Kind::integer, 25)});
  double difference = 0;
  for (std::size_t row = 0; row < 2000; ++row)
    if (!old.column("pressure").is_null(row) && !young.column("pressure").is_null(row))
      difference += old.column("pressure").number_at(row) - young.column("pressure").number_at(row);
  CHECK(difference / 2000 > 17);  // 25 in the truth, times the eight tenths where both have a pressure
}

TEST_CASE("Constant and empty columns do not disturb the copula") {
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::real},
                   {.name = "one", .kind = Kind::integer},
                   {.name = "none", .kind = Kind::real},
                   {.name = "twin", .kind = Kind::real}};
  std::vector<Record> records;
  for (int i = 0; i < 100; ++i)
    records.push_back({{"x", i * 0.37}, {"one", 1}, {"none", Value()}, {"twin", i * 0.74}});
  GaussianCopula copula;
  copula.fit(Table::from_records(schema, records));
  const Table made = copula.sample({.rows = 500, .seed = 1});
  CHECK(made.column("one").integers()[3] == 1);
  CHECK(made.column("none").null_count() == 500);
  CHECK(correlation(made, "x", "twin") > 0.99);
}

TEST_CASE("The normal quantile is exact") {
  CHECK(normal_quantile(0.5) == doctest::Approx(0).epsilon(1e-15));
  CHECK(normal_quantile(0.975) == doctest::Approx(1.959963984540054).epsilon(1e-13));
  CHECK(normal_quantile(1e-10) == doctest::Approx(-6.361340902404056).epsilon(1e-13));
}

TEST_CASE("A bootstrap copy refuses to give rows unless it is told to") {
  const Table real = patients(60);
  BootstrapCopy shy;
  shy.fit(real);
  CHECK_THROWS_AS(shy.sample({.rows = 3, .seed = 1}), PolicyError);
  BootstrapCopy open(true);
  open.fit(real);
  CHECK(nonconformities(open, {.rows = 40, .seed = 1}).empty());
  const Table women =
      open.sample({.rows = 30, .seed = 1, .conditions = conditions("sex", Kind::category, "female")});
  for (std::size_t row = 0; row < 30; ++row) CHECK(women.column("sex").text_at(row) == "female");
  CHECK_THROWS_AS(open.sample({.rows = 1, .seed = 1, .conditions = conditions("age", Kind::integer, 999)}),
                  GenerationError);
}
