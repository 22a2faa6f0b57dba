// Differentially private marginals: the budget, what is told, what is kept, what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "generate/tabular_tables.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/tabular/private_marginals.hpp"
#include "synthema/privacy/calibration.hpp"

using namespace synthema;
using testing::patients;

namespace {

// What the schema of the patients could state without any of them.
Table stated(const Table& table) {
  Schema schema = table.schema();
  const auto field = [&](const char* name) -> Field& {
    return *std::ranges::find(schema.fields, name, &Field::name);
  };
  field("age").minimum = 18, field("age").maximum = 100;
  field("sex").categories = {"female", "male"};
  field("pressure").minimum = 50, field("pressure").maximum = 250, field("pressure").decimals = 1;
  field("score").minimum = 0, field("score").maximum = 100;
  field("visit").minimum = 17000 * 86400e6, field("visit").maximum = 20000 * 86400e6;
  field("ward").kind = Kind::category;
  field("ward").categories = {"A", "B", "C", "D", "E"};
  for (Field& one : schema.fields) one.nullable = one.name == "pressure";
  std::vector<Column> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    if (!schema.fields[c].categories.empty()) {
      ColumnBuilder builder(schema.fields[c]);
      for (std::size_t row = 0; row < table.rows(); ++row) builder.append(table.column(c).value_at(row));
      columns.push_back(builder.finish());
    } else {
      columns.push_back(table.column(c));
    }
  }
  return {schema, std::move(columns)};
}

PrivateMarginals fitted(const Table& real, PrivateMarginalsOptions options = {}, std::uint64_t seed = 1) {
  options.threads = 1;
  PrivateMarginals out(options);
  NoiseSource noise = NoiseSource::seeded_for_tests(seed);
  out.fit(real, noise);
  return out;
}

double share(const Table& table, const char* a, const Value& x, const char* b, const Value& y) {
  double n = 0;
  for (std::size_t row = 0; row < table.rows(); ++row)
    n += table.column(a).value_at(row).display() == x.display() &&
         table.column(b).value_at(row).display() == y.display();
  return n / static_cast<double>(table.rows());
}

std::shared_ptr<Table> condition(const char* name, Kind kind, Value value) {
  Schema schema;
  schema.fields = {{.name = name, .kind = kind}};
  const std::vector<Record> rows{{{name, value}}};
  return std::make_shared<Table>(Table::from_records(schema, rows));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  return text.replace(at, from.size(), to);
}

Table labels(const std::vector<std::string>& values) {
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::category}};
  std::vector<Record> records;
  for (const std::string& value : values) records.push_back({{"x", value}});
  return Table::from_records(schema, records);
}

}  // namespace

TEST_CASE("rho is what the accountant allows, rounded to the side of more noise") {
  for (const double epsilon : {0.1, 1.0, 3.0, 10.0}) {
    const double rho = concentrated_budget(epsilon, 1e-6);
    CHECK(epsilon_of_rho(rho, 1e-6) <= epsilon);
    CHECK(epsilon_of_rho(rho * 1.001, 1e-6) > epsilon);
    CHECK(rho ==
          doctest::Approx(1 / (2 * std::pow(noise_multiplier({epsilon, 1e-6}, Accounting::renyi), 2))));
  }
}

TEST_CASE("Each release has the noise that its part of rho says, and nothing is spent twice") {
  NoiseSource noise = NoiseSource::seeded_for_tests(4);
  PrivateBudget budget(0.5, 2, noise);
  std::vector<double> counts(20000);
  const double sigma = budget.measure(counts, 0.1, "counts");
  CHECK(sigma == doctest::Approx(2 / std::sqrt(0.2)).epsilon(1e-6));  // sensitivity / sqrt(2 rho)
  CHECK(sigma >= 2 / std::sqrt(0.2));
  double square = 0;
  for (const double count : counts) square += count * count;
  CHECK(std::sqrt(square / 20000) == doctest::Approx(sigma).epsilon(0.02));
  const std::vector<double> scores{0, 0, 100000};
  CHECK(budget.choose(scores, 0.1, 1, "choice") == 2);
  CHECK(budget.spending()[1].noise == doctest::Approx(std::sqrt(0.8)));  // epsilon^2 / 8 = rho
  CHECK(budget.left() == doctest::Approx(0.3));
  CHECK_THROWS_AS(budget.measure(counts, 0.31, "too much"), ConfigError);
}

TEST_CASE("A fit spends its rho and no more, and its ledger says what") {
  const PrivateMarginals made = fitted(patients(2000), {.epsilon = 2});
  const double rho = concentrated_budget(2, 1e-6 * 0.9);  // a tenth of delta is for labels that nobody named
  double spent = 0, delta = 0;
  for (const PrivateSpending& one : made.spending()) spent += one.rho, delta += one.delta;
  CHECK(spent <= rho * (1 + 1e-6));
  CHECK(spent > 0.99 * rho);
  CHECK(delta == doctest::Approx(1e-7));
  REQUIRE(made.ledger().entries().size() == 1);
  CHECK(made.ledger().spent() == PrivacyBudget{2, 1e-6});
  CHECK(made.ledger().entries()[0].unit == "row, added or removed");
}

TEST_CASE("The target's first counts get as much as those of four columns") {
  const auto counts = [](const PrivateMarginals& made, std::string_view column) {
    const std::string released = message("labels above a threshold: ", column);
    return *std::ranges::find(made.spending(), released, &PrivateSpending::released);
  };
  const PrivateMarginals none = fitted(patients(2000)), ward = fitted(patients(2000), {.target = "ward"});
  CHECK(counts(none, "ward").rho == doctest::Approx(counts(none, "sex").rho));
  CHECK(counts(ward, "ward").rho == doctest::Approx(4 * counts(ward, "sex").rho));
  CHECK(counts(ward, "ward").noise == doctest::Approx(counts(ward, "sex").noise / 2).epsilon(1e-3));
}

TEST_CASE("Test noise repeats and says that it is not private, also in the file; other noise does not") {
  const Table real = patients(600);
  PrivateMarginals test = fitted(real, {}, 9), again = fitted(real, {}, 9);
  CHECK(test.save() == again.save());
  CHECK_FALSE(test.is_private());
  CHECK(test.describe().starts_with("NOT PRIVATE"));
  CHECK_FALSE(PrivateMarginals::load(test.save()).is_private());
  PrivateMarginals one, other;
  one.fit(real);
  other.fit(real);
  CHECK(one.is_private());
  CHECK(one.describe().starts_with("Promise: epsilon 1"));
  CHECK(one.save() != other.save());
}

TEST_CASE("It keeps the promises of a generator, conditions hold, and it loads as it was saved") {
  PrivateMarginals made = fitted(patients(3000), {.epsilon = 5});
  CHECK(made.untold().empty());
  CHECK(nonconformities(made, {.rows = 300, .seed = 3}).empty());
  const PrivateMarginals loaded = PrivateMarginals::load(made.save());
  CHECK(loaded.save() == made.save());
  for (const auto& conditions : {std::shared_ptr<Table>(), condition("sex", Kind::category, "male"),
                                 condition("age", Kind::integer, 40)}) {
    const SampleRequest request{.rows = 300, .seed = 3, .conditions = conditions};
    const Table rows = made.sample(request);
    CHECK(content_digest(rows) == content_digest(loaded.sample(request)));
    if (conditions)
      for (std::size_t row = 0; row < 300; ++row)
        CHECK(rows.column(conditions->schema().fields[0].name).value_at(row).display() ==
              conditions->column(0).value_at(0).display());
  }
  // Conditions pull the others along: 60 % of men smoke, 10 % of women.
  const Table men = made.sample({.rows = 2000, .conditions = condition("sex", Kind::category, "male")});
  const Table women = made.sample({.rows = 2000, .conditions = condition("sex", Kind::category, "female")});
  CHECK(share(men, "smoker", true, "smoker", true) > 0.5);
  CHECK(share(women, "smoker", true, "smoker", true) < 0.2);
  CHECK_THROWS_AS(made.sample({.rows = 1, .conditions = condition("sex", Kind::category, "other")}),
                  GenerationError);
}

TEST_CASE("With a large epsilon, pairs come out nearly as they are, in the kinds and steps of the columns") {
  const Table real = stated(patients(4000));
  const PrivateMarginals made = fitted(real, {.epsilon = 1000});
  const Table rows = made.sample({.rows = 20000, .seed = 1});
  for (const char* ward : {"A", "B", "C", "D"})
    CHECK(share(rows, "ward", ward, "sex", "male") ==
          doctest::Approx(share(real, "ward", ward, "sex", "male")).epsilon(0.1));
  for (const bool smokes : {true, false})
    for (const char* sex : {"female", "male"})
      CHECK(std::abs(share(rows, "smoker", smokes, "sex", sex) - share(real, "smoker", smokes, "sex", sex)) <
            0.012);
  CHECK(share(rows, "ward", "E", "ward", "E") < 0.001);  // stated, but nobody's
  double days = 0, tenths = 0, missing = 0, low = 1e9, old = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    days += rows.column("visit").integers()[row] % 86400000000 == 0;
    low = std::min(low, rows.column("age").number_at(row));
    old += rows.column("age").number_at(row) > 80;
    if (rows.column("pressure").is_null(row)) {
      missing += 1;
      continue;
    }
    const double p = rows.column("pressure").number_at(row) * 10;
    tenths += std::abs(p - std::nearbyint(p)) < 1e-6;
  }
  CHECK(days == 20000);
  CHECK(tenths + missing == 20000);
  CHECK(missing / 20000 == doctest::Approx(0.1).epsilon(0.15));
  CHECK(low >= 18);
  CHECK(old < 100);
}

TEST_CASE("Samples have the marginals of the model") {
  const PrivateMarginals made = fitted(stated(patients(1500)), {.epsilon = 3});
  const Table rows = made.sample({.rows = 20000, .seed = 2});
  const std::size_t sex = 1, smoker = 5;  // no column before them is left out of the model
  const std::vector<double> p = made.model().pairs_with(sex)[smoker];
  const std::size_t smokers = made.model().sizes()[smoker];
  CHECK(std::abs(share(rows, "sex", "female", "smoker", true) - p[1]) < 0.012);
  CHECK(std::abs(share(rows, "sex", "male", "smoker", false) - p[smokers]) < 0.012);
}

TEST_CASE("Likelihoods of all rows that there may be sum to one, pooled labels included") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::category},
                   {.name = "b", .kind = Kind::boolean},
                   {.name = "x", .kind = Kind::integer, .minimum = 0, .maximum = 9}};
  std::vector<Record> records;
  for (int i = 0; i < 3000; ++i) {
    const std::string label =
        i % 10 == 0 ? message("rare ", i) : std::string(1, static_cast<char>('a' + i % 3));
    records.push_back({{"a", label}, {"b", i % 3 == 0}, {"x", i % 7}});
  }
  const PrivateMarginals made = fitted(Table::from_records(schema, records), {.epsilon = 3});
  std::vector<Record> all;
  for (const Value& a : {Value("a"), Value("b"), Value("c"), Value()})
    for (const Value& b : {Value(true), Value(false), Value()})
      for (int x = 0; x <= 10; ++x) all.push_back({{"a", a}, {"b", b}, {"x", x == 10 ? Value() : Value(x)}});
  double sum = 0, likeliest = -1e9;
  for (const double log : made.log_prob(Table::from_records(schema, all))) {
    sum += std::exp(log);
    likeliest = std::max(likeliest, log);
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-9));
  CHECK(likeliest < std::log(0.2));
  const std::vector<Record> never{{{"a", "rare 10"}, {"b", true}, {"x", 1}},
                                  {{"a", "a"}, {"b", true}, {"x", 10}}};
  for (const double log : made.log_prob(Table::from_records(schema, never))) CHECK(std::isinf(log));
}

TEST_CASE("A label of one person passes the threshold with probability below delta, frequent ones pass") {
  const double delta = 1e-3;
  int told = 0, frequent = 0;
  constexpr int kFits = 1500;
  std::vector<std::string> values(400, "common");
  values.push_back("canary");  // the neighbour has no such row
  const Table table = labels(values);
  std::vector<std::size_t> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  for (std::uint64_t seed = 0; seed < kFits; ++seed) {
    NoiseSource noise = NoiseSource::seeded_for_tests(seed);
    PrivateBudget budget(0.02, 1, noise);
    const PrivateDomain domain =
        discover_domain(table, rows, {.column_rho = 0.02, .threshold_delta = delta}, budget);
    const auto& found = domain.columns[0].coding.labels;
    told += std::ranges::find(found, "canary") != found.end();
    frequent += std::ranges::find(found, "common") != found.end();
  }
  CHECK(told <= 8);  // 1.5 expected at most; more than 8 has a probability below 1e-4
  CHECK(frequent == kFits);
  CHECK(unnamed_label_columns(table.schema()) == 1);
}

TEST_CASE("A range takes in what lies beside what is clearly there, and noise seldom widens it") {
  // 0 to 4, each of 100 people, in cells of 0, 1, 2 to 3 and 4 to 7, under noise of standard deviation 41.
  Schema schema;
  schema.fields = {{.name = "x", .kind = Kind::integer, .nullable = false}};
  std::vector<Record> records;
  for (std::int64_t i = 0; i < 500; ++i) records.push_back({{"x", i % 5}});
  const Table table = Table::from_records(schema, records);
  std::vector<std::size_t> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  constexpr int kFits = 400;
  int told = 0, wide = 0, lost = 0, negative = 0;  // lost: of the five numbers
  for (std::uint64_t seed = 0; seed < kFits; ++seed) {
    NoiseSource noise = NoiseSource::seeded_for_tests(seed);
    PrivateBudget budget(0.0027, 1, noise);
    const PrivateColumn column = discover_domain(table, rows, {.column_rho = 0.0027}, budget).columns[0];
    if (!column.modelled()) continue;
    const double lowest = column.coding.number(column.coding.values.front()),
                 highest = column.coding.number(column.coding.values.back());
    ++told;
    wide += lowest < -1 || highest > 7;
    negative += lowest < 0;
    for (int x = 0; x < 5; ++x) lost += x < lowest || x > highest;
  }
  CHECK(told > kFits / 2);
  CHECK(lost < told);  // of 5 * told; the clear cells alone lose three
  CHECK(wide < told / 10);
  CHECK(negative <= told / 50);  // a weak sign is enough for a larger number, not for one of the other sign
}

TEST_CASE("Nothing of single people is in the file, nor what the table's dictionary lists") {
  Schema schema;
  schema.fields = {{.name = "id", .kind = Kind::text, .roles = {Role::identifier}},
                   {.name = "code", .kind = Kind::category},
                   {.name = "x", .kind = Kind::integer}};
  std::vector<Record> records;
  for (int i = 0; i < 3000; ++i)
    records.push_back({{"id", "patient-" + std::to_string(10000 + i)},
                       {"code", i == 7  ? "canaryjones"
                                : i % 2 ? "often"
                                        : "usual"},
                       {"x", i == 7 ? 987654321 : i % 50}});
  const Table real = unstated(Table::from_records(schema, records));
  for (const std::uint64_t seed : {1, 2, 3}) {
    const PrivateMarginals made = fitted(real, {.epsilon = 8}, seed);
    const std::string file = made.save();
    CHECK(file.find("often") != std::string::npos);
    CHECK(file.find("canaryjones") == std::string::npos);
    CHECK(file.find("patient-") == std::string::npos);
    // Noise stretches the range to the next power of two or two in one fit of fifteen. Beyond 2^20, where
    // only the canary is, it makes a cell with a neighbour, or one alone, in one fit of 20,000: with none of
    // these seeds.
    const Table rows = made.sample({.rows = 2000, .seed = 1});
    std::int64_t highest = 0;
    for (std::size_t row = 0; row < rows.rows(); ++row)
      if (!rows.column("x").is_null(row)) highest = std::max(highest, rows.column("x").integers()[row]);
    CHECK(highest >= 32);
    CHECK(highest < 1 << 20);
  }
}

TEST_CASE("A rule that leaves only what noise hid ends the fit, and not the first sample") {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category, .categories = {"female", "male"}},
                   {.name = "x", .kind = Kind::integer}};
  schema.rules = {{.field = "x", .given = "sex", .labels = {"male"}, .minimum = 100000}};
  std::vector<Record> records;
  for (std::int64_t i = 0; i < 2000; ++i)
    records.push_back({{"sex", i % 2 ? "male" : "female"}, {"x", i < 8 ? 200000 + i : 1 + i % 4}});
  const Table real = Table::from_records(schema, records);
  CHECK_THROWS_WITH_AS(fitted(real, {.epsilon = 0.3}), doctest::Contains("found out with noise"),
                       GenerationError);
  // Stated ranges are known without noise.
  schema.fields[1].minimum = 0, schema.fields[1].maximum = 300000;
  CHECK(fitted(Table::from_records(schema, records), {.epsilon = 0.3}).sample({.rows = 20}).rows() == 20);
}

TEST_CASE("A person's rows are bounded, and the noise grows with them") {
  Schema schema;
  schema.fields = {{.name = "who", .kind = Kind::integer, .roles = {Role::subject}},
                   {.name = "ill", .kind = Kind::boolean}};
  std::vector<Record> records;
  for (int i = 0; i < 4000; ++i) records.push_back({{"who", i < 2000 ? 0 : i}, {"ill", i < 2000}});
  const Table real = Table::from_records(schema, records);
  const PrivateMarginals one = fitted(real, {.epsilon = 20});
  CHECK(one.ledger().entries()[0].unit == "subject (column 'who'), added or removed, of at most 1 row");
  CHECK(one.ledger().entries()[0].sensitivity == 1);
  CHECK(one.model().total() == doctest::Approx(2001).epsilon(0.02));
  const Table rows = one.sample({.rows = 1000, .seed = 1});
  CHECK(share(rows, "ill", true, "ill", true) < 0.02);  // half of the rows, but one person
  CHECK(rows.column("who").integers()[3] == 4);
  const PrivateMarginals five = fitted(real, {.epsilon = 20, .rows_per_person = 5});
  CHECK(five.ledger().entries()[0].sensitivity == 5);
  CHECK(five.spending()[0].noise == doctest::Approx(5 * one.spending()[0].noise).epsilon(1e-6));
}

TEST_CASE("However many rounds are asked for and rows a person has, no noise is beyond what can be drawn") {
  Schema schema;
  schema.fields = {{.name = "who", .kind = Kind::integer, .roles = {Role::subject}},
                   {.name = "ill", .kind = Kind::boolean, .nullable = false},
                   {.name = "old", .kind = Kind::boolean, .nullable = false}};
  std::vector<Record> records;
  for (int i = 0; i < 600; ++i) records.push_back({{"who", i / 3}, {"ill", i % 2 == 0}, {"old", i % 3 == 0}});
  const Table real = Table::from_records(schema, records);
  const PrivateMarginals made = fitted(real, {.epsilon = 3, .rows_per_person = 300, .rounds = 1000000});
  for (const PrivateSpending& one : made.spending())
    if (one.mechanism == "discrete Gaussian") CHECK(one.noise * one.noise <= 0x1p30);
  CHECK(made.sample({.rows = 10, .seed = 1}).rows() == 10);
}

TEST_CASE("Dates of the next century are told, and a stated end may lie beyond all cells that are tried") {
  constexpr std::int64_t kDay = 86400000000;
  const auto days_of = [&](std::int64_t first, std::optional<std::int64_t> lowest,
                           std::optional<std::int64_t> highest) {
    Schema schema;
    schema.fields = {{.name = "visit", .kind = Kind::time, .nullable = false}};
    if (lowest) schema.fields[0].minimum = static_cast<double>(*lowest * kDay);
    if (highest) schema.fields[0].maximum = static_cast<double>(*highest * kDay);
    std::vector<Record> records;
    for (int i = 0; i < 2000; ++i) records.push_back({{"visit", Timestamp{(first + i % 200) * kDay}}});
    const Table rows =
        fitted(Table::from_records(schema, records), {.epsilon = 5}).sample({.rows = 300, .seed = 1});
    std::pair<std::int64_t, std::int64_t> out{std::numeric_limits<std::int64_t>::max(), 0};
    for (const std::int64_t time : rows.column("visit").integers()) {
      out.first = std::min(out.first, time / kDay);
      out.second = std::max(out.second, time / kDay);
    }
    return out;
  };
  const auto shifted = days_of(65800, std::nullopt, std::nullopt);  // 2150
  CHECK(shifted.first >= 65700);
  CHECK(shifted.second < 66300);
  CHECK(days_of(120600, 120532, std::nullopt) == std::pair<std::int64_t, std::int64_t>(120532, 120532));
  CHECK(days_of(-47700, std::nullopt, -47400).first == -47400);  // in 1839 and before 1841
}

TEST_CASE("A shared ledger adds up and refuses, before the table is looked at") {
  const auto path = std::filesystem::temp_directory_path() / "synthema_private_marginals.ledger";
  std::filesystem::remove(path);
  const LedgerFile file(path.string(), PrivacyBudget{2.5, 1e-5});
  const Table real = patients(300);
  const PrivateMarginalsOptions options{.epsilon = 1, .ledger = path.string()};
  PrivateMarginals first = fitted(real, options), second = fitted(real, options);
  CHECK(file.read().spent().epsilon == doctest::Approx(2));
  CHECK(file.read().spent().delta == doctest::Approx(2e-6));
  const std::string before = second.save();
  NoiseSource noise = NoiseSource::seeded_for_tests(3);
  CHECK_THROWS_AS(second.fit(real, noise), PrivacyBudgetError);
  CHECK(noise.bits() == NoiseSource::seeded_for_tests(3).bits());  // nothing was drawn
  CHECK(second.save() == before);
  CHECK(file.read().entries().size() == 2);
  std::filesystem::remove(path);
}

TEST_CASE("Damaged files are refused, and so are ledgers that were removed or made smaller") {
  const PrivateMarginals made = fitted(patients(500), {.epsilon = 4});
  const std::string file = made.save();
  CHECK_THROWS_AS(PrivateMarginals::load(file.substr(0, file.size() / 2)), ModelError);
  CHECK_THROWS_AS(PrivateMarginals::load(replaced(file, "\\\"ledger\\\"", "\\\"lodger\\\"")), ModelError);
  CHECK_THROWS_AS(PrivateMarginals::load(replaced(file, "\\\"private\\\":false", "\\\"private\\\":true ")),
                  ModelError);
  CHECK_THROWS_WITH_AS(
      PrivateMarginals::load(replaced(file, "\\\"epsilon\\\":4.0,\\\"delta\\\":1e-06,\\\"released",
                                      "\\\"epsilon\\\":1.0,\\\"delta\\\":1e-06,\\\"released")),
      doctest::Contains("changed after it was saved"), ModelError);
}

TEST_CASE("What the schema leaves open is refused by name where nothing may be inferred") {
  const Table real = patients(200);
  CHECK_THROWS_WITH_AS(fitted(real, {.infer = false}), doctest::Contains("age"), ConfigError);
  CHECK_NOTHROW(fitted(stated(real), {.infer = false}));
  CHECK_THROWS_WITH_AS(fitted(real, {.target = "nothing"}), doctest::Contains("nothing"), ConfigError);
  CHECK_THROWS_AS(PrivateMarginals({.epsilon = 0}), ConfigError);
  CHECK_THROWS_AS(PrivateMarginals({.delta = 1}), ConfigError);
  CHECK_THROWS_AS(PrivateMarginals({.rows_per_person = 0}), ConfigError);
}

TEST_CASE("What would stop a fit is found before it is in the ledger; a tiny epsilon gives few rounds") {
  const auto path = std::filesystem::temp_directory_path() / "synthema_private_marginals_refused.ledger";
  std::filesystem::remove(path);
  const LedgerFile file(path.string());
  const PrivateMarginalsOptions options{.epsilon = 0.01, .ledger = path.string()};
  Table real = labels({"a", "b", "c"});
  Schema schema = real.schema();
  schema.fields[0].categories = {"a", "b"};
  CHECK_THROWS_WITH_AS(fitted(Table(schema, {real.column(0)}), options), doctest::Contains("not among"),
                       SchemaError);
  const std::vector<Record> holes{{{"x", "a"}}, {{"x", Value()}}};
  Table with_hole = Table::from_records(real.schema(), holes);
  schema.fields[0].nullable = false;
  CHECK_THROWS_WITH_AS(fitted(Table(schema, {with_hole.column(0)}), options), doctest::Contains("missing"),
                       SchemaError);
  CHECK_THROWS_AS(
      fitted(patients(100),
             {.epsilon = 0.001, .rows_per_person = 1, .first_share = 1e-6, .ledger = path.string()}),
      ConfigError);
  CHECK(file.read().entries().empty());
  const PrivateMarginals made = fitted(stated(patients(500)), options);
  CHECK(made.sample({.rows = 10, .seed = 1}).rows() == 10);
  CHECK(file.read().entries().size() == 1);
  std::filesystem::remove(path);
}

TEST_CASE("Rules of the schema hold in every row") {
  Schema schema;
  schema.fields = {{.name = "from", .kind = Kind::integer, .minimum = 0, .maximum = 31, .nullable = false},
                   {.name = "to", .kind = Kind::integer, .minimum = 0, .maximum = 63, .nullable = false}};
  schema.rules = {{.field = "to", .given = "from", .relation = ">="}};
  std::vector<Record> records;
  for (int i = 0; i < 1000; ++i) records.push_back({{"from", i % 32}, {"to", i % 32 + i % 7}});
  const PrivateMarginals made = fitted(Table::from_records(schema, records), {.epsilon = 1});
  const Table rows = made.sample({.rows = 1000, .seed = 1});
  for (std::size_t row = 0; row < 1000; ++row)
    CHECK(rows.column("to").integers()[row] >= rows.column("from").integers()[row]);
}

TEST_CASE("Tables without rows, constant and empty columns give a sensible model") {
  Schema schema;
  schema.fields = {{.name = "one", .kind = Kind::integer},
                   {.name = "none", .kind = Kind::real},
                   {.name = "label", .kind = Kind::text},
                   {.name = "flag", .kind = Kind::boolean}};
  const Table empty = Table::from_records(schema, {});
  const PrivateMarginals made = fitted(empty);
  CHECK(made.untold() == std::vector<std::string>{"one", "none", "label"});
  CHECK(made.sample({.rows = 5, .seed = 1}).column("one").null_count() == 5);
  CHECK(PrivateMarginals::load(made.save()).untold() == made.untold());
  std::vector<Record> records;
  for (int i = 0; i < 2000; ++i)
    records.push_back({{"one", 1}, {"none", Value()}, {"label", "same"}, {"flag", true}});
  const Table rows = fitted(Table::from_records(schema, records), {.epsilon = 20}).sample({.rows = 200});
  CHECK(share(rows, "one", 1, "label", "same") > 0.97);
}

TEST_CASE("A total follows from its parts, which stay as they are") {
  Schema schema;
  schema.fields = {{.name = "days", .kind = Kind::integer, .minimum = 0, .maximum = 40, .nullable = false},
                   {.name = "ward", .kind = Kind::integer, .minimum = 0, .maximum = 20, .nullable = false},
                   {.name = "icu", .kind = Kind::integer, .minimum = 0, .maximum = 20, .nullable = false}};
  schema.groups = {{.kind = "sum", .fields = {"ward", "icu"}, .total = "days"}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < 1500; ++row) {
    Random random = Random(6).stream(row);
    const auto count = [&](int most) {
      std::int64_t out = 0;
      for (int i = 0; i < most; ++i) out += random.uniform() < 0.25;
      return out;
    };
    const std::int64_t ward = count(16), icu = random.uniform() < 0.8 ? 0 : count(12);
    records.push_back({{"days", ward + icu}, {"ward", ward}, {"icu", icu}});
  }
  const Table real = Table::from_records(schema, records);
  const PrivateMarginals model = fitted(real, {.epsilon = 10});
  const auto at = [](const Table& table, const char* name, std::size_t row) {
    return table.column(name).integers()[row];
  };
  const auto zero = [&](const Table& table) {
    double out = 0;
    for (std::size_t row = 0; row < table.rows(); ++row) out += at(table, "icu", row) == 0;
    return out / static_cast<double>(table.rows());
  };
  const Table made = model.sample({.rows = 4000, .seed = 1});
  double ward = 0, real_ward = 0;
  for (std::size_t row = 0; row < made.rows(); ++row) {
    REQUIRE(at(made, "ward", row) + at(made, "icu", row) == at(made, "days", row));
    ward += static_cast<double>(at(made, "ward", row)) / 4000;
  }
  for (std::size_t row = 0; row < real.rows(); ++row)
    real_ward += static_cast<double>(at(real, "ward", row)) / 1500;
  CHECK(zero(made) == doctest::Approx(zero(real)).epsilon(0.06));
  CHECK(ward == doctest::Approx(real_ward).epsilon(0.06));

  // Where the total is fixed the last part follows.
  const Table fixed =
      model.sample({.rows = 500, .seed = 1, .conditions = condition("days", Kind::integer, std::int64_t{6})});
  for (std::size_t row = 0; row < fixed.rows(); ++row) {
    CHECK(at(fixed, "days", row) == 6);
    CHECK(at(fixed, "ward", row) + at(fixed, "icu", row) == 6);
    CHECK(at(fixed, "icu", row) >= 0);
  }

  // log_prob: all rows that keep the sum have a probability of one together, the others of none.
  std::vector<Record> all;
  for (std::int64_t i = 0; i <= 20; ++i)
    for (std::int64_t k = 0; k <= 20; ++k) all.push_back({{"days", i + k}, {"ward", i}, {"icu", k}});
  double sum = 0;
  for (const double one : model.log_prob(Table::from_records(schema, all))) sum += std::exp(one);
  CHECK(sum == doctest::Approx(1).epsilon(0.01));
  const std::vector<Record> broken{
      {{"days", std::int64_t{5}}, {"ward", std::int64_t{2}}, {"icu", std::int64_t{2}}}};
  CHECK(std::isinf(model.log_prob(Table::from_records(schema, broken))[0]));
}
