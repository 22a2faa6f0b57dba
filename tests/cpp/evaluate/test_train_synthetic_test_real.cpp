#include <doctest/doctest.h>

#include <algorithm>

#include "dependent_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/utility/train_synthetic_test_real.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

EvaluationContext predicting(const std::string& target, std::size_t holdout = 0) {
  EvaluationContext context;
  context.target_column = target;
  context.bootstrap = 200;
  if (holdout > 0) context.holdout = std::make_shared<const Table>(dependent_rows(holdout, 99));
  return context;
}
double area(const Curve& curve) {
  double out = 0;
  for (std::size_t i = 1; i < curve.x.size(); ++i)
    out += (curve.x[i] - curve.x[i - 1]) * (curve.y[i] + curve.y[i - 1]) / 2;
  return out;
}
Score useful(const Table& real, const Table& synthetic, const EvaluationContext& context) {
  return TrainSyntheticTestReal().evaluate(&real, synthetic, context);
}

}  // namespace

TEST_CASE("classes: as good as real where the rows are, at the floor where they are shuffled apart") {
  const Table real = dependent_rows(600, 1), fresh = dependent_rows(600, 2);
  const EvaluationContext context = predicting("y", 500);
  const Score good = useful(real, fresh, context);
  CHECK(*good.value > 0.75);
  CHECK(*good.value == Approx(good.ceiling->value).epsilon(0.06));
  CHECK(good.floor->value == Approx(0.5).epsilon(0.15));
  CHECK(good.n == 500);
  CHECK(good.warnings.empty());
  REQUIRE(good.interval);
  CHECK(good.interval->low < *good.value);
  CHECK(good.interval->method == "DeLong, 500 rows");
  const bool yes = part_of(good, "AUPRC of yes").has_value();  // the rarer one
  CHECK(yes != part_of(good, "AUPRC of no").has_value());
  CHECK(part_of(good, yes ? "AUPRC of yes" : "AUPRC of no").value_or(0) > 0.5);
  CHECK(*part_of(good, "Brier score") < 0.25);
  CHECK(part_of(good, "Brier score, trained on real").has_value());
  CHECK_FALSE(part_of(good, "seed 1").has_value());  // of so few rows nothing is drawn
  CHECK(good.definition.find("one fit") != std::string::npos);
  REQUIRE(good.curves.size() == 2);
  CHECK(good.curves[0].of == "trained on synthetic rows");
  CHECK(area(good.curves[0]) == Approx(*good.value).epsilon(0.01));
  CHECK(area(good.curves[1]) == Approx(good.ceiling->value).epsilon(0.01));
  const Score bad = useful(real, detail::independent_marginals(fresh, 5), context);
  CHECK(*bad.value < 0.65);
  CHECK(*bad.value < *good.value - 0.1);
}

TEST_CASE("few whole numbers may be classes, which is said") {
  std::vector<Record> records;
  for (int i = 0; i < 120; ++i) records.push_back({{"x", i % 30}, {"grade", i % 5}, {"age", i % 40}});
  const Schema schema{.fields = {{.name = "x", .kind = Kind::integer},
                                 {.name = "grade", .kind = Kind::integer},
                                 {.name = "age", .kind = Kind::integer}}};
  const Table table = Table::from_records(schema, records);
  const Score grade = useful(table, table, predicting("grade")),
              age = useful(table, table, predicting("age"));
  const auto says = [](const Score& score) {
    return std::ranges::any_of(score.warnings, [](const std::string& one) {
      return one.find("5 different whole") != std::string::npos;
    });
  };
  CHECK(says(grade));
  CHECK_FALSE(says(age));
}

TEST_CASE("several fits where a fit draws something") {
  const Table real = dependent_rows(600, 1), fresh = dependent_rows(600, 2);
  const EvaluationContext context = predicting("y", 500);
  const Score score =
      TrainSyntheticTestReal(boosted_trees({.early_stopping_from = 300})).evaluate(&real, fresh, context);
  CHECK(score.definition.find("mean of 3 seeds") != std::string::npos);
  REQUIRE(part_of(score, "seed 3").has_value());
  CHECK(*part_of(score, "seed 1") != *part_of(score, "seed 3"));
  Learner foreign = linear_model();
  foreign.draws_from = 0;  // as of a learner whose author says nothing
  CHECK(part_of(TrainSyntheticTestReal(foreign).evaluate(&real, fresh, context), "seed 3").has_value());
}

TEST_CASE("numbers: R squared with a bootstrap interval") {
  const Table real = dependent_rows(400, 1);
  const Score score = useful(real, dependent_rows(400, 2), predicting("w", 300));
  CHECK(*score.value > 0.95);
  CHECK(score.ceiling->value > 0.95);
  CHECK(score.floor->value < 0.5);  // 400 rows by chance: between -0.4 and 0.3
  REQUIRE(score.interval);
  CHECK(score.interval->low > 0.9);
  CHECK(score.interval->high > *score.value);
  CHECK(*part_of(score, "root mean squared error") > *part_of(score, "mean absolute error"));
}

TEST_CASE("without a holdout a quarter of the real rows is kept back, and a warning says so") {
  const Table real = dependent_rows(400, 1);
  const Score score = useful(real, dependent_rows(400, 2), predicting("y"));
  CHECK(score.n == 100);
  REQUIRE(score.warnings.size() == 1);
  CHECK(score.warnings[0].find("may have seen") != std::string::npos);
}

TEST_CASE("rows without a target, or with a label that real rows do not have, are left out and counted") {
  const Table real = dependent_rows(200, 1), fresh = dependent_rows(100, 2);
  std::vector<Record> records;
  for (std::size_t row = 0; row < fresh.rows(); ++row) {
    Record record = fresh.record(row);
    if (row < 7) record.set("y", row < 3 ? Value("maybe") : Value());
    records.push_back(std::move(record));
  }
  const Score score = useful(real, Table::from_records(dependent_schema(), records), predicting("y", 100));
  REQUIRE(score.warnings.size() == 1);
  CHECK(score.warnings[0].find("7 of 100 synthetic rows") == 0);
}

TEST_CASE("another learner, and promises are kept") {
  const Table real = dependent_rows(120, 1), synthetic = dependent_rows(100, 2);
  const TrainSyntheticTestReal logistic(linear_model(), 1);
  CHECK(*logistic.evaluate(&real, synthetic, predicting("y", 300)).value > 0.75);
  for (const char* target : {"y", "w"}) {
    CHECK(nonconformities(TrainSyntheticTestReal(), &real, synthetic, predicting(target, 50)) ==
          std::vector<std::string>{});
    CHECK(nonconformities(logistic, &real, synthetic, predicting(target)) == std::vector<std::string>{});
  }
  CHECK_FALSE(useful(real, synthetic, {}).value);
  CHECK_THROWS_AS(useful(real, synthetic, predicting("nowhere")), EvaluationError);
  const Table constant = column_table(Kind::category, std::vector<Value>(20, "a"), "y");
  CHECK_FALSE(useful(constant, constant, predicting("y")).value);
}

TEST_CASE("ROC curves of several labels: their mean, and the most frequent against the rest") {
  const Table real = dependent_rows(400, 1), fresh = dependent_rows(400, 2), held = dependent_rows(300, 3);
  const std::string target = "colour";
  EvaluationContext context = predicting(target);
  context.holdout = std::make_shared<const Table>(held);
  const Score score = useful(real, fresh, context);
  REQUIRE(score.curves.size() % 2 == 0);
  REQUIRE(score.curves.size() > 4);
  CHECK(score.curves[0].name == "ROC, mean of labels");
  CHECK(area(score.curves[0]) == Approx(*score.value).epsilon(0.02));
  const std::size_t half = score.curves.size() / 2;
  CHECK(score.curves[1].name.find("ROC of ") == 0);
  for (std::size_t i = 0; i < half; ++i) {
    CHECK(score.curves[i].name == score.curves[half + i].name);
    CHECK(score.curves[half + i].of == "trained on real rows");
    CHECK(std::is_sorted(score.curves[i].y.begin(), score.curves[i].y.end()));
    CHECK(score.curves[i].y.back() == 1);
  }
  CHECK(useful(real, fresh, predicting("w", 300)).curves.empty());  // a number
}

TEST_CASE("a target of more labels than asked for: the rarest are one class, and a warning says so") {
  const Table real = dependent_rows(400, 1), fresh = dependent_rows(400, 2);
  EvaluationContext context = predicting("colour", 300);
  context.target_labels = 2;
  const Score score = useful(real, fresh, context);
  REQUIRE(score.warnings.size() == 1);
  CHECK(score.warnings[0] ==
        "The target has 3 labels: the 2 rarest were scored as one class together (target_labels = 2).");
  CHECK(part_of(score, "Brier score").has_value());  // of two classes
  context.target_labels = 3;
  CHECK(useful(real, fresh, context).warnings.empty());
  context.target_labels = 0;
  const Score all = useful(real, fresh, context);
  CHECK(all.warnings.empty());
  CHECK(part_of(all, "AUROC of red").has_value());
}
