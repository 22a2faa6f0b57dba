#include <doctest/doctest.h>

#include "dependent_rows.hpp"
#include "src/evaluate/trial_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/utility/learning_curve.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

EvaluationContext target_y(std::size_t holdout = 600) {
  EvaluationContext context;
  context.target_column = "y";
  context.holdout = std::make_shared<const Table>(dependent_rows(holdout, 99));
  return context;
}

}  // namespace

TEST_CASE("fresh rows are worth many real ones, independent columns none") {
  const Table real = dependent_rows(1200, 1);
  const RowsWorth worth(linear_model());
  const Score fresh = worth.evaluate(&real, dependent_rows(1200, 2), target_y());
  CHECK(*fresh.value > 0.2);
  CHECK(fresh.parts.size() == 10);
  const Score none = worth.evaluate(&real, detail::independent_marginals(real, 3), target_y());
  CHECK(*none.value == 0);
  // The very rows do as well as themselves.
  CHECK(*worth.evaluate(&real, real, target_y()).value == Approx(1).epsilon(0.01));
}

TEST_CASE("fresh rows add to few real ones, and noise does not") {
  const Table real = dependent_rows(400, 1);
  const AugmentationGain gain(linear_model());
  const Score fresh = gain.evaluate(&real, dependent_rows(1200, 2), target_y());
  CHECK(*part_of(fresh, "6.25 % of real and all synthetic") > *part_of(fresh, "6.25 % of real alone"));
  CHECK(*fresh.value ==
        Approx(*part_of(fresh, "real and 100 % of synthetic") - *part_of(fresh, "real alone")));
  CHECK(*gain.evaluate(&real, detail::independent_marginals(dependent_rows(1200, 2), 3), target_y()).value <
        *fresh.value);
}

TEST_CASE("tables are put together column by column") {
  const Table real = dependent_rows(20, 1), synthetic = dependent_rows(10, 2);
  EvaluationContext context = target_y(20);
  Score score;
  const auto rows = detail::trial_rows(&real, synthetic, context, score);
  REQUIRE(rows);
  const Table both = detail::together(rows->training, rows->synthetic, *rows);
  CHECK(both.rows() == 30);
  CHECK(both.column("x").number_at(25) == rows->synthetic.column("x").number_at(5));
  CHECK(both.column("colour").text_at(3) == rows->training.column("colour").text_at(3));
  CHECK(detail::some_subjects(real, 7, 1).rows() == 7);
}

TEST_CASE("a boolean predictor stays one when tables are put together") {
  const auto rows_of = [](std::size_t rows, std::uint64_t seed) {
    Schema schema;
    schema.fields = {{.name = "flag", .kind = Kind::boolean}, {.name = "y", .kind = Kind::boolean}};
    std::vector<Record> records(rows);
    Random random(seed);
    for (Record& record : records) {
      const bool flag = random.uniform() < 0.5;
      record.set("flag", flag);
      record.set("y", random.uniform() < 0.9 ? flag : !flag);
    }
    return Table::from_records(schema, records);
  };
  const Table real = rows_of(200, 1);
  EvaluationContext context;
  context.target_column = "y";
  context.holdout = std::make_shared<const Table>(rows_of(200, 3));
  const Score score = AugmentationGain(linear_model()).evaluate(&real, rows_of(200, 2), context);
  REQUIRE(score.value);
  CHECK(*part_of(score, "real and 100 % of synthetic") > 0.8);
}

TEST_CASE("promises of learning curves are kept") {
  const Table real = dependent_rows(80, 1), synthetic = dependent_rows(60, 2);
  CHECK(nonconformities(RowsWorth(linear_model()), &real, synthetic, target_y(50)) ==
        std::vector<std::string>{});
  CHECK(nonconformities(AugmentationGain(linear_model()), &real, synthetic, target_y(50)) ==
        std::vector<std::string>{});
  CHECK(RowsWorth().evaluate(&real, synthetic, {}).undefined == "No target column was named.");
}
