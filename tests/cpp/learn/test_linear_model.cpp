#include <doctest/doctest.h>

#include <cmath>

#include "learn/tables.hpp"
#include "synthema/learn/learner.hpp"

using namespace synthema;
using doctest::Approx;
using testing::plain;

TEST_CASE("a number: ridge regression has a closed form") {
  // Centred x: slope = sum xy / (sum xx + l2), intercept = mean y.
  const DesignMatrix design = plain({{-1}, {0}, {1}});
  const LinearModel model(design, {0, {1, 2, 6}}, all_rows(3), {.l2 = 3});
  CHECK(model.converged());
  CHECK(model.coefficients()[0] == Approx(1));
  CHECK(model.intercept() == Approx(3));
  CHECK(model.predict(design).values[2] == Approx(4));
}

TEST_CASE("two classes: the derivative of the penalised likelihood is zero at the solution") {
  const std::vector<std::vector<double>> x = {{0.2, 1}, {1.1, -1},  {-0.4, 0.5},
                                              {2, 0},   {-1, -0.7}, {0.3, 0.3}};
  const std::vector<double> y = {0, 1, 0, 1, 0, 1};
  const LinearModel model(plain(x), {2, y}, all_rows(6), {.l2 = 0.5});
  REQUIRE(model.converged());
  const Predictions p = model.predict(plain(x));
  double slope = 0;
  std::vector<double> slopes(2);
  for (std::size_t i = 0; i < 6; ++i) {
    slope += p.at(i, 1) - y[i];
    for (std::size_t c = 0; c < 2; ++c) slopes[c] += (p.at(i, 1) - y[i]) * x[i][c];
  }
  CHECK(std::abs(slope) < 1e-9);
  for (std::size_t c = 0; c < 2; ++c) CHECK(std::abs(slopes[c] + 0.5 * model.coefficients()[c]) < 1e-9);
  // Separated classes have no solution without a penalty: the steps end, and nothing is not finite.
  const LinearModel separated(plain({{-1}, {1}}), {2, {0, 1}}, all_rows(2), {.l2 = 0});
  CHECK(separated.predict(plain({{-1}, {1}})).at(1, 1) > 0.999);
}

TEST_CASE("more classes: two of them give what one score gives with twice the penalty") {
  // Softmax of two scores is the logistic of their difference; l2 on both halves is l2 / 2 on the difference.
  const DesignMatrix design = plain({{0.2}, {1.1}, {-0.4}, {2}, {-1}, {0.3}, {5}});
  const LinearModel three(design, {3, {0, 1, 0, 1, 0, 1, 2}}, all_rows(6), {.l2 = 1});
  const LinearModel two(design, {2, {0, 1, 0, 1, 0, 1, 0}}, all_rows(6), {.l2 = 0.5});
  CHECK(three.coefficients(1)[0] - three.coefficients(0)[0] == Approx(two.coefficients()[0]).epsilon(1e-6));
}

TEST_CASE("the encoding: standardised numbers, an indicator for each label and for missing ones") {
  const Table table = testing::coloured(400, 1);
  const DesignEncoding encoding(table, feature_columns(table.schema(), "y"));
  const std::vector<std::string> names(encoding.names().begin(), encoding.names().end());
  CHECK(names == std::vector<std::string>{"x", "z", "z is missing", "colour = blue", "colour = green",
                                          "colour = red", "colour = white"});
  const std::vector<double> dense = encoding.apply(table).dense();
  double sum = 0, squares = 0;
  for (std::size_t row = 0; row < 400; ++row)
    sum += dense[row * 7], squares += dense[row * 7] * dense[row * 7];
  CHECK(sum == Approx(0).epsilon(1e-9));
  CHECK(squares == Approx(400));
  const Learner learner = linear_model();
  const TargetColumn target(table, "y");
  const LearningTask task{&table, feature_columns(table.schema(), "y"), &target, Random(), 1};
  LearningTask threads = task;
  threads.threads = 3;
  CHECK(learner.fit(task)(table).values == learner.fit(threads)(table).values);
  CHECK_THROWS_AS(linear_model({.l2 = -1}).fit(task), ConfigError);
}
