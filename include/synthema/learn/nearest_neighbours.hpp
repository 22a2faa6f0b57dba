// Exact nearest neighbours in a MixedSpace. Rows are sorted into blocks of 128 that lie close together (a k-d
// partition: Friedman, Bentley and Finkel 1977). A query visits blocks in the order of a lower bound of its
// distance to the box around each, and leaves out what cannot hold a neighbour; in a block, byte codes bound
// the distance to 128 rows at once (src/cpu/distance_bounds.hpp), and only rows within the bound are measured
// in double precision. No bound is ever above the distance, so the result is that of comparing all pairs.
//
// Memory: per cell 8 bytes, and a byte for each resolution of the codes that queries asked for (up to seven).
// Time: queries x rows x columns at worst, at about a cycle for ten cells; far less where rows cluster.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/learn/mixed_distance.hpp"

namespace synthema {

struct Neighbour {
  double distance = std::numeric_limits<double>::infinity();  // infinite: there is no such row
  std::uint32_t row = 0;

  friend bool operator==(const Neighbour&, const Neighbour&) = default;
  friend bool operator<(const Neighbour& a, const Neighbour& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  }
};

struct SearchOptions {
  std::size_t neighbours = 1;
  // Leave out rows whose owner is the query's: a row itself, or all rows of its subject.
  bool other_owners = false;
  std::size_t threads = 0;  // 0: all cores; never changes a result
  CancelToken cancel = {};
};

class SYNTHEMA_EXPORT NeighbourIndex {
 public:
  // `owners` names the unit of each row; empty: each row is its own. The space must outlive nothing: what is
  // needed of it is copied. At most 2^32 - 1 rows.
  NeighbourIndex(const MixedSpace& space, MixedRows rows, std::vector<std::uint32_t> owners = {});
  ~NeighbourIndex();
  NeighbourIndex(NeighbourIndex&&) noexcept;
  NeighbourIndex& operator=(NeighbourIndex&&) noexcept;

  std::size_t rows() const;
  // The nearest rows of this index to each row of `queries` (of the same space), row by row, nearest first,
  // the lower row number first among equals: {queries.rows(), neighbours}.
  std::vector<Neighbour> nearest_to(const NeighbourIndex& queries, const SearchOptions& options = {}) const;
  // For each row of `queries`: how many rows of this index are nearer to it than their own radius, which
  // `radii` has by row number. {queries.rows()}. Neighbours and owners of the options are not used.
  std::vector<std::uint32_t> balls_around(const NeighbourIndex& queries, std::span<const double> radii,
                                          const SearchOptions& options = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synthema
