#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "generate/tabular_tables.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/any_generator.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

using namespace synthema;
using testing::patients;

namespace {

struct Means {
  double male = 0, female = 0, smoking_men = 0, smoking_women = 0;
};

Means pressures(const Table& table) {
  double sums[2] = {}, counts[2] = {}, smokers[2] = {}, people[2] = {};
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const int sex = table.column("sex").text_at(row) == "male";
    ++people[sex];
    smokers[sex] += table.column("smoker").boolean_at(row);
    if (table.column("pressure").is_null(row)) continue;
    sums[sex] += table.column("pressure").number_at(row);
    ++counts[sex];
  }
  return {sums[1] / counts[1], sums[0] / counts[0], smokers[1] / people[1], smokers[0] / people[0]};
}

SequentialTrees fitted(const Table& real, SequentialTreesOptions options = {}) {
  SequentialTrees out(std::move(options));
  out.fit(real);
  return out;
}

}  // namespace

TEST_CASE("Trees keep columns and what depends on what") {
  const Table real = patients(3000);
  SequentialTrees trees = fitted(real, {.target = "smoker"});
  CHECK(nonconformities(trees, {.rows = 300, .seed = 7}).empty());
  const Table made = trees.sample({.rows = 3000, .seed = 1});
  CHECK(trees.order().front() == "smoker");
  CHECK(made.schema().fields == real.schema().fields);
  const Means a = pressures(real), b = pressures(made);
  CHECK(b.male == doctest::Approx(a.male).epsilon(0.01));
  CHECK(b.female == doctest::Approx(a.female).epsilon(0.01));
  CHECK(std::abs(b.smoking_men - a.smoking_men) < 0.05);
  CHECK(std::abs(b.smoking_women - a.smoking_women) < 0.05);
  const double missing = static_cast<double>(made.column("pressure").null_count()) / 3000;
  CHECK(std::abs(missing - 0.1) < 0.03);
}

TEST_CASE("The same seed gives the same table at any number of threads, and after saving and loading") {
  const Table real = patients(1500);
  const SampleRequest request{.rows = 1000, .seed = 5};
  const SequentialTrees one = fitted(real, {.threads = 1}), three = fitted(real, {.threads = 3});
  const std::string digest = content_digest(one.sample(request));
  CHECK(content_digest(three.sample(request)) == digest);
  CHECK(one.save() == three.save());
  CHECK(content_digest(SequentialTrees::load(one.save()).sample(request)) == digest);
  CHECK(content_digest(one.sample({.rows = 1000, .seed = 6})) != digest);
  // The first rows do not depend on how many follow.
  CHECK(
      content_digest(one.sample({.rows = 100, .seed = 5}).select(std::vector<std::string>{"age", "score"})) ==
      content_digest(one.sample(request).head(100).select(std::vector<std::string>{"age", "score"})));
}

TEST_CASE("No value that one row has is handed on") {
  const Table real = patients(800), made = fitted(real).sample({.rows = 5000, .seed = 2});
  std::vector<double> scores(real.column("score").reals().begin(), real.column("score").reals().end());
  std::sort(scores.begin(), scores.end());
  for (const double score : made.column("score").reals())
    CHECK_FALSE(std::binary_search(scores.begin(), scores.end(), score));
}

TEST_CASE("Conditions hold on any columns, and the others follow them") {
  const SequentialTrees trees = fitted(patients(3000));
  Schema schema;
  schema.fields = {{.name = "smoker", .kind = Kind::boolean}, {.name = "sex", .kind = Kind::category}};
  const std::vector<Record> wanted{{{"smoker", true}, {"sex", Value()}},
                                   {{"smoker", Value()}, {"sex", "female"}}};
  const Table made = trees.sample(
      {.rows = 4000, .seed = 3, .conditions = std::make_shared<Table>(Table::from_records(schema, wanted))});
  double men = 0;
  for (std::size_t row = 0; row < 4000; ++row) {
    if (row % 2 == 0) {
      CHECK(made.column("smoker").boolean_at(row));
      men += made.column("sex").text_at(row) == "male";
    } else {
      CHECK(made.column("sex").text_at(row) == "female");
    }
  }
  CHECK(men / 2000 ==
        doctest::Approx(0.6 / 0.7).epsilon(0.05));  // Bayes: sex comes before smoker in the order
}

TEST_CASE("A condition that was never seen is refused by name") {
  const SequentialTrees trees = fitted(patients(300));
  const auto sample = [&](const char* name, Kind kind, Value value) {
    Schema schema;
    schema.fields = {{.name = name, .kind = kind}};
    const std::vector<Record> wanted{{{name, value}}};
    return trees.sample(
        {.rows = 1, .seed = 1, .conditions = std::make_shared<Table>(Table::from_records(schema, wanted))});
  };
  CHECK_THROWS_WITH_AS(sample("sex", Kind::category, "unknown"), doctest::Contains("sex"), GenerationError);
  CHECK_THROWS_WITH_AS(sample("age", Kind::integer, 200), doctest::Contains("age"), GenerationError);
  CHECK_THROWS_WITH_AS(sample("pressure", Kind::real, 120.55), doctest::Contains("coarser"), GenerationError);
  CHECK_THROWS_WITH_AS(sample("smoker", Kind::integer, 2), doctest::Contains("is true or false"),
                       GenerationError);
  CHECK_THROWS_WITH_AS(sample("height", Kind::real, 1.8), doctest::Contains("height"), GenerationError);
  CHECK(sample("age", Kind::integer, 40).column("age").integers()[0] == 40);
}

TEST_CASE("A damaged model is refused, wherever it is cut or changed") {
  const std::string file = fitted(patients(120)).save();
  for (std::size_t cut = 0; cut < file.size(); cut += 97)
    CHECK_THROWS_AS(SequentialTrees::load(std::string_view(file).substr(0, cut)), ModelError);
  Random random(4);
  for (int i = 0; i < 100; ++i) {
    std::string changed = file;
    changed[random.below(changed.size())] ^= static_cast<char>(1 << random.below(8));
    CHECK_THROWS_AS(SequentialTrees::load(changed), ModelError);
  }
  // Whoever changes it on purpose leaves the digest out: refused, or a model that samples without harm.
  std::string without = file;
  without.replace(without.find("\"digest\""), 8, "\"Digest\"");
  for (int i = 0; i < 300; ++i) {
    std::string changed = without;
    changed[random.below(changed.size())] = static_cast<char>(random.below(256));
    try {
      const Table made = SequentialTrees::load(changed).sample({.rows = 20, .seed = 1});
      CHECK(made.rows() == 20);
    } catch (const Error&) {
    }
  }
}

TEST_CASE("Options and use out of order are refused") {
  CHECK_THROWS_AS(SequentialTrees({.min_gain = -1}), ConfigError);
  CHECK_THROWS_AS(SequentialTrees({.particles = 0}), ConfigError);
  CHECK_THROWS_AS(SequentialTrees().sample({.rows = 1}), GenerationError);
  SequentialTrees trees({.target = "nobody"});
  CHECK_THROWS_AS(trees.fit(patients(50)), SchemaError);
  CancelToken cancel;
  cancel.cancel();
  SequentialTrees other;
  CHECK_THROWS_AS(other.fit(patients(50), {}, cancel), Cancelled);
  CHECK_FALSE(other.fitted());
  AnyGenerator any(fitted(patients(50)));
  CHECK(any.sample({.rows = 0}).rows() == 0);
}

TEST_CASE("What a total says of its parts does not depend on the unit") {
  // Two parts of a total, in the unit and in millionths of it. Tenths, then reals without a grid.
  const auto mean_given_total = [](double unit, bool grid) {
    Schema schema;
    schema.fields = {{.name = "a", .kind = Kind::real},
                     {.name = "b", .kind = Kind::real},
                     {.name = "total", .kind = Kind::real}};
    schema.groups = {{.kind = "sum", .fields = {"a", "b"}, .total = "total"}};
    std::vector<Record> records;
    for (std::size_t row = 0; row < 3000; ++row) {
      Random random = Random(5).stream(row);
      double a = random.uniform() * 8, b = -std::log(1 - random.uniform()) * 2;
      if (grid) a = std::nearbyint(a * 10) / 10, b = std::nearbyint(b * 10) / 10;
      records.push_back({{"a", a * unit}, {"b", b * unit}, {"total", (a + b) * unit}});
    }
    const SequentialTrees trees = fitted(Table::from_records(schema, records));
    Schema given;
    given.fields = {{.name = "total", .kind = Kind::real}};
    const auto conditions =
        std::make_shared<Table>(Table::from_records(given, std::vector<Record>{{{"total", 8 * unit}}}));
    const Table made = trees.sample({.rows = 2000, .seed = 3, .conditions = conditions});
    double sum = 0;
    for (std::size_t row = 0; row < made.rows(); ++row) sum += made.column("a").number_at(row) / unit;
    return sum / 2000;
  };
  // Of a between 0 and 8 with a density like exp(a / 2), beside what few candidates a row leave.
  for (const bool grid : {true, false}) {
    const double mean = mean_given_total(1, grid);
    CHECK(std::abs(mean - 6.15) < 0.3);
    CHECK(mean_given_total(1e6, grid) == doctest::Approx(mean).epsilon(0.002));
  }
}
