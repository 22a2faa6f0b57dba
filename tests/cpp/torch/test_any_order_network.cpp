#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "generate/tabular_tables.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/independent_marginals.hpp"
#include "synthema/torch/any_order_network.hpp"

using namespace synthema;
using testing::patients;

namespace {

AnyOrderNetworkOptions small() {
  AnyOrderNetworkOptions options;
  options.size = "small";
  options.rounds = 12;
  return options;
}

AnyOrderNetwork fitted(const Table& real, AnyOrderNetworkOptions options = small()) {
  AnyOrderNetwork out(std::move(options));
  out.fit(real);
  return out;
}

const AnyOrderNetwork& of_patients() {
  static const AnyOrderNetwork network = fitted(patients(2000));
  return network;
}

// Three labels and a boolean: the second label is the first one in nine rows of ten.
Table labels(std::size_t rows, std::uint64_t seed) {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::category},
                   {.name = "b", .kind = Kind::category},
                   {.name = "c", .kind = Kind::boolean}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(seed).stream(row);
    const std::string a(1, static_cast<char>('x' + random.below(3)));
    const std::string b =
        random.uniform() < 0.9 ? a : std::string(1, static_cast<char>('x' + random.below(3)));
    records.push_back({{"a", a},
                       {"b", random.uniform() < 0.1 ? Value() : Value(b)},
                       {"c", random.uniform() < (a == b ? 0.9 : 0.1)}});
  }
  return Table::from_records(schema, records);
}

}  // namespace

TEST_CASE("The network keeps the promises of a generator, columns and what depends on what") {
  const Table real = patients(2000);
  AnyOrderNetwork network(small());
  CHECK_THROWS_AS(network.sample({.rows = 1}), GenerationError);
  network.fit(real);
  CHECK(nonconformities(network, {.rows = 300, .seed = 7}).empty());
  const Table made = network.sample({.rows = 2000, .seed = 1});
  CHECK(made.schema().fields == real.schema().fields);
  double smokers[2] = {}, people[2] = {};
  for (std::size_t row = 0; row < made.rows(); ++row) {
    const int male = made.column("sex").text_at(row) == "male";
    ++people[male];
    smokers[male] += made.column("smoker").boolean_at(row);
  }
  CHECK(std::abs(smokers[1] / people[1] - 0.6) < 0.1);
  CHECK(std::abs(smokers[0] / people[0] - 0.1) < 0.1);
  CHECK(std::abs(static_cast<double>(made.column("pressure").null_count()) / 2000 - 0.1) < 0.05);
}

TEST_CASE("The same seeds give the same network and table at any number of threads, and after a file") {
  const Table real = patients(5000);  // batches of several chunks
  AnyOrderNetworkOptions one = small(), three = small(), other = small();
  one.rounds = three.rounds = other.rounds = 1;
  one.threads = 1;
  three.threads = 3;
  other.seed = 1;
  const AnyOrderNetwork a = fitted(real, one), b = fitted(real, three);
  CHECK(a.save() == b.save());
  const SampleRequest request{.rows = 1000, .seed = 5};
  const std::string digest = content_digest(a.sample(request));
  CHECK(content_digest(b.sample(request)) == digest);
  CHECK(content_digest(AnyOrderNetwork::load(a.save()).sample(request)) == digest);
  CHECK(content_digest(a.sample({.rows = 1000, .seed = 6})) != digest);
  CHECK(fitted(real, other).save() != a.save());
  // The first rows do not depend on how many follow.
  CHECK(content_digest(a.sample({.rows = 100, .seed = 5})) == content_digest(a.sample(request).head(100)));
}

TEST_CASE("Probabilities of all rows of a table of labels add up to one, and rows come as often") {
  const Table real = labels(1500, 1);
  Schema schema = real.schema();
  SUBCASE("freely") {}
  SUBCASE("under a rule") {
    schema.rules = {{.field = "b", .given = "a", .labels = {"x"}, .categories = {"y", "z"}}};
  }
  std::vector<Column> columns;
  for (const Field& field : schema.fields) columns.push_back(real.column(field.name));
  const AnyOrderNetwork network = fitted(Table(schema, columns));
  std::vector<Record> records;
  for (const Value& a : {Value("x"), Value("y"), Value("z")})
    for (const Value& b : {Value("x"), Value("y"), Value("z"), Value()})
      for (const bool c : {false, true}) records.push_back({{"a", a}, {"b", b}, {"c", c}});
  const Table every = Table::from_records(real.schema(), records);
  const std::vector<double> likely = network.log_prob(every);
  double sum = 0;
  for (const double x : likely) sum += std::exp(x);
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
  const Table made = network.sample({.rows = 20000, .seed = 2});
  for (std::size_t i = 0; i < every.rows(); ++i) {
    double count = 0;
    for (std::size_t row = 0; row < made.rows(); ++row) {
      bool same = true;
      for (const char* name : {"a", "b", "c"})
        same = same && made.column(name).value_at(row).display() == every.column(name).value_at(i).display();
      count += same;
    }
    CHECK(std::abs(count / 20000 - std::exp(likely[i])) < 0.012);
  }
}

TEST_CASE("What depends on something is foretold better than by independent columns") {
  const Table real = labels(1500, 1), held_out = labels(1500, 2);
  const AnyOrderNetwork network = fitted(real);
  IndependentMarginals independent;
  independent.fit(real);
  double ours = 0, theirs = 0;
  for (const double x : network.log_prob(held_out)) ours += x / 1500;
  for (const double x : independent.log_prob(held_out)) theirs += x / 1500;
  CHECK(ours > theirs + 0.5);
}

TEST_CASE("Conditions on any columns hold, and the others follow them") {
  Schema schema;
  schema.fields = {{.name = "smoker", .kind = Kind::boolean}, {.name = "age", .kind = Kind::integer}};
  const std::vector<Record> wanted{{{"smoker", true}, {"age", Value()}}, {{"smoker", Value()}, {"age", 40}}};
  const Table made = of_patients().sample(
      {.rows = 2000, .seed = 3, .conditions = std::make_shared<Table>(Table::from_records(schema, wanted))});
  double men = 0;
  for (std::size_t row = 0; row < 2000; ++row) {
    if (row % 2 == 0) {
      CHECK(made.column("smoker").boolean_at(row));
      men += made.column("sex").text_at(row) == "male";
    } else {
      CHECK(made.column("age").integers()[row] == 40);
    }
  }
  CHECK(std::abs(men / 1000 - 0.6 / 0.7) < 0.08);  // Bayes: sex is drawn before smoker
}

TEST_CASE("Holes are filled from what is known, and known cells stay") {
  const Table real = patients(300, 9);
  const Table whole = of_patients().impute(real, 1);
  CHECK(whole.column("pressure").null_count() == 0);
  double error = 0, count = 0;
  for (std::size_t row = 0; row < real.rows(); ++row) {
    CHECK(whole.column("age").integers()[row] == real.column("age").integers()[row]);
    CHECK(whole.column("score").reals()[row] == real.column("score").reals()[row]);
    if (!real.column("pressure").is_null(row)) {
      CHECK(whole.column("pressure").number_at(row) == real.column("pressure").number_at(row));
      continue;
    }
    const double male = real.column("sex").text_at(row) == "male" ? 10 : 0;
    const double expected = 100 + 0.5 * real.column("age").number_at(row) + male;
    error += whole.column("pressure").number_at(row) - expected;
    ++count;
  }
  CHECK(std::abs(error / count) < 3);
}

TEST_CASE("Rules of the schema hold in every row, with and without conditions") {
  const Table real = patients(800);
  Schema schema = real.schema();
  for (Field& field : schema.fields)
    if (field.name == "age") field.maximum = 60;
  schema.rules = {{.field = "pressure", .given = "sex", .labels = {"female"}, .maximum = 140},
                  {.field = "pressure", .given = "age", .lowest = 50, .minimum = 130}};
  std::vector<Column> columns;
  for (const Field& field : schema.fields) columns.push_back(real.column(field.name));
  AnyOrderNetworkOptions options = small();
  options.rounds = 3;
  AnyOrderNetwork network(options);
  network.fit(Table(schema, columns));
  for (const bool conditioned : {false, true}) {
    Schema wanted;
    wanted.fields = {{.name = "pressure", .kind = Kind::real}};
    const std::vector<Record> low{{{"pressure", 120.0}}};
    const auto conditions =
        conditioned ? std::make_shared<Table>(Table::from_records(wanted, low)) : std::shared_ptr<Table>();
    const Table made = network.sample({.rows = 1500, .seed = 4, .conditions = conditions});
    for (std::size_t row = 0; row < made.rows(); ++row) {
      const std::int64_t age = made.column("age").integers()[row];
      CHECK(age <= 60);
      if (conditioned) CHECK(age < 50);
      if (made.column("pressure").is_null(row)) continue;
      const double pressure = made.column("pressure").number_at(row);
      if (age >= 50) CHECK(pressure >= 130);
      if (made.column("sex").text_at(row) == "female") CHECK(pressure <= 140);
    }
    for (const double x : network.log_prob(made.head(200))) CHECK(std::isfinite(x));
  }
}

TEST_CASE("No value that one row has is handed on") {
  const Table real = patients(2000), made = of_patients().sample({.rows = 4000, .seed = 2});
  const auto scores = real.column("score").reals();
  const std::set<double> real_ones(scores.begin(), scores.end());
  for (const double score : made.column("score").reals()) CHECK_FALSE(real_ones.contains(score));
}

TEST_CASE("A cancelled fit keeps the best state so far, or what was fitted before") {
  const Table real = patients(600);
  CancelToken cancel;
  std::vector<std::string> notes;
  AnyOrderNetwork network(small());
  network.fit(
      real,
      [&](const Progress& step) {
        notes.push_back(step.note);
        if (step.done == 2) cancel.cancel();
      },
      cancel);
  CHECK(network.rounds() == 2);
  CHECK(notes.size() == 2);
  CHECK(notes[1].find("validation loss") == 0);
  CHECK(std::isfinite(network.validation_loss()));
  const std::string before = network.save();
  CHECK_THROWS_AS(network.fit(real, {}, cancel), Cancelled);
  CHECK(network.save() == before);
}

TEST_CASE("A temperature makes likely labels likelier") {
  AnyOrderNetworkOptions cold = small();
  cold.temperature = {{"c", 0.2}};
  const Table real = labels(1500, 1);
  const auto share = [](const Table& table) {
    double sum = 0;
    for (std::size_t row = 0; row < table.rows(); ++row) sum += table.column("c").boolean_at(row);
    return sum / static_cast<double>(table.rows());
  };
  const double warm = share(fitted(real).sample({.rows = 3000, .seed = 1}));
  CHECK(share(fitted(real, cold).sample({.rows = 3000, .seed = 1})) > warm + 0.04);
  cold.temperature = {{"nobody", 0.5}};
  CHECK_THROWS_AS(fitted(real, cold), SchemaError);
}

TEST_CASE("Many labels, constants, identifiers and missing columns come through") {
  Schema schema;
  schema.fields = {{.name = "id", .kind = Kind::text, .roles = {Role::identifier}},
                   {.name = "code", .kind = Kind::text},
                   {.name = "same", .kind = Kind::integer},
                   {.name = "none", .kind = Kind::real}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 3000; ++row)
    records.push_back({{"id", "P" + std::to_string(10000 + row)},
                       {"code", "c" + std::to_string(row % 400)},
                       {"same", 7},
                       {"none", Value()}});
  const Table real = Table::from_records(schema, records);
  AnyOrderNetworkOptions options = small();
  options.rounds = 2;
  const AnyOrderNetwork network = fitted(real, options);
  const Table made = network.sample({.rows = 2000, .seed = 1});
  std::set<std::string> codes, ids;
  for (std::size_t row = 0; row < 2000; ++row) {
    codes.emplace(made.column("code").text_at(row));
    ids.emplace(made.column("id").text_at(row));
    CHECK(made.column("same").integers()[row] == 7);
    CHECK(made.column("none").is_null(row));
  }
  CHECK(codes.size() > 350);
  CHECK(ids.size() == 2000);
  double sum = 0;
  for (const double x : network.log_prob(real.head(400))) sum += std::exp(x);
  CHECK(sum == doctest::Approx(1).epsilon(1e-4));  // each code once
}

TEST_CASE("A damaged model is refused, wherever it is cut or changed") {
  AnyOrderNetworkOptions options = small();
  options.rounds = 1;
  const std::string file = fitted(labels(60, 1), options).save();
  for (std::size_t cut = 0; cut < file.size(); cut += file.size() / 60 + 1)
    CHECK_THROWS_AS(AnyOrderNetwork::load(std::string_view(file).substr(0, cut)), ModelError);
  Random random(5);
  std::size_t refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string changed = file;
    changed[random.below(8000) % changed.size()] = static_cast<char>(random.below(256));
    try {
      AnyOrderNetwork::load(changed).sample({.rows = 20, .seed = 1});
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 50);
}
