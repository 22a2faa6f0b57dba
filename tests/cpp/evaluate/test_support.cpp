#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "check_table.hpp"
#include "dependent_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/support.hpp"
#include "synthema/learn/mixed_distance.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum SupportMeasure;

namespace {

constexpr SupportMeasure kAll[] = {precision,       recall,      density,     coverage,
                                   alpha_precision, beta_recall, authenticity};

double value(SupportMeasure m, const Table& real, const Table& synthetic, Convention convention,
             std::size_t k) {
  return *Support(m, convention, k).evaluate(&real, synthetic, {}).value;
}

}  // namespace

TEST_CASE("check values of prdc and of synthcity") {
  const std::vector<std::string> three{"x", "y", "c"};
  const Table real = check_real().select(three), synthetic = check_synthetic().select(three);
  const auto of = [&](SupportMeasure m) { return value(m, real, synthetic, Convention::synthcity, 2); };
  CHECK(of(precision) == 1);
  CHECK(of(recall) == 1);
  CHECK(of(density) == 1.5625);
  CHECK(of(coverage) == 1);
  CHECK(of(alpha_precision) == Approx(.7988505747).epsilon(1e-9));
  CHECK(of(beta_recall) == Approx(.8135057471).epsilon(1e-9));
  CHECK(of(authenticity) == .375);
}

TEST_CASE("one column of numbers: Gower's and Euclid's balls are the same") {
  // All values within one range, so that no distance is cut at 1.
  const auto column = [](std::size_t rows, std::uint64_t seed) {
    std::vector<Value> values{0.0, 1.0};
    Random random(seed);
    for (std::size_t i = 0; i < rows; ++i) values.emplace_back(random.uniform() * random.uniform());
    return column_table(Kind::real, values);
  };
  const Table real = column(150, 1), synthetic = column(120, 2);
  for (const auto measure : {precision, recall, density, coverage})
    CHECK(value(measure, real, synthetic, Convention::synthema, 5) ==
          Approx(value(measure, real, synthetic, Convention::synthcity, 5)).epsilon(1e-12));
}

TEST_CASE("balls and nearest rows by brute force on mixed columns") {
  const Table real = dependent_rows(170, 1), synthetic = dependent_rows(140, 2);
  const Table* scale[] = {&real};
  std::vector<std::string> names;
  for (const Field& field : real.schema().fields) names.push_back(field.name);
  MixedSpace space(scale, names);
  const MixedRows r = space.encode(real), s = space.encode(synthetic);
  constexpr std::size_t k = 3;
  const auto kth = [&](const MixedRows& rows, std::size_t row, std::size_t number) {
    std::vector<double> all;
    for (std::size_t i = 0; i < rows.rows; ++i)
      if (i != row) all.push_back(space.distance(rows.row(row), rows.row(i)));
    std::sort(all.begin(), all.end());
    return all[number - 1];
  };
  // Rows at the radius of a ball share what is left of its k.
  const auto weight = [&](std::size_t ball, double distance) {
    const double radius = kth(r, ball, k);
    if (distance != radius) return distance < radius ? 1.0 : 0.0;
    double left = k, tied = 0;
    for (std::size_t i = 0; i < r.rows; ++i)
      if (i != ball) {
        const double other = space.distance(r.row(ball), r.row(i));
        left -= other < radius ? 1 : 0;
        tied += other == radius ? 1 : 0;
      }
    return left / tied;
  };
  double inside = 0, balls = 0, covered = 0, reached = 0, authentic = 0;
  for (std::size_t j = 0; j < s.rows; ++j) {
    double holding = 0, least = 2;
    for (std::size_t i = 0; i < r.rows; ++i) {
      const double d = space.distance(r.row(i), s.row(j));
      holding += weight(i, d);
      least = std::min(least, d);
    }
    inside += holding > 0;
    balls += holding / k;
    double tied = 0, farther = 0;  // nearest rows at one distance share the row
    for (std::size_t i = 0; i < r.rows; ++i) {
      if (space.distance(r.row(i), s.row(j)) != least) continue;
      const double own = kth(r, i, 1);
      tied += 1;
      farther += least > own ? 1 : least == own ? 0.5 : 0;
    }
    authentic += farther / tied;
  }
  for (std::size_t i = 0; i < r.rows; ++i) {
    bool any = false, in_ball = false;
    for (std::size_t j = 0; j < s.rows; ++j) {
      const double d = space.distance(r.row(i), s.row(j));
      any = any || d <= kth(r, i, k);
      in_ball = in_ball || d <= kth(s, j, k);
    }
    covered += any;
    reached += in_ball;
  }
  const auto of = [&](SupportMeasure m) { return value(m, real, synthetic, Convention::synthema, k); };
  CHECK(of(precision) == Approx(inside / 140));
  CHECK(of(density) == Approx(balls / 140));
  CHECK(of(authenticity) == Approx(authentic / 140));
  CHECK(of(coverage) == Approx(covered / 170));
  CHECK(of(recall) == Approx(reached / 170));
}

TEST_CASE("copies, fresh rows and independent columns are ranked") {
  const Table real = dependent_rows(500, 1), fresh = dependent_rows(500, 2);
  const Table loose = detail::independent_marginals(real, 3);
  // Nearly every row lies within reach of some row: precision and recall cannot rank these.
  for (const auto measure : {density, coverage, beta_recall})
    CHECK(value(measure, real, fresh, Convention::synthema, 5) >
          value(measure, real, loose, Convention::synthema, 5) + 0.1);
  CHECK(value(authenticity, real, real, Convention::synthema, 5) == 0);
  CHECK(value(authenticity, real, fresh, Convention::synthema, 5) == Approx(0.5).epsilon(0.2));
  CHECK(value(beta_recall, real, fresh, Convention::synthema, 5) == Approx(0.5).epsilon(0.2));
  CHECK(value(alpha_precision, real, real, Convention::synthema, 5) == Approx(1));
  CHECK(value(alpha_precision, real, fresh, Convention::synthema, 5) > 0.9);
  CHECK(value(alpha_precision, real, dependent_rows(500, 2, 2), Convention::synthema, 5) < 0.5);
}

TEST_CASE("a fresh sample of a small domain and constant rows are within reach") {
  Random random(4);
  const auto sample = [&](std::size_t rows, std::size_t labels) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < rows; ++i)
      values.emplace_back(std::string(1, static_cast<char>('a' + random.below(labels))));
    return column_table(Kind::category, values);
  };
  for (const std::size_t labels : {std::size_t{1}, std::size_t{3}}) {
    const Table real = sample(300, labels), fresh = sample(240, labels), held = sample(260, labels);
    EvaluationContext context;
    context.holdout = std::make_shared<Table>(held);
    for (const auto measure : kAll) {
      const Score score = Support(measure).evaluate(&real, fresh, context);
      CAPTURE(score.name);
      const bool half = measure == authenticity;
      for (const double one : {*score.value, score.ceiling->value, score.floor->value})
        CHECK(one == Approx(half ? 0.5 : 1).epsilon(measure == density || half ? 0.02 : 0.1));
    }
    CHECK_FALSE(Support(beta_recall).evaluate(&real, fresh, {}).ceiling);  // 0.5 only where nothing repeats
    // A label that no real row has is out of reach.
    const Table strange = column_table(Kind::category, std::vector<Value>(50, std::string("z")));
    for (const auto measure : {precision, recall, density, coverage})
      CHECK(value(measure, real, strange, Convention::synthema, 5) == 0);
    CHECK(value(authenticity, real, strange, Convention::synthema, 5) == 1);
    // The libraries' balls are open.
    CHECK(value(precision, real, fresh, Convention::synthcity, 5) == 0);
  }
}

TEST_CASE("whichever of several nearest rows comes first, the score is the same") {
  Random random(7);
  const auto sample = [&](std::size_t rows) {
    Schema schema;
    for (const char* name : {"a", "b", "c", "d"})
      schema.fields.push_back({.name = name, .kind = Kind::integer});
    std::vector<Record> records(rows);
    for (Record& record : records)
      for (const Field& field : schema.fields)
        record.set(field.name, static_cast<std::int64_t>(random.below(4)));
    return Table::from_records(schema, records);
  };
  const Table real = sample(80), synthetic = sample(60);
  std::vector<std::size_t> backwards(real.rows()), others(synthetic.rows());
  std::iota(backwards.rbegin(), backwards.rend(), std::size_t{0});
  std::iota(others.rbegin(), others.rend(), std::size_t{0});
  const Table turned = real.take(backwards), turned_synthetic = synthetic.take(others);
  for (const auto measure : kAll)
    CHECK(value(measure, turned, turned_synthetic, Convention::synthema, 5) ==
          Approx(value(measure, real, synthetic, Convention::synthema, 5)).epsilon(1e-12));
}

TEST_CASE("promises of support are kept") {
  const Table real = dependent_rows(60, 1), synthetic = dependent_rows(50, 2);
  for (const auto measure : kAll) {
    CHECK(nonconformities(Support(measure), &real, synthetic, {}) == std::vector<std::string>{});
    CHECK_FALSE(Support(measure).evaluate(&real, synthetic.head(3), {}).undefined.empty());
    CHECK(Support(measure, Convention::synthcity).evaluate(&real, synthetic, {}).undefined ==
          "The convention knows no missing values.");
  }
  CHECK_THROWS_AS(Support(coverage, Convention::synthema, 0), ConfigError);
}
