#include <doctest/doctest.h>

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

}  // namespace

TEST_CASE("the check values of mostlyai-qa, its rare labels kept") {
  const Table r = real(), s = synthetic();
  const Score columns = accuracy(AccuracyOf::columns, r, s), pairs = accuracy(AccuracyOf::pairs, r, s);
  CHECK(part_of(columns, "c") == Approx(0.875));
  CHECK(columns.parts[0].note == "expected of a sample of this size 0.72049");
  CHECK(part_of(pairs, "c x d") == Approx(0.625));
  CHECK(pairs.parts[0].note == "expected of a sample of this size 0.60894");
}

TEST_CASE("identity is perfect, and independent columns are the floor of dependent ones") {
  const Table r = real();
  for (const AccuracyOf of :
       {AccuracyOf::overall, AccuracyOf::columns, AccuracyOf::pairs, AccuracyOf::triples})
    CHECK(accuracy(of, r, r).value == Approx(1));
  const Table same = toy("aabb", "uuvv", {1.0, 1.0, 2.0, 2.0});
  const Score pairs = accuracy(AccuracyOf::pairs, same, same);
  CHECK(pairs.floor->value == Approx(0.5));  // (1/2, 0, 0, 1/2) against four quarters
  CHECK(accuracy(AccuracyOf::triples, same, same).floor->value == Approx(0.25));
  CHECK_FALSE(accuracy(AccuracyOf::columns, same, same).floor);
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
