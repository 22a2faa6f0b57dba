#include <doctest/doctest.h>

#include "src/evaluate/association.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/column_pairs.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table two(Kind a, Kind b, const std::vector<std::pair<Value, Value>>& rows) {
  std::vector<Record> records;
  for (const auto& [x, y] : rows) records.push_back({{"x", x}, {"y", y}});
  return Table::from_records({.fields = {{.name = "x", .kind = a}, {.name = "y", .kind = b}}}, records);
}
Table numbers(const std::vector<std::pair<Value, Value>>& rows) {
  return two(Kind::real, Kind::real, rows);
}
std::optional<double> alike(const Table& real, const Table& synthetic,
                            Correlation kind = Correlation::pearson) {
  return ColumnPairs(kind).evaluate(&real, synthetic, {}).value;
}

}  // namespace

TEST_CASE("two numbers: half the difference of their correlations") {
  const Table rising = numbers({{1.0, 1.0}, {2.0, 2.0}, {3.0, 3.0}});
  const Table falling = numbers({{1.0, 3.0}, {2.0, 2.0}, {3.0, 1.0}});
  const Table none = numbers({{1.0, 1.0}, {2.0, 0.0}, {3.0, 1.0}});
  CHECK(alike(rising, rising) == 1);
  CHECK(alike(rising, falling) == 0.0);
  CHECK(alike(rising, none) == Approx(0.5));
  // Ranks see a straight line where Pearson sees a bend: 1 against 0.9607.
  const Table bent = numbers({{1.0, 1.0}, {2.0, 2.0}, {3.0, 10.0}});
  CHECK(alike(rising, bent, Correlation::spearman) == Approx(1));
  CHECK(*alike(rising, bent) < 0.96);
  // A row with either value missing does not take part.
  CHECK(alike(rising, numbers({{1.0, 1.0}, {2.0, 2.0}, {9.0, Value()}})) == Approx(1));
}

TEST_CASE("a column that lost all its values has no dependence that could be alike") {
  const Table rising = numbers({{1.0, 1.0}, {2.0, 2.0}, {3.0, 3.0}});
  const Table wiped = numbers({{1.0, Value()}, {2.0, Value()}, {3.0, Value()}});
  const Score score = ColumnPairs().evaluate(&rising, wiped, {});
  CHECK(score.value == 0);
  CHECK(score.parts.at(0).note.starts_with("no synthetic values"));
  CHECK_FALSE(alike(wiped, rising));  // nothing was lost
}

TEST_CASE("otherwise: joint cells") {
  const Table real = two(Kind::category, Kind::category, {{"a", "u"}, {"a", "u"}, {"b", "v"}, {"b", "v"}});
  const Table mixed = two(Kind::category, Kind::category, {{"a", "u"}, {"a", "v"}, {"b", "u"}, {"b", "v"}});
  CHECK(alike(real, mixed) == 0.5);  // (1/2, 0, 0, 1/2) against four quarters
  const Table gap = two(Kind::category, Kind::category, {{"a", "u"}, {"a", "u"}, {"b", "v"}, {"b", Value()}});
  CHECK(alike(real, gap) == 0.75);  // missing is a cell of its own
  // A number is cut at the real column's ten bins, the outer ones open: 0 and -7 fall into the first.
  const Table cut = two(Kind::real, Kind::category, {{0.0, "u"}, {10.0, "v"}});
  CHECK(alike(cut, two(Kind::real, Kind::category, {{-7.0, "u"}, {99.0, "v"}})) == 1);
  CHECK(alike(cut, two(Kind::real, Kind::category, {{2.0, "u"}, {10.0, "v"}})) == 0.5);
}

TEST_CASE("cells that are too many for a field of all of them are counted alike") {
  constexpr int kLabels = 300;
  std::vector<std::pair<Value, Value>> own, shifted;
  for (int i = 0; i < kLabels; ++i) {
    const Value a(std::to_string(i)), b(std::to_string((i + 1) % kLabels));
    own.insert(own.end(), {{a, a}, {a, b}});
    shifted.insert(shifted.end(), {{a, b}, {b, a}});
  }
  const Table real = two(Kind::category, Kind::category, own);
  CHECK(alike(real, real) == Approx(1));
  CHECK(alike(real, two(Kind::category, Kind::category, shifted)) == Approx(0.5));
}

TEST_CASE("the ceiling is the holdout in the columns that it shares") {
  const auto three = [](const char* c, const std::vector<std::string>& rows) {
    std::vector<Record> records;
    for (const std::string& row : rows)
      records.push_back({{"a", row.substr(0, 1)}, {"b", row.substr(1, 1)}, {c, row.substr(2, 1)}});
    return Table::from_records({.fields = {{.name = "a", .kind = Kind::category},
                                           {.name = "b", .kind = Kind::category},
                                           {.name = c, .kind = Kind::category}}},
                               records);
  };
  const Table real = three("c", {"uux", "vvy"});
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(three("other", {"uvx", "vuy"}));
  const Score score = ColumnPairs().evaluate(&real, real, context);
  CHECK(score.value == 1);
  CHECK(score.parts.size() == 3);
  REQUIRE(score.ceiling);
  CHECK(score.ceiling->value == 0);  // a x b, the only pair of both
}

TEST_CASE("a synthetic column that is constant has the correlation 0") {
  const Table rising = numbers({{1.0, 1.0}, {2.0, 2.0}, {3.0, 3.0}});
  const Table flat = numbers({{1.0, 5.0}, {2.0, 5.0}, {3.0, 5.0}});
  for (const Correlation kind : {Correlation::pearson, Correlation::spearman})
    CHECK(alike(rising, flat, kind) == Approx(0.5));
  CHECK(ColumnPairs().evaluate(&rising, flat, {}).parts.at(0).note == detail::kNoDependence);
  CHECK_FALSE(alike(flat, rising));
}

TEST_CASE("a constant column has no correlation, and is said to have none") {
  const Table constant = numbers({{1.0, 1.0}, {1.0, 2.0}});
  const Score score = ColumnPairs().evaluate(&constant, constant, {});
  CHECK_FALSE(score.value);
  CHECK(score.parts[0].note == "undefined: a column is constant or has no values");
  CHECK_FALSE(ColumnPairs().evaluate(nullptr, constant, {}).value);
}

TEST_CASE("the evaluator keeps its promises") {
  const Table real = numbers({{1.0, 2.0}, {2.0, 1.0}, {3.0, 5.0}});
  CHECK(nonconformities(ColumnPairs(), &real, numbers({{1.0, 2.0}, {2.0, 2.5}}), {}).empty());
}
