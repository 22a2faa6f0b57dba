// Distances of two sets of vectors, one a column.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"

namespace synthema::detail {

// Each needs two columns or more in either. Covariances are of n - 1.
double frechet_distance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
double central_moment_discrepancy(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

// Mean cosine of two different columns of length 1.
double mean_similarity(const Eigen::MatrixXd& vectors);

// The number of the cluster of each column: Lloyd's algorithm from k-means++ starts, the best of several.
// Cancelled once the token asks for it.
std::vector<std::size_t> k_means(const Eigen::MatrixXd& points, std::size_t clusters, std::size_t starts,
                                 std::size_t steps, Random random, std::size_t threads,
                                 const CancelToken& cancel = {});

// MAUVE of two histograms of shares; 1 where they are equal.
double divergence_area(std::span<const double> p, std::span<const double> q);

// MAUVE of two sets of vectors. Their columns must stand in an order that their contents decide.
double mauve(const Eigen::MatrixXd& p, const Eigen::MatrixXd& q, Random random, std::size_t threads,
             const CancelToken& cancel = {});

}  // namespace synthema::detail
