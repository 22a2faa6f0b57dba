#include <doctest/doctest.h>

#include "check_table.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/column_shapes.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum ColumnMeasure;

namespace {

std::optional<double> measured(ColumnMeasure measure, const Table& real, const Table& synthetic,
                               Convention convention = Convention::synthema) {
  return ColumnFidelity(measure, convention).evaluate(&real, synthetic, {}).value;
}
Table one_column(const std::vector<Value>& values) {
  return column_table(Kind::real, values);
}
Table labels(const std::vector<Value>& values) {
  return column_table(Kind::category, values);
}

}  // namespace

TEST_CASE("numbers: 1 - KS distance; categories: 1 - total variation distance") {
  CHECK(measured(shape, one_column({1.0, 3.0}), one_column({2.0, 4.0})) == 0.5);
  CHECK(measured(shape, one_column({1.0, Value()}), one_column({1.0})) == 1);  // missing values are dropped
  // (1/2, 1/2) against (1/4, 1/2, 1/4).
  CHECK(measured(shape, labels({"a", "b"}), labels({"a", "b", "b", "c"})) == 0.75);
}

TEST_CASE("missing values, boundaries and ranges") {
  CHECK(measured(missing, one_column({1.0, Value()}), one_column({1.0, 2.0, 3.0, Value()})) == 0.75);
  CHECK(measured(boundary_adherence, one_column({1.0, 3.0}), one_column({1.0, 2.0, 3.5, Value()})) ==
        Approx(2.0 / 3));
  // The ends 0 to 1 and 8 to 10 of ten are not reached.
  CHECK(measured(range_coverage, one_column({0.0, 10.0}), one_column({1.0, 8.0})) == Approx(0.7));
  CHECK(measured(range_coverage, one_column({0.0, 10.0}), one_column({-5.0, 15.0})) == 1);
  CHECK_FALSE(measured(range_coverage, one_column({2.0, 2.0}), one_column({2.0})));  // no range to cover
}

TEST_CASE("categories that are covered, and rows that keep to them") {
  const Table real = labels({"a", "b", "c", "d"}), synthetic = labels({"a", "a", "b", "z"});
  CHECK(measured(category_coverage, real, synthetic) == 0.5);
  CHECK(measured(category_adherence, real, synthetic) == 0.75);
}

TEST_CASE("a column that lost all its values is the worst there is, and does not raise the mean") {
  const Table full = one_column({1.0, 3.0}), none = one_column({Value(), Value()});
  const Table named = labels({"a", "b"}), nameless = labels({Value(), Value()});
  for (const ColumnMeasure measure : {shape, boundary_adherence, range_coverage, mean, median, deviation})
    CHECK(measured(measure, full, none) == 0);
  for (const ColumnMeasure measure : {shape, category_coverage, category_adherence, chi_square})
    CHECK(measured(measure, named, nameless) == 0);
  CHECK(measured(jensen_shannon, full, none) == 1);
  CHECK(measured(quantile_mse, full, none) == Approx(0.15));  // as of all in a tenth without real values
  CHECK(measured(quantile_mse, full, one_column({2.0, 2.0})) == Approx(0.15));
  CHECK(measured(missing, full, none) == 0);
  CHECK_FALSE(measured(wasserstein, full, none));                       // has no bound
  CHECK_FALSE(measured(range_coverage, one_column({2.0, 2.0}), none));  // no range to cover
  CHECK_FALSE(measured(shape, none, none));                             // nothing was lost
  CHECK_FALSE(measured(shape, full, none, Convention::sdmetrics));      // which leaves it out
  const Score score = ColumnFidelity(shape).evaluate(&full, none, {});
  CHECK(score.parts.at(0).note.starts_with("no synthetic values"));
  const Schema two{.fields = {{.name = "x", .kind = Kind::real}, {.name = "y", .kind = Kind::real}}};
  const Table real =
      Table::from_records(two, std::vector<Record>{{{"x", 1.0}, {"y", 2.0}}, {{"x", 2.0}, {"y", 3.0}}});
  const Table wiped = Table::from_records(two, std::vector<Record>{{{"x", 1.0}}, {{"x", 2.0}}});
  CHECK(measured(shape, real, wiped) == 0.5);
  const Score far = ColumnFidelity(wasserstein).evaluate(&real, wiped, {});
  CHECK(far.value == 0);
  REQUIRE(far.warnings.size() == 1);
  CHECK(far.warnings[0].find("1 column without synthetic values") != std::string::npos);
}

TEST_CASE("sdmetrics' own numbers") {
  CHECK(*measured(shape, labels({"a", "a"}), labels({"a", "c"}), Convention::sdmetrics) < 0.5 + 1e-6);
  CHECK(*measured(shape, labels({"a", "a"}), labels({"a", "c"}), Convention::sdmetrics) > 0.5);
  // A missing synthetic value is out of bounds where the real column has none.
  CHECK(measured(boundary_adherence, one_column({1.0, 3.0}), one_column({2.0, Value()}),
                 Convention::sdmetrics) == 0.5);
}

TEST_CASE("which columns are compared") {
  const Schema real_schema{.fields = {{.name = "id", .kind = Kind::integer, .roles = {Role::identifier}},
                                      {.name = "age", .kind = Kind::integer},
                                      {.name = "note"}}};
  const Schema other_schema{
      .fields = {{.name = "id", .kind = Kind::integer}, {.name = "age", .kind = Kind::real}}};
  const Table real =
      Table::from_records(real_schema, std::vector<Record>{{{"id", 1}, {"age", 4}, {"note", "a"}}});
  const Table other = Table::from_records(other_schema, std::vector<Record>{{{"id", 2}, {"age", 4.0}}});
  const Score score = ColumnFidelity(shape).evaluate(&real, other, {});
  REQUIRE(score.parts.size() == 1);  // an integer and a real column are both numbers
  CHECK(score.parts[0].name == "age");
  CHECK(score.value == 1);
}

TEST_CASE("times with a zone are not compared with times without") {
  const auto times = [](const std::string& zone) {
    std::vector<Column> columns;
    columns.push_back(Column::times(Buffer<std::int64_t>::from({0, 1, 2}), zone));
    return Table({.fields = {{.name = "x", .kind = Kind::time}}}, std::move(columns));
  };
  CHECK(measured(shape, times("UTC"), times("Europe/Berlin")) == 1);  // instants, both
  CHECK(measured(shape, times(""), times("")) == 1);
  CHECK_FALSE(measured(shape, times("UTC"), times("")));
}

TEST_CASE("ceiling, promises, and no real table") {
  const Table real = one_column({1.0, 2.0, 3.0, 4.0});
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(one_column({1.0, 2.0}));
  CHECK(ColumnFidelity(shape).evaluate(&real, real, context).ceiling->value == 0.5);
  for (const ColumnMeasure measure :
       {shape, missing, boundary_adherence, range_coverage, wasserstein, jensen_shannon, kl_synthetic_to_real,
        kl_real_to_synthetic, mean, median, deviation})
    CHECK(nonconformities(ColumnFidelity(measure), &real, real, context).empty());
  const Table labels = column_table(Kind::category, {"a", "b", "a", Value()});
  for (const ColumnMeasure measure : {category_coverage, category_adherence, jensen_shannon,
                                      kl_synthetic_to_real, kl_real_to_synthetic, chi_square})
    CHECK(nonconformities(ColumnFidelity(measure), &labels, labels.head(3), {}).empty());
  CHECK_FALSE(ColumnFidelity(shape).evaluate(nullptr, real, {}).value);
  CHECK_FALSE(measured(category_coverage, real, real));  // numbers have no categories
}

namespace {

// Value of one column of numbers or labels.
std::optional<double> of(ColumnMeasure measure, Kind kind, const std::vector<Value>& real,
                         const std::vector<Value>& synthetic, Convention convention = Convention::synthema) {
  const Table r = column_table(kind, real);
  return ColumnFidelity(measure, convention).evaluate(&r, column_table(kind, synthetic), {}).value;
}

}  // namespace

TEST_CASE("distances of distributions: by hand, and the check values of SDMetrics") {
  using enum ColumnMeasure;
  const std::vector<Value> x{1.0, 2.0, 2.5, 3.0, 4.5, 5.0, 6.0, 7.5},
      y{1.5, 2.0, 3.5, 4.0, 4.0, 6.5, 8.0, 9.0};
  const std::vector<Value> d{"u", "v", "u", "v", "u", "v", "u", "u"},
      e{"u", "u", "v", "v", "u", "v", "v", "u"};
  CHECK(of(mean, Kind::real, x, y) == doctest::Approx(.8653846153846154));
  CHECK(of(deviation, Kind::real, x, y) == doctest::Approx(.9164555020404435));
  CHECK(of(median, Kind::real, x, y) == doctest::Approx(1 - 0.25 / 6.5));
  CHECK(of(chi_square, Kind::category, d, e, Convention::sdmetrics) == doctest::Approx(.7962534147376392));
  // None is a category there; the value is CSTest's of SDMetrics 0.32.
  const auto times = [](std::vector<Value> of, std::initializer_list<std::size_t> counts) {
    std::vector<Value> out;
    for (std::size_t i = 0; i < of.size(); ++i) out.insert(out.end(), counts.begin()[i], of[i]);
    return out;
  };
  CHECK(of(chi_square, Kind::category, times({"a", "b", Value()}, {50, 30, 20}),
           times({"a", "b", Value()}, {30, 40, 5}),
           Convention::sdmetrics) == doctest::Approx(0.8648621186286306).epsilon(1e-12));
  // (5, 3) against (4, 4): 2 (1/9 + 1/7) / ... = 16/63 at one degree of freedom.
  CHECK(of(chi_square, Kind::category, d, e) == doctest::Approx(std::erfc(std::sqrt(16.0 / 63 / 2))));
  CHECK(of(chi_square, Kind::category, d, d) == doctest::Approx(1));
  CHECK(of(wasserstein, Kind::real, {0.0, 1.0}, {1.0, 2.0}) == doctest::Approx(1));
  CHECK(of(wasserstein, Kind::real, {0.0, 10.0}, {0.0, 10.0}) == 0.0);
  CHECK_FALSE(of(wasserstein, Kind::real, {1.0, 1.0}, {1.0, 2.0}));
  CHECK(of(jensen_shannon, Kind::category, {"a"}, {"b"}) == doctest::Approx(1));
  CHECK(of(jensen_shannon, Kind::category, d, d) == 0.0);
  // One label each, others empty: shares (1.5, 0.5) / 2 and back.
  const double kl = 0.75 * std::log(3) + 0.25 * std::log(1 / 3.0);
  CHECK(of(kl_synthetic_to_real, Kind::category, {"a"}, {"b"}) == doctest::Approx(kl));
  CHECK(of(kl_real_to_synthetic, Kind::category, {"a"}, {"b"}) == doctest::Approx(kl));
  CHECK(of(kl_real_to_synthetic, Kind::category, d, d) == 0.0);
}

TEST_CASE("chi-square of many categories, both ways of computing its tail") {
  std::vector<Value> r, s;
  for (int label = 0; label < 6; ++label)
    for (int i = 0; i < 30; ++i) {
      r.emplace_back(std::string(1, static_cast<char>('a' + label)));
      if (i < 30 - 4 * label) s.emplace_back(std::string(1, static_cast<char>('a' + label)));
    }
  // scipy.stats.chi2_contingency of the two rows of counts (30 six times; 30, 26, 22, 18, 14, 10)
  CHECK(of(ColumnMeasure::chi_square, Kind::category, r, s) ==
        doctest::Approx(0.12244291234645432).epsilon(1e-9));
}

TEST_CASE("check values of synthcity and syntheval") {
  using enum ColumnMeasure;
  const Table all_r = check_real(), all_s = check_synthetic();
  const std::vector<std::string> three{"x", "y", "c"};
  const Table r = all_r.select(three), s = all_s.select(three);
  const auto as = [](ColumnMeasure measure, Convention convention, const Table& real,
                     const Table& synthetic) {
    CHECK(nonconformities(ColumnFidelity(measure, convention), &real, synthetic, {}).empty());
    return *ColumnFidelity(measure, convention).evaluate(&real, synthetic, {}).value;
  };
  CHECK(as(kl_real_to_synthetic, Convention::synthcity, r, s) == doctest::Approx(.3656368231));
  CHECK(as(chi_square, Convention::synthcity, r, s) == doctest::Approx(.3265271817));
  CHECK(as(jensen_shannon, Convention::synthcity, r, s) == doctest::Approx(.0369880974));
  CHECK(as(quantile_mse, Convention::syntheval, all_r, all_s) == doctest::Approx(.0175));
  CHECK(as(ColumnMeasure::mean, Convention::syntheval, all_r, all_s) == doctest::Approx(.0625));
  CHECK(of(ColumnMeasure::shape, Kind::real, {1.0, 2.0, 3.0}, {2.0, 3.0, 4.0}, Convention::syntheval) ==
        doctest::Approx(1.0 / 3));
  CHECK(of(ColumnMeasure::shape, Kind::category, {"a", "b", "b"}, {"b"}, Convention::syntheval) == 0.3333);
  CHECK(of(ColumnMeasure::mean, Kind::real, {1.0, 3.0}, {1.0, 5.0}, Convention::syntheval) ==
        doctest::Approx(0.25));
  // Its inverse divergence is the better the higher, and the ranks of few labels are compared, not the
  // labels.
  CHECK(ColumnFidelity(kl_real_to_synthetic, Convention::synthcity).direction() == Direction::higher);
  CHECK(ColumnFidelity(kl_real_to_synthetic).direction() == Direction::lower);
  const std::vector<Value> a{"a", "a", "a", "b"}, b{"b", "b", "b", "a"};
  CHECK(of(kl_real_to_synthetic, Kind::category, a, b, Convention::synthcity) == doctest::Approx(1));
  // What is not there in one of the tables, or is constant, or missing.
  CHECK(of(chi_square, Kind::real, {1.0, 1.0}, {1.0, 1.0}, Convention::synthcity) == 0);
  CHECK(of(jensen_shannon, Kind::real, {1.0, 1.0}, {1.0, 1.0}, Convention::synthcity) == doctest::Approx(0));
  CHECK_FALSE(of(chi_square, Kind::real, {1.0, Value()}, {1.0, 2.0}, Convention::synthcity));
  CHECK_THROWS_AS(ColumnFidelity(wasserstein, Convention::synthcity), ConfigError);
  CHECK_THROWS_AS(ColumnFidelity(jensen_shannon, Convention::syntheval), ConfigError);
}

TEST_CASE("what is grossly wrong with a column is said beside its distance, and of fresh rows nothing") {
  const auto note = [](const Table& real, const Table& synthetic) {
    return ColumnFidelity(shape).evaluate(&real, synthetic, {}).parts.at(0).note;
  };
  const auto many = [](Kind kind, std::size_t rows, auto&& value) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < rows; ++i) values.push_back(value(i));
    return column_table(kind, values);
  };
  const auto years = [&](std::size_t rows, double times) {
    return many(Kind::real, rows, [&](std::size_t i) { return times * (20 + static_cast<double>(i % 60)); });
  };
  CHECK(note(years(120, 1), years(60, 1)).empty());
  CHECK(note(years(120, 1), years(60, 1.5)).empty());  // half of them are within
  CHECK(note(years(120, 1), years(60, 365)) ==
        "no value within the real range; the median is 365 times the real one");
  CHECK(note(years(120, 365), years(60, 1)) ==
        "no value within the real range; the real median is 365 times as large");
  CHECK(note(years(120, 1), years(60, 5)) == "no value within the real range");
  CHECK(note(years(120, 1), years(4, 365)).empty());  // too few to say
  const Table empty = many(Kind::real, 90, [](std::size_t) { return Value(); });
  CHECK(note(years(120, 1), empty) == "no synthetic values: the worst there is");
  const auto mostly = [&](std::size_t others) {
    return many(Kind::real, 100, [&](std::size_t i) { return i < others ? static_cast<double>(i) : 0.0; });
  };
  const Table zeros = many(Kind::real, 40, [](std::size_t) { return 0.0; });
  CHECK(note(mostly(40), zeros) == "one value in all rows, where the real ones vary");
  CHECK(note(mostly(10), zeros).empty());
  const auto wards = [&](std::size_t rows, std::size_t labels, const std::string& prefix) {
    return many(Kind::category, rows, [&](std::size_t i) { return prefix + std::to_string(i % labels); });
  };
  CHECK(note(wards(100, 4, "w"), wards(50, 4, "w")).empty());
  CHECK(note(wards(100, 4, "w"), wards(50, 1, "w")) == "one value in all rows, where the real ones vary");
  CHECK(note(wards(100, 4, "w"), wards(50, 4, "W")) == "no label of the real rows");
  CHECK(note(wards(100, 100, "w"), wards(50, 50, "W")).empty());  // nearly everybody has his own
  CHECK(note(wards(100, 1, "w"), wards(50, 1, "w")).empty());
}
