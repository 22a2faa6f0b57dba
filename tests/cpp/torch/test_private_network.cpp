// AnyOrderNetwork with a privacy budget: what is spent and said, what is kept in files, what rows are like.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "generate/tabular_tables.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/private_marginals.hpp"
#include "synthema/privacy/renyi_accountant.hpp"
#include "synthema/torch/any_order_network.hpp"

using namespace synthema;
using testing::patients;

namespace {

AnyOrderNetworkOptions budget(double epsilon, std::uint64_t steps = 60) {
  AnyOrderNetworkOptions options;
  options.size = "small";
  options.rate = 5e-3;
  options.rounds = 5;
  options.privacy = NetworkPrivacy{.epsilon = epsilon, .sampling_rate = 0.1, .steps = steps};
  return options;
}

AnyOrderNetwork fitted_privately(const Table& real, AnyOrderNetworkOptions options,
                                 std::uint64_t noise_seed = 1) {
  AnyOrderNetwork out(std::move(options));
  NoiseSource noise = NoiseSource::seeded_for_tests(noise_seed);
  out.fit(real, noise);
  return out;
}

// Two labels of which the second is the first in nine rows of ten; subjects of three rows where asked for.
Table pairs(std::size_t rows, bool subjects = false) {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::category, .categories = {"x", "y", "z"}},
                   {.name = "b", .kind = Kind::category, .categories = {"x", "y", "z"}}};
  for (Field& field : schema.fields) field.nullable = false;
  if (subjects) schema.fields.push_back({.name = "who", .kind = Kind::text, .roles = {Role::subject}});
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(3).stream(row);
    const std::string a(1, static_cast<char>('x' + random.below(3)));
    const std::string b =
        random.uniform() < 0.9 ? a : std::string(1, static_cast<char>('x' + random.below(3)));
    Record record{{"a", a}, {"b", b}};
    if (subjects) record.set("who", "s" + std::to_string(row / 3));
    records.push_back(std::move(record));
  }
  return Table::from_records(schema, records);
}

double share_of_equal(const Table& table) {
  double out = 0;
  for (std::size_t row = 0; row < table.rows(); ++row)
    out += table.column("a").text_at(row) == table.column("b").text_at(row);
  return out / static_cast<double>(table.rows());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("Counts and steps together cost what was promised, and less noise would cost more") {
  for (const double epsilon : {0.5, 3.0}) {
    const NetworkPrivacy privacy{.epsilon = epsilon, .sampling_rate = 0.05, .steps = 500};
    const double rho = (privacy.first_share + privacy.pairs_share) * concentrated_budget(epsilon, 1e-6);
    const double noise = private_learning_noise(privacy, 1e-6, rho);
    const auto cost = [&](double multiplier) {
      RenyiAccountant all;
      all.add(GaussianMechanism{1 / std::sqrt(2 * rho)}).add(GaussianMechanism{multiplier, 0.05}, 500);
      return all.epsilon(1e-6).epsilon;
    };
    CHECK(cost(noise) <= epsilon);
    CHECK(cost(noise * 0.999) > epsilon);
  }
}

TEST_CASE("The ledger inside has one entry that says how it was learnt, before and after a file") {
  const AnyOrderNetwork made = fitted_privately(patients(800), budget(2));
  REQUIRE(made.ledger().entries().size() == 1);
  const LedgerEntry& entry = made.ledger().entries().front();
  CHECK(made.ledger().spent() == PrivacyBudget{2, 1e-6});
  CHECK(entry.unit == "row, added or removed");
  CHECK(entry.sampling_rate == 0.1);
  CHECK(entry.steps == 60);
  CHECK(entry.sensitivity == 1);
  CHECK_FALSE(entry.private_noise);
  double rho = 0;
  for (const PrivateSpending& one : made.spending()) rho += one.rho;
  CHECK(rho <= 0.6 * concentrated_budget(2, 0.9e-6) * (1 + 1e-9));
  CHECK(rho > 0.59 * concentrated_budget(2, 0.9e-6));
  CHECK(std::isnan(made.validation_loss()));  // nobody was set aside, nothing was tried
  const AnyOrderNetwork loaded = AnyOrderNetwork::load(made.save());
  CHECK(loaded.ledger().entries() == made.ledger().entries());
  CHECK(loaded.describe() == made.describe());
  CHECK(made.describe().starts_with("NOT PRIVATE"));
  CHECK(content_digest(loaded.sample({.rows = 200, .seed = 4})) ==
        content_digest(made.sample({.rows = 200, .seed = 4})));
}

TEST_CASE("The same test noise gives the same network at any number of threads; other noise does not") {
  const Table real = patients(600);
  AnyOrderNetworkOptions options = budget(2, 20);
  options.threads = 1;
  const std::string one = fitted_privately(real, options).save();
  options.threads = 3;
  CHECK(fitted_privately(real, options).save() == one);
  CHECK(fitted_privately(real, options, 2).save() != one);
  AnyOrderNetwork a(options), b(options);
  a.fit(real);
  b.fit(real);
  CHECK(a.is_private());
  CHECK(a.describe().starts_with("Promise: epsilon 2"));
  CHECK(a.save() != b.save());
  CHECK_FALSE(fitted_privately(real, options).is_private());
}

TEST_CASE("With a large budget what depends on each other is learnt; likelihoods add up and fit the rows") {
  const Table real = pairs(3000);
  const AnyOrderNetwork made = fitted_privately(real, budget(50, 300));
  const Table drawn = made.sample({.rows = 4000, .seed = 1});
  CHECK(share_of_equal(real) == doctest::Approx(0.93).epsilon(0.02));
  CHECK(share_of_equal(drawn) == doctest::Approx(0.93).epsilon(0.06));
  std::vector<Record> all;
  for (const char* a : {"x", "y", "z"})
    for (const char* b : {"x", "y", "z"}) all.push_back({{"a", a}, {"b", b}});
  double sum = 0, equal = 0;
  const Table grid = Table::from_records(real.schema(), all);
  const std::vector<double> likely = made.log_prob(grid);
  for (std::size_t i = 0; i < likely.size(); ++i) {
    sum += std::exp(likely[i]);
    if (i % 4 == 0) equal += std::exp(likely[i]);
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
  CHECK(share_of_equal(drawn) == doctest::Approx(equal).epsilon(0.03));
}

TEST_CASE("Noisy counts of pairs teach what depends on each other before any step of learning") {
  AnyOrderNetworkOptions options = budget(1, 1);
  options.rounds = 30;
  options.rate = 1e-6;
  CHECK(share_of_equal(fitted_privately(pairs(3000), options).sample({.rows = 4000, .seed = 1})) > 0.85);
}

TEST_CASE("Single columns are as frequent as their noisy counts say, however little was learnt") {
  Table real = pairs(3000);
  std::vector<Record> skewed;
  for (std::size_t row = 0; row < real.rows(); ++row)
    if (real.column("a").text_at(row) != "x" || row % 5 == 0) skewed.push_back(real.record(row));
  real = Table::from_records(real.schema(), skewed);
  AnyOrderNetworkOptions options = budget(3, 40);
  options.rate = 0.05;  // so that noise moves it far
  const Table drawn = fitted_privately(real, options).sample({.rows = 8000, .seed = 1});
  for (const char* column : {"a", "b"})
    for (const char* label : {"x", "y", "z"}) {
      const auto share = [&](const Table& table) {
        double out = 0;
        for (std::size_t row = 0; row < table.rows(); ++row)
          out += table.column(column).text_at(row) == label;
        return out / static_cast<double>(table.rows());
      };
      CHECK(std::abs(share(drawn) - share(real)) < 0.035);
    }
}

TEST_CASE("Likelihoods of unnamed labels count the state that they may have come from") {
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::text}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 3000; ++row)
    records.push_back({{"x", row % 3 == 0   ? std::string("often")
                             : row % 3 == 1 ? std::string("also")
                                            : "rare " + std::to_string(row)}});
  const AnyOrderNetwork made = fitted_privately(Table::from_records(schema, records), budget(20, 40));
  const Table drawn = made.sample({.rows = 3000, .seed = 2});
  std::set<std::string> seen;
  double often = 0;
  for (std::size_t row = 0; row < drawn.rows(); ++row)
    if (!drawn.column("x").is_null(row)) {
      seen.emplace(drawn.column("x").text_at(row));
      often += drawn.column("x").text_at(row) == "often";
    }
  CHECK(seen == std::set<std::string>{"also", "often"});  // no single row's label
  const std::vector<Record> two{{{"x", "often"}}, {{"x", "also"}}, {{"x", "rare 2"}}};
  const std::vector<double> likely = made.log_prob(Table::from_records(schema, two));
  CHECK(std::exp(likely[0]) == doctest::Approx(often / 3000).epsilon(0.06));
  CHECK(std::exp(likely[0]) + std::exp(likely[1]) > 0.9);
  CHECK(std::isinf(likely[2]));
}

TEST_CASE("More labels than a variable has classes are told, drawn and scored") {
  Schema schema;
  schema.fields = {{.name = "code", .kind = Kind::category}, {.name = "flag", .kind = Kind::boolean}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 6000; ++row) {
    Random random = Random(1).stream(row);
    const auto code = random.below(600);
    records.push_back({{"code", "c" + std::to_string(code)}, {"flag", code < 300}});
  }
  for (std::size_t code = 0; code < 600; ++code)
    schema.fields[0].categories.push_back("c" + std::to_string(code));
  schema.fields[1].nullable = false;
  const Table real = Table::from_records(schema, records);
  const AnyOrderNetwork made = fitted_privately(real, budget(200, 100));
  const Table drawn = made.sample({.rows = 2000, .seed = 1});
  std::set<std::string> seen;
  for (std::size_t row = 0; row < drawn.rows(); ++row)
    if (!drawn.column("code").is_null(row)) seen.emplace(drawn.column("code").text_at(row));
  CHECK(seen.size() > 400);
  std::vector<Record> all;
  for (std::size_t code = 0; code < 600; ++code)
    for (const bool flag : {false, true})
      all.push_back({{"code", "c" + std::to_string(code)}, {"flag", flag}});
  for (const bool flag : {false, true}) all.push_back({{"code", Value()}, {"flag", flag}});
  double sum = 0;
  for (const double one : made.log_prob(Table::from_records(schema, all))) sum += std::exp(one);
  CHECK(sum == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("Conditions and rules hold, holes are filled, and known cells stay") {
  Table real = patients(1500);
  Schema schema = real.schema();
  std::ranges::find(schema.fields, "age", &Field::name)->maximum = 50;
  std::ranges::find(schema.fields, "age", &Field::name)->minimum = 0;
  std::vector<Record> young;
  for (std::size_t row = 0; row < real.rows(); ++row)
    if (real.column("age").number_at(row) <= 50) young.push_back(real.record(row));
  real = Table::from_records(schema, young);
  AnyOrderNetwork made = fitted_privately(real, budget(10));
  const std::vector<Record> wanted{{{"sex", "male"}}};
  Schema asked;
  asked.fields = {{.name = "sex", .kind = Kind::category}};
  const auto conditions = std::make_shared<Table>(Table::from_records(asked, wanted));
  const Table drawn = made.sample({.rows = 500, .seed = 1, .conditions = conditions});
  for (std::size_t row = 0; row < drawn.rows(); ++row) {
    REQUIRE(drawn.column("sex").text_at(row) == "male");
    if (!drawn.column("age").is_null(row)) REQUIRE(drawn.column("age").number_at(row) <= 50);
  }
  const Table filled = made.impute(real, 1);
  const Column& pressure = filled.column("pressure");
  CHECK(pressure.null_count() == 0);
  for (std::size_t row = 0; row < real.rows(); ++row)
    if (!real.column("pressure").is_null(row))
      REQUIRE(pressure.number_at(row) == real.column("pressure").number_at(row));
  CHECK(nonconformities(made, SampleRequest{.rows = 20, .seed = 1}).empty());
}

TEST_CASE("Likelihoods under rules add up to one, and a total is not drawn until it fits") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::category, .categories = {"x", "y"}},
                   {.name = "b", .kind = Kind::category, .categories = {"x", "y", "z"}},
                   {.name = "ward", .kind = Kind::integer, .minimum = 0, .maximum = 9},
                   {.name = "icu", .kind = Kind::integer, .minimum = 0, .maximum = 9},
                   {.name = "days", .kind = Kind::integer, .minimum = 0, .maximum = 20}};
  for (std::size_t c = 0; c < 4; ++c) schema.fields[c].nullable = false;
  schema.rules = {{.field = "b", .given = "a", .labels = {"x"}, .categories = {"x", "y"}},
                  {.field = "icu", .given = "ward", .relation = "<="}};
  schema.groups = {{.kind = "sum", .fields = {"ward", "icu"}, .total = "days"}};
  std::vector<Record> records, all;
  for (std::size_t row = 0; row < 600; ++row) {
    Random random = Random(4).stream(row);
    const bool is_x = random.uniform() < 0.5;
    const auto ward = static_cast<std::int64_t>(random.below(10));
    const auto icu = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ward) + 1));
    records.push_back({{"a", is_x ? "x" : "y"},
                       {"b", std::string(1, static_cast<char>('x' + random.below(is_x ? 2 : 3)))},
                       {"ward", ward},
                       {"icu", icu},
                       {"days", random.uniform() < 0.1 ? Value() : Value(ward + icu)}});
  }
  AnyOrderNetwork made = fitted_privately(Table::from_records(schema, records), budget(5, 5));
  for (const char* a : {"x", "y"})
    for (const char* b : {"x", "y", "z"})
      for (std::int64_t ward = 0; ward < 10; ++ward)
        for (std::int64_t icu = 0; icu < 10; ++icu)
          for (const Value& days : {Value(), Value(ward + icu), Value(ward + icu + 1)})
            all.push_back({{"a", a}, {"b", b}, {"ward", ward}, {"icu", icu}, {"days", days}});
  const Table rows = Table::from_records(schema, all);
  const std::vector<double> logs = made.log_prob(rows);
  double sum = 0, missing = 0;
  for (std::size_t row = 0; row < logs.size(); ++row) {
    sum += std::exp(logs[row]);
    if (rows.column("days").is_null(row)) missing += std::exp(logs[row]);
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-4));
  constexpr std::size_t kDraws = 10'000;
  const auto drawn =
      static_cast<double>(made.sample({.rows = kDraws, .seed = 1}).column("days").null_count());
  CHECK(std::abs(drawn / kDraws - missing) < 0.015);
}

TEST_CASE("Rows of a person are one unit") {
  AnyOrderNetworkOptions options = budget(5, 30);
  options.privacy->rows_per_person = 2;
  const AnyOrderNetwork made = fitted_privately(pairs(900, true), options);
  CHECK(made.ledger().entries().front().unit ==
        "subject (column 'who'), added or removed, of at most 2 rows");
  for (const PrivateSpending& one : made.spending()) {
    const auto releases = static_cast<double>(one.releases);
    if (one.mechanism == "exponential")
      CHECK(one.rho == doctest::Approx(releases * one.noise * one.noise / 8).epsilon(1e-3));
    else  // a person is in two rows of every histogram
      CHECK(one.noise * one.noise == doctest::Approx(4.0 * releases / (2 * one.rho)).epsilon(1e-3));
  }
  CHECK(AnyOrderNetwork::load(made.save()).save() == made.save());
}

TEST_CASE("A ledger's budget is looked at before the data are") {
  const std::string path = std::filesystem::temp_directory_path() / "synthema_network_ledger.jsonl";
  std::filesystem::remove(path);
  const LedgerFile file(path, PrivacyBudget{3, 1e-5});
  AnyOrderNetworkOptions options = budget(2, 10);
  options.privacy->ledger = path;
  const Table real = pairs(300);
  AnyOrderNetwork network(options);
  NoiseSource noise = NoiseSource::seeded_for_tests(3);
  network.fit(real, noise);
  CHECK(file.read().spent().epsilon == 2);
  const std::string before = network.save();
  NoiseSource other = NoiseSource::seeded_for_tests(3);
  CHECK_THROWS_AS(network.fit(real, other), PrivacyBudgetError);
  CHECK(other.bits() == NoiseSource::seeded_for_tests(3).bits());  // nothing was drawn
  CHECK(network.save() == before);
  std::filesystem::remove(path);
}

TEST_CASE("What cannot be kept or learnt is refused before anything is spent") {
  const std::string path = std::filesystem::temp_directory_path() / "synthema_network_unspent.jsonl";
  std::filesystem::remove(path);
  AnyOrderNetworkOptions options = budget(2, 10);
  options.privacy->ledger = path;
  Schema schema = pairs(10).schema();
  schema.groups = {{.kind = "unique", .fields = {"a"}}};
  const std::vector<Record> rows{{{"a", "x"}, {"b", "x"}}};
  CHECK_THROWS_AS(AnyOrderNetwork(options).fit(Table::from_records(schema, rows)), GenerationError);
  options.privacy->infer = false;
  CHECK_THROWS_WITH_AS(AnyOrderNetwork(options).fit(patients(100)), doctest::Contains("age"), ConfigError);
  CHECK_FALSE(std::filesystem::exists(path));
  NoiseSource noise = NoiseSource::seeded_for_tests(1);
  CHECK_THROWS_AS(AnyOrderNetwork().fit(pairs(100), noise), ConfigError);
  const auto refused = [](auto change) {
    AnyOrderNetworkOptions wrong = budget(1);
    change(*wrong.privacy);
    CHECK_THROWS_AS(AnyOrderNetwork{wrong}, ConfigError);
  };
  refused([](NetworkPrivacy& p) { p.epsilon = 0; });
  refused([](NetworkPrivacy& p) { p.delta = 1; });
  refused([](NetworkPrivacy& p) { p.clip = 0; });
  refused([](NetworkPrivacy& p) { p.sampling_rate = 1.5; });
  refused([](NetworkPrivacy& p) { p.steps = 0; });
  refused([](NetworkPrivacy& p) { p.rows_per_person = 101; });
  refused([](NetworkPrivacy& p) { p.bins = 255; });
  refused([](NetworkPrivacy& p) { p.first_share = 1; });
  refused([](NetworkPrivacy& p) { p.pairs_share = 0; });
  refused([](NetworkPrivacy& p) { p.pairs_share = 0.8; });
}

TEST_CASE("Damaged private files are refused, and so are ledgers that say less than was spent") {
  const std::string file = fitted_privately(pairs(300), budget(4, 10)).save();
  CHECK_THROWS_AS(AnyOrderNetwork::load(file.substr(0, file.size() / 2)), ModelError);
  CHECK_THROWS_AS(AnyOrderNetwork::load(replaced(file, "\\\"ledger\\\"", "\\\"lodger\\\"")), ModelError);
  CHECK_THROWS_AS(AnyOrderNetwork::load(replaced(file, "\\\"private\\\":false", "\\\"private\\\":true ")),
                  ModelError);
  CHECK_THROWS_AS(AnyOrderNetwork::load(replaced(file, "\\\"steps\\\":10", "\\\"steps\\\":11")), ModelError);
}

TEST_CASE("A cancelled private fit keeps what was learnt and says what all of it may cost") {
  std::string phase;
  SUBCASE("of the real rows") {
    phase = "fit";
  }
  SUBCASE("of noisy pairs") {
    phase = "learn pairs";
  }
  const CancelToken cancel;
  AnyOrderNetwork network(budget(2, 100000));
  NoiseSource noise = NoiseSource::seeded_for_tests(1);
  CancelToken stop = cancel;
  const auto stop_learning = [&](const Progress& step) {
    if (step.phase == phase) stop.cancel();
  };
  network.fit(pairs(300), noise, stop_learning, cancel);
  CHECK(network.fitted());
  CHECK(network.ledger().entries().front().steps == 100000);
  CHECK_THROWS_AS(network.fit(pairs(300), noise, {}, cancel), Cancelled);
}
