// One cell of a candidate (candidates.hpp) where a method draws entries of counts by a normal score: each
// entry has its share of the scores (bounds_of), the rules leave some of these, and what the cells before it
// say is a mean and a spread (0 and 1: nothing).
//
// A cell weighs by how likely it is in what the rules leave beside the cells before it. Whether one person
// has a number does not show: a fixed one that few have counts as all around it; one that is determined by
// what is fixed is as likely as before places of single people are left (undisplaced_densities), or as if
// half a person's value was spread to it; and half a person more stands behind what the rules leave. So no
// weight is infinite, and no remainder is empty.
//
// As many cells are missing as are drawn so freely: what the rules refuse is followed by another value
// (RuledCell), and a fixed cell had to be there. Where a refused value may be followed by a missing one
// (combinations, and the copula, to which missing is a label), missing is an entry as the others are.
//
// A number that is drawn at its distance from one before it (order_distance.hpp) has entries that are
// distances: all of this is said of them, and a cell is the one at that distance. Where that one may be
// missing, or two numbers are measured from it, candidates differ in what the fixed number is an entry of: it
// then counts as what is spread to it, not as all around it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/order_distance.hpp"
#include "src/generate/tabular/ruled_cell.hpp"

namespace synthema::detail {

struct WeighedCell {
  RuledCell past, now;  // beside the cells before it; beside all that is fixed as well
  CodeCounts counts;
  std::span<const double> bounds;
  bool measured = false;                    // the column has distances, from this row's cells or not
  const OrderDistance* distance = nullptr;  // what the counts are of, from a cell that `past` knows
  CodeCounts numbers = {};                  // then: how often each is, where the rules refuse all distances
  double mean = 0, spread = 1;
  std::optional<Room> room = {};
  double least_told = 0;  // see told_noise

  struct Taken {
    double cell;
    double noise;   // the score, less `mean`, over `spread`
    double weight;  // natural logarithm; -infinity: the rules leave no value
  };
  // A fixed cell; how likely it is. If it proposed what it is measured from (candidates.hpp), against how
  // likely it proposed that.
  Taken fixed(double cell, const PhiloxBlock& random, bool has_proposed = false) const;
  // A cell that one that is measured from it proposes, which is missing with this share: how likely it is,
  // but for that one's distance, which `fixed` takes away.
  Taken proposed(double cell, const PhiloxBlock& random, double missing, bool has_proposed) const;
  // A cell from what the rules leave beside all that is fixed, and how much less that is than without it.
  Taken draw(PhiloxBlock random, const Random& more, std::uint64_t number_of_row) const;
  // Of free draws, where the rules leave missing ones beside the cells before it, and these are not mixed
  // with the others.
  double share_missing() const { return share_missing(past); }

 private:
  const ColumnCoding& coding() const { return distance ? distance->coding : now.columns[now.column]; }
  double base() const { return past.row.cells[distance->from]; }
  // The cell for which a value of the counts stands, and the inverse.
  std::optional<double> cell_of(double value, std::uint32_t bits = 0) const;
  double value_of(double cell) const;
  bool mixes() const { return now.mixing || now.rules.combined(now.column); }
  bool has_missing() const;
  double part_missing() const;
  double share_missing(const RuledCell& ruled) const;
  std::vector<Piece> left(const RuledCell& ruled) const;
  std::vector<Piece> behind(double cell, bool is_fixed) const;
  Taken taken(double cell, std::span<const Piece> own, double share, double most, bool has_proposed) const;
  Taken draw_distance(Taken out, double noise, std::span<const Piece> left, PhiloxBlock random,
                      const Random& more, std::uint64_t number_of_row) const;
  std::uint32_t place_of(double score) const;
  std::vector<Piece> placed(std::vector<Piece> pieces) const;
  bool is_given(std::span<const Piece> before) const;
  double mass(std::span<const Piece> pieces) const;
  double half_person() const { return 0.5 / counts.total(); }
  // A determined real weighs by a density, which may be above 1 where values are dense.
  double most() const { return now.columns[now.column].grid ? 0 : kDensest; }
  static constexpr double kDensest = 100;
  double weight_of(double log_mass, std::span<const Piece> before, double most = 0) const;
  double noise_within(std::span<const Piece> pieces, double share) const;
  double told(double noise, bool given, double share) const;
};

}  // namespace synthema::detail
