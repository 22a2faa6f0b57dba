// Codes of a column as shares of the unit interval and as normal scores, and what a score leaves open: what
// GaussianCopula draws and asks (gaussian_copula.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "src/generate/tabular/ruled_cell.hpp"
#include "src/generate/tabular/score_correlation.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Share below a code and with it.
std::pair<double, double> share_of(const OwnedCounts& counts, std::uint32_t code);

// Normal score of each code, standardised, and its expansion in the normal variable (score_correlation.hpp).
struct Scores {
  std::vector<double> by_code;  // labels that are not handed on get that of the middle
  std::vector<double> coefficients;
};
Scores scores_of(const OwnedCounts& counts, std::size_t codes);

// As far out as it can be told.
double score_of_share(double share);

// Normal scores at which the entries of counts begin and end.
std::vector<double> bounds_of(const OwnedCounts& counts);

// The normal scores of the share that a taken cell has, or its being there or missing; of a number, that its
// part has (column_coding.hpp), so that one person's value does not show.
std::pair<double, double> scores_of_cell(const ColumnCoding& coding, const OwnedCounts& counts, double cell,
                                         bool missing);

// The counts of an entry as they are where its normal variable has this mean and spread.
OwnedCounts counts_given(const OwnedCounts& counts, std::span<const double> bounds, double mean,
                         double spread);

// The noise of a variable once its cell is taken (normal_box.hpp); `drawn` where that says nothing.
double told_noise(const std::pair<double, double>& scores, double mean, double spread, double least,
                  double drawn, std::uint32_t bits);
// Of `rows` rows, correlations with what `variables` leave open of one of them are noise below this variance.
double least_told(std::size_t variables, double rows);

// The share of places (quantiles, from 0 to 1) below this one, and its inverse.
double share_of_place(std::span<const double> places, double place);
double place_of_share(std::span<const double> places, double share);

// What the rules leave a number under an order beside the other one: the shares of its values below it and up
// to its end. Its score stands for its place in between.
struct Room {
  double from, to;
  std::span<const double> places;  // quantiles of the place, from 0 to 1

  // The score where the place stands for this share of the values, and its inverse.
  double score_of(double share) const;
  double share_of(double score) const;
};

// Whether the cells that are known determine this one. Then it says nothing that they do not say.
bool is_determined(const RuledCell& ruled, const OwnedCounts& counts);

// Cholesky's, with a ridge where it needs one; GenerationError where none helps.
Matrix lower_factor(const Matrix& covariance);

// Within (0, 1).
double unit_of(std::uint32_t bits);

}  // namespace synthema::detail
