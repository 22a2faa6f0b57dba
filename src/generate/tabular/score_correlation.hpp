// Correlations of columns and of the normal scores behind them. A column is a step function of its score;
// expanded in Hermite polynomials with coefficients a_k, b_k, two columns have the correlation
// sum a_k b_k r^k where their scores have r (Cario and Nelson, "Modeling and generating random vectors with
// arbitrary marginal distributions and correlation matrix", 1997; Xiao, Journal of Statistical Computation
// and Simulation 2014).
#pragma once

#include <Eigen/Dense>
#include <span>
#include <vector>

namespace synthema::detail {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;

inline constexpr double kMostCorrelated = 0.9999;

// Of values with cumulative shares (the last is 1), over their standard deviation; from the first. All zero
// where the values do not differ.
std::vector<double> hermite_coefficients(std::span<const double> values, std::span<const double> cumulative);

// Of two columns whose scores have this correlation.
double column_correlation(std::span<const double> a, std::span<const double> b, double of_scores);

// The correlation of scores that gives the columns theirs, at most kMostCorrelated either way; 0 where a
// column is constant.
double score_correlation(std::span<const double> a, std::span<const double> b, double of_columns);

// Clips eigenvalues and scales the diagonal back to one.
Matrix nearest_correlation(const Matrix& raw);

}  // namespace synthema::detail
