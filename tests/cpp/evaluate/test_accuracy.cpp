#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <set>
#include <string>

#include "synthema/core/random.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/accuracy.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table toy(const std::string& c, const std::string& d, const std::vector<Value>& x) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < c.size(); ++i)
    records.push_back({{"c", std::string(1, c[i])}, {"d", std::string(1, d[i])}, {"x", x[i]}});
  return Table::from_records({.fields = {{.name = "c", .kind = Kind::category},
                                         {.name = "d", .kind = Kind::category},
                                         {.name = "x", .kind = Kind::real}}},
                             records);
}
const std::vector<Value> kNumbers{1.0, 2.0, 2.5, 3.0, 4.5, 5.0, 6.0, 7.5};
Table real() {
  return toy("aaabbbcc", "uvuvuvuu", kNumbers);
}
Table synthetic() {
  return toy("aabbbccd", "uuvvuvvu", kNumbers);
}
Score accuracy(AccuracyOf of, const Table& r, const Table& s) {
  return Accuracy(of).evaluate(&r, s, {});
}
// Three columns of eight letters, independent of each other; a subject's rows are all the same.
Table letters(std::size_t rows, std::size_t of_subject, Random& random) {
  std::vector<Record> records;
  std::string abc = "abc";
  for (std::size_t row = 0; row < rows; ++row) {
    if (row % of_subject == 0)
      for (char& c : abc) c = static_cast<char>('a' + random.below(8));
    records.push_back({{"a", abc.substr(0, 1)},
                       {"b", abc.substr(1, 1)},
                       {"c", abc.substr(2, 1)},
                       {"subject", std::to_string(row / of_subject)}});
  }
  return Table::from_records({.fields = {{.name = "a", .kind = Kind::category},
                                         {.name = "b", .kind = Kind::category},
                                         {.name = "c", .kind = Kind::category},
                                         {.name = "subject", .roles = {Role::subject}}}},
                             records);
}

}  // namespace

TEST_CASE("what the four measures share changes none of them") {
  const Table r = real(), s = synthetic();
  EvaluationContext shared;
  shared.shared = std::make_shared<SharedWork>();
  using enum AccuracyOf;
  for (const Convention convention : {Convention::synthema, Convention::mostlyai})
    for (const AccuracyOf of : {overall, columns, pairs, triples}) {
      const Accuracy measure(of, convention);
      CHECK(to_json(measure.evaluate(&r, s, shared)) == to_json(measure.evaluate(&r, s, {})));
    }
}

TEST_CASE("the check values of mostlyai-qa, its rare labels kept") {
  const Table r = real(), s = synthetic();
  const Score columns = accuracy(AccuracyOf::columns, r, s), pairs = accuracy(AccuracyOf::pairs, r, s);
  CHECK(part_of(columns, "c") == Approx(0.875));
  CHECK(part_of(pairs, "c x d") == Approx(0.625));
  const Table two = column_table(Kind::real, {1.0, 2.0});  // of each cell sqrt(2/pi (1/8 + 1/8))
  const Score half_normal = Accuracy(AccuracyOf::columns, Convention::mostlyai).evaluate(&two, two, {});
  CHECK(half_normal.ceiling->value == Approx(0.60106));
}

TEST_CASE("identity is perfect, and independent columns are the floor of dependent ones") {
  const Table r = real();
  for (const AccuracyOf of :
       {AccuracyOf::overall, AccuracyOf::columns, AccuracyOf::pairs, AccuracyOf::triples})
    CHECK(accuracy(of, r, r).value == Approx(1));
  const Table same = toy("aabb", "uuvv", {1.0, 1.0, 2.0, 2.0});
  // (2, 0, 0, 2) against Poisson counts of mean 1: E|X - 2| = 6/e - 1, E|X| = 1.
  CHECK(accuracy(AccuracyOf::pairs, same, same).floor->value == Approx(1 - 3 / (2 * std::numbers::e)));
  CHECK_FALSE(accuracy(AccuracyOf::columns, same, same).floor);
  std::vector<std::size_t> often(40000);
  for (std::size_t i = 0; i < often.size(); ++i) often[i] = i % 4;
  const Table many = same.take(often);  // where noise is small: (1/2, 0, 0, 1/2) against four quarters
  CHECK(accuracy(AccuracyOf::pairs, many, many).floor->value == Approx(0.5));
  CHECK(accuracy(AccuracyOf::triples, many, many).floor->value == Approx(0.25));
}

TEST_CASE("fresh rows reach the ceiling, which is the floor where columns are independent") {
  Random random(3);
  constexpr int kRepeats = 20;
  for (const std::size_t rows : {60U, 300U, 2000U}) {
    double mean = 0, floor = 0, ceiling = 0, held = 0;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      const Table real = letters(rows, 1, random), fresh = letters(rows, 1, random);
      const Score score = accuracy(AccuracyOf::triples, real, fresh);
      EvaluationContext with_holdout;
      with_holdout.holdout = std::make_shared<Table>(letters(rows / 3, 1, random));
      mean += *score.value / kRepeats;
      floor += score.floor->value / kRepeats;
      ceiling += score.ceiling->value / kRepeats;
      held += Accuracy(AccuracyOf::triples).evaluate(&real, fresh, with_holdout).ceiling->value / kRepeats;
    }
    CAPTURE(rows);
    CHECK(std::abs(floor - mean) < 0.05);
    CHECK(std::abs(ceiling - mean) < 0.03);
    CHECK(std::abs(held - mean) < 0.03);
  }
}

TEST_CASE("rows of one subject are no fresh rows: the ceiling is what as many other subjects reach") {
  Random random(4);
  constexpr int kRepeats = 20;
  double mean = 0, floor = 0, ceiling = 0, of_rows = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const Table real = letters(600, 5, random);
    const Score score = accuracy(AccuracyOf::pairs, real, letters(600, 5, random));
    mean += *score.value / kRepeats;
    floor += score.floor->value / kRepeats;
    ceiling += score.ceiling->value / kRepeats;
    of_rows += accuracy(AccuracyOf::pairs, real.select(std::vector<std::string>{"a", "b", "c"}), real)
                   .ceiling->value /
               kRepeats;
    CHECK(score.ceiling->source == "parts, by subject, of 600 real rows, brought to 600 rows");
  }
  CHECK(std::abs(floor - mean) < 0.05);
  CHECK(std::abs(ceiling - mean) < 0.03);
  CHECK(of_rows > mean + 0.1);
}

TEST_CASE(
    "fresh rows that are fewer or more than the real ones reach the ceiling too, whatever the holdout") {
  Random random(7);
  constexpr int kRepeats = 10;
  for (const auto& [rows, drawn] : {std::pair(1000U, 100U), std::pair(1000U, 400U), std::pair(200U, 2000U)}) {
    double mean = 0, ceiling = 0, held = 0;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      const Table real = letters(rows, 1, random), fresh = letters(drawn, 1, random);
      EvaluationContext context;
      context.holdout = std::make_shared<Table>(letters(rows, 1, random));
      const Score score = accuracy(AccuracyOf::triples, real, fresh);
      mean += *score.value / kRepeats;
      ceiling += score.ceiling->value / kRepeats;
      held += Accuracy(AccuracyOf::triples).evaluate(&real, fresh, context).ceiling->value / kRepeats;
    }
    CAPTURE(drawn);
    CHECK(std::abs(ceiling - mean) < 0.03);
    CHECK(std::abs(held - mean) < 0.03);
  }
}

TEST_CASE("the ceiling names the holdout's rows, and knows a holdout that differs") {
  Random random(5);
  const Table real = letters(600, 1, random), fresh = letters(600, 1, random);
  EvaluationContext context;
  context.holdout = std::make_shared<Table>(letters(300, 1, random));
  const Score score = Accuracy(AccuracyOf::pairs).evaluate(&real, fresh, context);
  CHECK(score.ceiling->source == "holdout, 300 real rows, brought to 600 rows");
  context.holdout = std::make_shared<Table>(real.take(std::vector<std::size_t>(600, 0)));  // one row, often
  const Score other = Accuracy(AccuracyOf::pairs).evaluate(&real, fresh, context);
  CHECK(other.ceiling->source == "holdout, 600 real rows");
  CHECK(other.ceiling->value < 0.1);
}

TEST_CASE("missing and unseen are cells; numbers beyond the ends fall into the outer cells") {
  const Table r = column_table(Kind::category, {"a", "a", Value(), Value()});
  CHECK(accuracy(AccuracyOf::columns, r, column_table(Kind::category, {"a", "b"})).value == Approx(0.5));
  CHECK(accuracy(AccuracyOf::columns, r, column_table(Kind::category, {"a", Value()})).value == Approx(1));
  const Table n = column_table(Kind::real, {1.0, 2.0});
  CHECK(accuracy(AccuracyOf::columns, n, column_table(Kind::real, {-9.0, 99.0})).value == Approx(1));
  CHECK(accuracy(AccuracyOf::columns, n, column_table(Kind::real, {1.5, 99.0})).value == Approx(1));
  std::vector<Value> many, halves;
  for (int i = 0; i <= 1000; ++i) many.emplace_back(static_cast<double>(i));
  for (int i = 0; i < 100; ++i) halves.emplace_back(static_cast<double>(i));  // the lowest tenth only
  const double value =
      *accuracy(AccuracyOf::columns, column_table(Kind::real, many), column_table(Kind::real, halves)).value;
  CHECK(value == Approx(0.1).epsilon(0.01));
}

TEST_CASE("triples are drawn where there are too many, and the seed says which") {
  std::vector<Field> fields;
  Record record;
  for (int i = 0; i < 20; ++i) {
    fields.push_back({.name = "x" + std::to_string(i), .kind = Kind::integer});
    record.set(fields.back().name, i);
  }
  const Table table = Table::from_records({.fields = fields}, std::vector<Record>(3, record));
  const Score score = Accuracy(AccuracyOf::triples, Convention::synthema, 50).evaluate(&table, table, {});
  CHECK(score.value == Approx(1));
  CHECK(score.parts.size() == 50);
  CHECK(score.warnings.at(0) == "Of all triples 50 were drawn by the seed.");
  // All but one of the 56 triples of eight columns.
  std::vector<std::string> eight;
  for (int i = 0; i < 8; ++i) eight.push_back("x" + std::to_string(i));
  const Table few = table.select(eight);
  const Score most = Accuracy(AccuracyOf::triples, Convention::synthema, 55).evaluate(&few, few, {});
  std::set<std::string> different;
  for (const auto& part : most.parts) different.insert(part.name);
  CHECK(different.size() == 55);
}

TEST_CASE("the evaluators keep their promises and refuse foreign conventions") {
  const Table r = real(), s = synthetic();
  for (const AccuracyOf of :
       {AccuracyOf::overall, AccuracyOf::columns, AccuracyOf::pairs, AccuracyOf::triples})
    for (const Convention convention : {Convention::synthema, Convention::mostlyai})
      CHECK(nonconformities(Accuracy(of, convention), &r, s, {}).empty());
  CHECK_THROWS_AS(Accuracy(AccuracyOf::pairs, Convention::sdmetrics), ConfigError);
  CHECK_FALSE(
      accuracy(AccuracyOf::pairs, column_table(Kind::real, {1.0}), column_table(Kind::real, {1.0})).value);
}
