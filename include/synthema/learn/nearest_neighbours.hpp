// Exact nearest neighbours in a MixedSpace. Rows are sorted into blocks of 128 that lie close together (a k-d
// partition: Friedman, Bentley and Finkel 1977). Each query visits the few blocks first whose boxes are
// nearest to it, and leaves out what cannot hold a neighbour. Where that is not the end of it, as with many
// columns that depend little on each other, 128 queries that lie close together go through the blocks that
// are left at once, and three bounds of growing cost leave out rows: the number of different labels (bit by
// bit, 512 rows at once), byte codes of all columns summed in bytes (64 rows at once), byte codes of a single
// row summed in full. Only rows within all of them are measured in double precision
// (src/cpu/distance_bounds.hpp). No bound is ever above the distance, so the result is that of comparing all
// pairs.
//
// Memory: 9 bytes for a number, 1 for a label (5 where its column has more than 255 of them), 12 for a row;
// during a search a byte more for each number and label, and up to 17 bits for a label. Time: queries x rows
// at worst, at well below a nanosecond a pair where half of 50 columns are labels; far less where rows
// cluster.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
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
  // needed of it is copied. At most 2^32 - 2 rows, else ConfigError.
  NeighbourIndex(const MixedSpace& space, MixedRows rows, std::vector<std::uint32_t> owners = {});
  ~NeighbourIndex();
  NeighbourIndex(NeighbourIndex&&) noexcept;
  NeighbourIndex& operator=(NeighbourIndex&&) noexcept;

  std::size_t rows() const;
  // An index of some of these rows, which are numbered from 0 in the order given; their owners stay.
  NeighbourIndex part(std::span<const std::size_t> rows) const;
  // The same of rows of several indexes of one space; at least one.
  struct RowOf {
    const NeighbourIndex* index = nullptr;
    std::size_t row = 0;
  };
  static NeighbourIndex of(std::span<const RowOf> rows);
  // The nearest rows of this index to each row of `queries` (of the same space), row by row, nearest first,
  // the lower row number first among equals: {queries.rows(), neighbours}.
  std::vector<Neighbour> nearest_to(const NeighbourIndex& queries, const SearchOptions& options = {}) const;
  // visit(query, rows) once for each row of `queries`: all rows of this index that are no farther from it
  // than its radius, in no order; `radii` by row number of `queries`. From several threads at once;
  // neighbours of the options are not used.
  using VisitWithin = std::function<void(std::size_t query, std::span<const Neighbour> rows)>;
  void each_within(const NeighbourIndex& queries, std::span<const double> radii, const VisitWithin& visit,
                   const SearchOptions& options = {}) const;

 private:
  struct Impl;
  explicit NeighbourIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace synthema
