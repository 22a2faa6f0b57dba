// Candidates for the cells that stand before what a condition fixes, of which one is taken in proportion to
// how likely it makes that (sampling and importance resampling; Rubin, "Using the SIR algorithm to simulate
// posterior distributions", Bayesian Statistics 3, 1988): exact as their number grows.
//
// What a fixed number is measured from (order_distance.hpp) is proposed by it: the number less a drawn
// distance, so that few candidates do. They weigh against how likely they were proposed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "src/generate/tabular/weighed_cell.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"

namespace synthema::detail {

// Streams of a row: its cells, which candidate is taken, what is proposed.
inline constexpr std::uint64_t kCellStream = 1, kChoiceStream = 2, kProposalStream = 3;

// Of a row, but by trees, which have an option for it.
inline constexpr std::size_t kCandidates = 64;

// What a candidate draws first is spread evenly over the unit interval: its part of it begins here.
inline std::uint32_t begin_of(std::size_t candidate, std::size_t candidates) {
  return static_cast<std::uint32_t>(candidate * (std::uint64_t{1} << 32) / candidates);
}

// From natural logarithms, which become weights; nothing where all are -infinity.
inline std::optional<std::size_t> draw_candidate(std::vector<double>& weights, Random random) {
  const double most = std::ranges::max(weights);
  if (most == -std::numeric_limits<double>::infinity()) return std::nullopt;
  for (double& weight : weights) weight = std::exp(weight - most);
  return random.weighted(weights);
}

// By column: 1 where it is fixed (not NaN) and rules bind it to one before it in the order that is not, and
// where it is such a one, or bound to it, from one free column to the next, and before the fixed one.
std::vector<std::uint8_t> weighed_columns(const RowRules& rules, std::span<const std::size_t> order,
                                          std::span<const double> fixed);

// The weighed columns of one row, for a method that draws entries of counts (weighed_cell.hpp).
struct WeighedColumns {
  std::span<const std::size_t> order;     // of all columns
  std::span<const std::uint8_t> weighed;  // by column
  std::span<const double> fixed;          // by column; NaN: free
  // One of them beside the cells before it in the order: its place among them, the column, those cells.
  std::function<WeighedCell(std::size_t, std::size_t, const KnownCells&)> turn;
  std::span<const ColumnCoding> codings = {};
  std::span<const std::shared_ptr<const DistanceCounts>> distances = {};  // by column; empty: there are none
};

// Draws kCandidates and takes one; the first column of all of them is spread evenly over what it may be, so
// that one free column is as good as exact. `noises`: by place, of what is taken. Nothing, or the column that
// was left no value in each of them. Where the rules refuse all that distances propose, candidates are drawn
// without.
std::optional<std::size_t> draw_weighed(const WeighedColumns& columns, RowCells& row,
                                        std::span<double> noises, const Random& random,
                                        std::uint64_t number_of_row, const CancelToken& cancel);

}  // namespace synthema::detail
