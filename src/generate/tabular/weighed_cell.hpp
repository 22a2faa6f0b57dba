// One cell of a candidate (candidates.hpp) where a method draws entries of counts by a normal score: each
// entry has its share of the scores (bounds_of), the rules leave some of these, and what the cells before it
// say is a mean and a spread (0 and 1: nothing).
//
// A cell weighs by how likely it is in what the rules leave beside the cells before it. Whether one person
// has a number does not show: a fixed one that few have counts as all around it; one that is determined by
// what is fixed is as likely as before places of single people are left (undisplaced_densities), or as if
// half a person's value was spread to it; and half a person more stands behind what the rules leave. So no
// weight is infinite, and no remainder is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/ruled_cell.hpp"

namespace synthema::detail {

struct WeighedCell {
  RuledCell past, now;  // beside the cells before it; beside all that is fixed as well
  CodeCounts counts;
  std::span<const double> bounds;
  double mean = 0, spread = 1;
  std::optional<Room> room = {};
  double least_told = 0;  // see told_noise

  struct Taken {
    double cell;
    double noise;   // the score, less `mean`, over `spread`
    double weight;  // natural logarithm; -infinity: the rules leave no value
  };
  // A fixed cell; how likely it is.
  Taken fixed(double cell, const PhiloxBlock& random) const;
  // A cell from what the rules leave beside all that is fixed, and how much less that is than without it.
  Taken draw(PhiloxBlock random, const Random& more, std::uint64_t number_of_row) const;

 private:
  std::vector<Piece> left(const RuledCell& ruled) const;
  std::vector<Piece> behind(double cell, bool is_fixed) const;
  std::vector<Piece> placed(std::vector<Piece> pieces) const;
  bool is_given(std::span<const Piece> before) const;
  double mass(std::span<const Piece> pieces) const;
  double half_person() const { return 0.5 / counts.total(); }
  // A determined real weighs by a density, which may be above 1 where values are dense.
  static constexpr double kDensest = 100;
  double weight_of(double log_mass, std::span<const Piece> before, double most = 0) const;
  double noise_within(std::span<const Piece> pieces, double share) const;
  double told(double noise, bool given, double share) const;
};

}  // namespace synthema::detail
