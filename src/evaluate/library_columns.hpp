// Measures of one column as other libraries have them, faults included. Labels are their rank among the
// labels of both columns, as their encoders make them. Nothing where a value is missing, which none of them
// knows.
#pragma once

#include <optional>

#include "synthema/data/column.hpp"

namespace synthema::detail {

// synthcity's frequencies of a column: with fewer than five different real values the shares of the values,
// sorted from the largest in each table, so that ranks are compared and not values; else the shares of at
// most ten equal cells of R's range, values outside left out. What is 0 becomes 1e-11.

// 1 / (1 + sum (R ln(R / S) - R + S)).
std::optional<double> synthcity_inverse_kl(const Column& real, const Column& synthetic);
// p-value of R's shares, taken as counts, where S's are expected; 0 where the test fails.
std::optional<double> synthcity_chi_square(const Column& real, const Column& synthetic);
// Root of the divergence in nats of at most ten equal cells of R's range and one for values outside, after 1
// was added to each share.
std::optional<double> synthcity_jensen_shannon(const Column& real, const Column& synthetic);

// syntheval's q-MSE: mean of (share of S between R's deciles - 0.1)^2; values outside of R's range are in
// none.
std::optional<double> syntheval_quantile_mse(const Column& real, const Column& synthetic);

// syntheval's statistics of its KS test: the KS distance of numbers, the total variation distance of labels
// to four places.
std::optional<double> syntheval_distance(const Column& real, const Column& synthetic);
// syntheval's dimension-wise means: |difference of the means| / the range of both columns; 0 where that is 0.
std::optional<double> syntheval_mean_difference(const Column& real, const Column& synthetic);

// Upper regularised incomplete gamma function Q(a, x); P(chi^2 of 2a degrees of freedom > 2x).
double upper_gamma(double a, double x);

}  // namespace synthema::detail
