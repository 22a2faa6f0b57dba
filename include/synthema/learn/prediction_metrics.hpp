// How good predictions are. Labels are 0 or 1, scores any numbers of which larger means more likely 1, and
// both have one entry a row. What needs both classes, or any row at all, is nothing where they are lacking.
// Definitions and values are those of scikit-learn, named in brackets.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "synthema/learn/target.hpp"

namespace synthema {

// Chance that a row of class 1 scores above one of class 0, ties counting half [roc_auc_score]. In [0, 1].
std::optional<double> auroc(std::span<const double> scores, std::span<const double> labels);

// AUROC with what every row adds to its error: the mean of `influence` is 0, and the variance of the AUROC of
// n independent rows is about the sum of its squares (DeLong et al., Biometrics 1988; summed by subject
// first, Obuchowski, Biometrics 1997). Row i has (F0(s) - AUROC) / n1 or (S1(s) - AUROC) / n0.
struct AurocInfluence {
  double auroc = 0.5;
  std::vector<double> influence;
};
std::optional<AurocInfluence> auroc_influence(std::span<const double> scores, std::span<const double> labels);

// Largest true positive rate that the scores reach at each of these false positive rates (ascending, 0 to 1),
// on the ROC curve whose corners are the different scores, tied ones a straight line [roc_curve with
// drop_intermediate=False]. Averaged over curves this is vertical averaging (Fawcett, Pattern Recognition
// Letters 2006, 9.1); the area under the average is the average area.
std::optional<std::vector<double>> true_positive_rates(std::span<const double> scores,
                                                       std::span<const double> labels,
                                                       std::span<const double> false_positive_rates);

// Sum over thresholds of precision times the gain in recall, tied scores one threshold
// [average_precision_score].
std::optional<double> average_precision(std::span<const double> scores, std::span<const double> labels);
// Mean squared difference of probability and label [brier_score_loss]. In [0, 1].
std::optional<double> brier_score(std::span<const double> probabilities, std::span<const double> labels);
// Mean over rows of |mean probability - share of class 1| of the row's bin, `bins` of equal width (Naeini et
// al., AAAI 2015) [calibration_curve, strategy "uniform", weighted by the size of the bins]. In [0, 1].
std::optional<double> calibration_error(std::span<const double> probabilities, std::span<const double> labels,
                                        std::size_t bins = 10);

// Of the most probable class; a tie goes to the first. Classes are numbered from 0.
struct ConfusionMatrix {
  std::size_t classes = 2;
  std::vector<double> counts;  // [true class * classes + predicted class]

  std::optional<double> accuracy() const;
  // Mean recall of the classes that occur [balanced_accuracy_score].
  std::optional<double> balanced_accuracy() const;
  // Of one class, 0 where it is neither there nor predicted [f1_score, zero_division 0].
  double f1(std::size_t of_class) const;
  // Of class 1 where there are two; else the mean over classes that are there or predicted [average "macro"].
  std::optional<double> f1() const;
};
ConfusionMatrix confusion_matrix(const Predictions& probabilities, std::span<const double> classes);

// AUROC of class 1 where there are two classes, else the mean over classes of one against the rest
// [roc_auc_score, multi_class "ovr"], leaving out classes that no row or every row has.
std::optional<AurocInfluence> auroc_influence(const Predictions& probabilities,
                                              std::span<const double> classes);

// 1 - residual / total sum of squares [r2_score]; nothing where the values are all the same.
std::optional<double> r_squared(std::span<const double> predicted, std::span<const double> values);
std::optional<double> mean_absolute_error(std::span<const double> predicted, std::span<const double> values);
std::optional<double> root_mean_squared_error(std::span<const double> predicted,
                                              std::span<const double> values);

}  // namespace synthema
