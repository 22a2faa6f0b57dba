// Probabilities of boxes under a normal vector, and means of products of functions that are constant piece by
// piece (Genz, "Numerical computation of multivariate normal probabilities", Journal of Computational and
// Graphical Statistics 1992; the sampler of Geweke, Hajivassiliou and Keane): one variable after the other
// given those before it, each confined to its pieces, over the points of a Richtmyer lattice. One variable
// needs no points; narrow pieces hardly any. Where few of the points weigh anything (columns that are missing
// together have scores that nearly say each other, and what the pieces leave is a strip), the variables are
// taken in another order, least likely first, and drawn where those after them find their pieces.
#pragma once

#include <span>
#include <vector>

namespace synthema::detail {

// The point of a standard normal variable confined to (low, high) with this share of it below, in (0, 1).
double confined_normal(double low, double high, double share);

// A cell that was taken for a rule or a condition says where its normal score lies, and that moves the other
// columns. Where the columns before it leave less than `least_told` (a variance) open, its distance from what
// they say is sampling error and what the model cannot say, divided by next to nothing: it says nothing. Nor
// does it say more than a score so many standard deviations away.
inline constexpr double kFarthestTold = 4;

struct Piece {
  double low, high;  // of the normal score
  double density;    // of what is asked for, where the score lies here
};

// Natural logarithm of the mass that a normal variable has in these pieces, times their densities; -infinity:
// none. And the noise (the score less `mean`, over `spread`) confined to them; `share`, in (0, 1), chooses.
double log_mass_of(std::span<const Piece> pieces, double mean, double spread);
double confined_to(std::span<const Piece> pieces, double mean, double spread, double share);

struct ScoreFunction {
  std::vector<Piece> pieces;  // disjoint
  // Where the score can lie at all; disjoint; empty: everywhere.
  std::vector<Piece> allowed = {};
};

// Natural logarithm of the mean of the product; -infinity: zero. `factor` {n, n} is the lower Cholesky factor
// of the correlations, row by row.
double log_mean_product(std::span<const double> factor, std::span<const ScoreFunction> functions,
                        double least_told);

}  // namespace synthema::detail
