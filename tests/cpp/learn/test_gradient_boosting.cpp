#include <doctest/doctest.h>

#include <cmath>

#include "learn/tables.hpp"
#include "synthema/learn/gradient_boosting.hpp"
#include "synthema/learn/learner.hpp"
#include "synthema/learn/prediction_metrics.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Predictor fit(const Table& table, const std::string& target, const BoostingOptions& options = {},
              std::size_t threads = 1) {
  const TargetColumn read(table, target);
  return boosted_trees(options).fit(
      {&table, feature_columns(table.schema(), target), &read, Random(3), threads});
}
double area(const Predictor& model, const Table& table) {
  return *auroc(model(table).column(1), TargetColumn(table, "y").of(table).values);
}

}  // namespace

TEST_CASE("two classes: what made the labels is learnt, on rows that were not seen") {
  const Predictor model = fit(testing::coloured(4000, 1), "y");
  const Table fresh = testing::coloured(4000, 2);
  // The best possible order of these rows is by their true chance: about 0.86.
  CHECK(area(model, fresh) > 0.82);
  CHECK(area(model, fresh) < 0.9);
  CHECK(*calibration_error(model(fresh).column(1), TargetColumn(fresh, "y").of(fresh).values) < 0.06);
}

TEST_CASE("the model does not depend on threads, nor without early stopping on the order of rows") {
  const Table table = testing::coloured(3000, 1), fresh = testing::coloured(500, 2);
  std::vector<std::size_t> backwards;
  for (std::size_t row = table.rows(); row-- > 0;) backwards.push_back(row);
  const auto values = fit(table, "y")(fresh).values;
  CHECK(values == fit(table, "y", {}, 3)(fresh).values);
  CHECK(values == fit(table.take(backwards), "y")(fresh).values);
}

TEST_CASE("a number: the training error falls with every round towards nothing") {
  std::vector<Record> records;
  for (int i = 0; i < 400; ++i) {
    const double x = i / 100.0;
    records.push_back({{"x", x}, {"y", std::sin(3 * x)}});
  }
  const Table table = Table::from_records(
      {.fields = {{.name = "x", .kind = Kind::real}, {.name = "y", .kind = Kind::real}}}, records);
  const Target target = TargetColumn(table, "y").of(table);
  CHECK(target.classes == 0);
  double before = -1;
  for (const std::size_t rounds : {1, 10, 50, 200}) {
    const double fits = *r_squared(fit(table, "y", {.rounds = rounds})(table).values, target.values);
    CHECK(fits > before);
    before = fits;
  }
  CHECK(before > 0.99);
}

TEST_CASE("more classes: probabilities sum to one and find the class") {
  std::vector<Record> records;
  for (int i = 0; i < 600; ++i)
    records.push_back({{"x", i % 60 * 1.0}, {"y", std::string(1, "abc"[i % 60 / 20])}});
  const Table table = Table::from_records(
      {.fields = {{.name = "x", .kind = Kind::real}, {.name = "y", .kind = Kind::category}}}, records);
  const Predictions out = fit(table, "y")(table);
  REQUIRE(out.width == 3);
  const Target target = TargetColumn(table, "y").of(table);
  for (std::size_t row = 0; row < table.rows(); ++row)
    CHECK(out.at(row, 0) + out.at(row, 1) + out.at(row, 2) == Approx(1));
  CHECK(*confusion_matrix(out, target.values).accuracy() == 1);
}

TEST_CASE("early stopping ends before noise is learnt") {
  const Table table = testing::coloured(3000, 1);
  const std::vector<std::string> names = {"x", "z", "colour"};
  const Binning binning(table, names);
  const BinnedTable cut = binning.apply(table);
  const Target target = TargetColumn(table, "y").of(table);
  const auto rows = all_rows(table.rows());
  const BoostingOptions options{.rounds = 400, .early_stopping_from = 100};
  const GradientBoosting stopped(cut, binning.columns(), target, rows, options, Random(1));
  CHECK(stopped.rounds() < 150);
  CHECK(stopped.rounds() > 10);
  const std::vector<double> importance = stopped.importance();
  CHECK(importance[0] + importance[1] + importance[2] == Approx(1));
  CHECK(importance[0] > importance[1]);
}

TEST_CASE("bad input is refused") {
  const Table table = testing::coloured(50, 1);
  CHECK_THROWS_AS(fit(table, "nothing"), EvaluationError);
  CHECK_THROWS_AS(fit(table, "y", {.rounds = 0}), ConfigError);
  CHECK_THROWS_AS(fit(table, "y", {.learning_rate = 0}), ConfigError);
  CHECK_THROWS_AS(fit(table.head(1), "y"), EvaluationError);
  const std::vector<std::string> none;
  const Binning binning(table, none);
  CHECK_THROWS_AS(GradientBoosting(binning.apply(table), binning.columns(),
                                   TargetColumn(table, "y").of(table), all_rows(table.rows())),
                  EvaluationError);
}
