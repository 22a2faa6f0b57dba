#include <doctest/doctest.h>

#include <cmath>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/learn/prediction_metrics.hpp"

using namespace synthema;
using doctest::Approx;
using Values = std::vector<double>;

TEST_CASE("AUROC counts pairs, ties half") {
  CHECK(*auroc(Values{0.1, 0.4, 0.35, 0.8}, Values{0, 0, 1, 1}) == 0.75);
  CHECK(*auroc(Values{1, 1, 1}, Values{0, 1, 1}) == 0.5);
  CHECK(*auroc(Values{1, 2, 2}, Values{0, 0, 1}) == 0.75);
  CHECK_FALSE(auroc(Values{1, 2}, Values{1, 1}));
  CHECK_FALSE(auroc(Values{}, Values{}));
  CHECK_THROWS_AS(auroc(Values{1}, Values{1, 0}), EvaluationError);
  CHECK_THROWS_AS(auroc(Values{NAN, 1}, Values{1, 0}), EvaluationError);
}

TEST_CASE("the influence of rows gives the spread of the AUROC") {
  // 600 samples of 60 rows: the mean of the estimated variances is the variance of the estimates.
  double mean = 0, square = 0, estimated = 0;
  const int samples = 600;
  for (int s = 0; s < samples; ++s) {
    Random random = Random(9).stream(static_cast<std::uint64_t>(s));
    Values scores, labels;
    for (int i = 0; i < 60; ++i) {
      labels.push_back(i % 3 == 0 ? 1 : 0);
      scores.push_back(std::floor(10 * (random.uniform() + 0.3 * labels.back())));
    }
    const auto found = *auroc_influence(scores, labels);
    double sum = 0, variance = 0;
    for (const double value : found.influence) sum += value, variance += value * value;
    CHECK(std::abs(sum) < 1e-12);
    mean += found.auroc / samples, square += found.auroc * found.auroc / samples,
        estimated += variance / samples;
  }
  CHECK(estimated == Approx(square - mean * mean).epsilon(0.15));
}

TEST_CASE("precision, squared error and calibration of worked examples") {
  CHECK(*average_precision(Values{0.1, 0.4, 0.35, 0.8}, Values{0, 0, 1, 1}) == Approx(5.0 / 6));
  CHECK(*average_precision(Values{1, 1}, Values{0, 1}) == 0.5);
  CHECK(*brier_score(Values{0.2, 0.7}, Values{0, 1}) == Approx((0.04 + 0.09) / 2));
  // Bins (0, .5] and (.5, 1]: |0.1 + 0.3 - 1| and |0.9 - 1| over three rows.
  CHECK(*calibration_error(Values{0.1, 0.3, 0.9}, Values{0, 1, 1}, 2) == Approx(0.7 / 3));
  CHECK_FALSE(brier_score(Values{}, Values{}));
  CHECK(*r_squared(Values{1, 2, 3}, Values{1, 2, 4}) == Approx(1 - 1 / (14.0 / 3)));
  CHECK_FALSE(r_squared(Values{1, 2}, Values{3, 3}));
  CHECK(*root_mean_squared_error(Values{1, 2}, Values{1, 4}) == Approx(std::sqrt(2)));
  CHECK(*mean_absolute_error(Values{1, 2}, Values{1, 4}) == 1);
}

TEST_CASE("measures of the most probable class") {
  const Predictions two{2, {0.9, 0.1, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5}};  // predicted 0, 1, 1, and 0 by the tie
  const ConfusionMatrix matrix = confusion_matrix(two, Values{0, 0, 1, 1});
  CHECK(matrix.counts == Values{1, 1, 1, 1});
  CHECK(*matrix.accuracy() == 0.5);
  CHECK(*matrix.f1() == 0.5);
  CHECK(*matrix.balanced_accuracy() == 0.5);
  const Predictions three{3, {1, 0, 0, 0, 1, 0, 0, 1, 0}};
  CHECK(*confusion_matrix(three, Values{0, 1, 0}).balanced_accuracy() == Approx(0.75));
  CHECK(*confusion_matrix(three, Values{0, 1, 0}).f1() == Approx(2.0 / 3));  // the third class is nowhere
  CHECK(auroc_influence(three, Values{0, 1, 0})->auroc == Approx(0.75));
}

TEST_CASE("true positive rates along a ROC curve, tied scores a straight line") {
  // Corners (0, 1/2), (1/2, 1/2), (1/2, 1), (1, 1), as scikit-learn's roc_curve has them.
  const Values scores{0.1, 0.4, 0.35, 0.8}, labels{0, 0, 1, 1};
  CHECK(*true_positive_rates(scores, labels, Values{0, 0.25, 0.5, 0.75, 1}) == Values{0.5, 0.5, 1, 1, 1});
  CHECK(*true_positive_rates(Values{1, 1, 1, 1}, labels, Values{0, 0.25, 1}) == Values{0, 0.25, 1});
  CHECK(*true_positive_rates(Values{0, 1, 1, 2}, labels, Values{0.25}) == Values{0.75});
  CHECK_FALSE(true_positive_rates(Values{1, 2}, Values{1, 1}, Values{0.5}));
}
