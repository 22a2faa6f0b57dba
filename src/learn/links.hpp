// From raw scores to probabilities and losses; shared by the models of `learn`.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "synthema/core/error.hpp"
#include "synthema/learn/target.hpp"

namespace synthema::detail {

inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
inline double log_1p_exp(double x) {  // log(1 + e^x) without overflow
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// Raw scores of one row to its means in place: numbers stay, one score of two classes becomes the probability
// of class 1, those of more classes become probabilities.
inline void to_means(std::span<double> scores, std::size_t classes) {
  if (classes == 0) return;
  if (classes == 2) {
    scores[0] = sigmoid(scores[0]);
    return;
  }
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - most);
  for (double& score : scores) score /= sum;
}

// Of one row: half the squared error of a number, else the negative log-likelihood of its class.
inline double loss(const double* scores, double value, std::size_t classes) {
  if (classes == 0) return (scores[0] - value) * (scores[0] - value) / 2;
  if (classes == 2) return log_1p_exp(scores[0]) - value * scores[0];
  const double most = *std::max_element(scores, scores + classes);
  double total = 0;
  for (std::size_t k = 0; k < classes; ++k) total += std::exp(scores[k] - most);
  return most + std::log(total) - scores[static_cast<std::size_t>(value)];
}

// What a model may be fitted to: one target a row of the table, valid in the rows used.
inline void check_target(const Target& target, std::size_t rows, std::span<const std::uint32_t> used) {
  if (used.empty()) throw EvaluationError("A model cannot be fitted without rows.");
  if (target.values.size() != rows)
    throw EvaluationError(
        message("There are ", target.values.size(), " targets for ", rows, " rows; one a row is wanted."));
  if (target.classes == 1)
    throw EvaluationError("A target of one class leaves nothing to learn; it needs two.");
  for (const std::uint32_t row : used) {
    const double value = target.values.at(row);
    if (!std::isfinite(value)) throw EvaluationError("A target is not finite; leave out rows without one.");
    if (target.classes > 0 &&
        !(value >= 0 && value < static_cast<double>(target.classes) && value == std::floor(value)))
      throw EvaluationError(
          message("A class number must be a whole number from 0 to ", target.classes - 1, "."));
  }
}

}  // namespace synthema::detail
