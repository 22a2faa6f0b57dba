// A number that a rule of the schema keeps above or below another one, learnt as its distance from that one:
// a discharge as the stay after the admission. Only where distances vary less than half as much as the
// numbers: else the number itself, with the round values that people write, says more. And only where the
// grid of the column has all places of the other one, so that a distance leads from there to a number that
// the column may have.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/generate/tabular/model_arrays.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

struct OrderDistance {
  std::size_t from = 0;  // the column that it is measured from, which is drawn before
  ColumnCoding coding;   // of the distances, in the unit of both numbers; missing where either is

  // Whether there is something to measure from in a row.
  bool is_measured(const KnownCells& row) const {
    return row.known[from] != 0 && !std::isnan(row.cells[from]);
  }
  // Of two cells, which are not missing, as a cell of the distances; off their grid where it is.
  double cell_of(std::span<const ColumnCoding> columns, std::size_t column, double cell, double base) const {
    return coding.cell_of_number(columns[column].number(cell) - columns[from].number(base));
  }
  // What a density of the distances is taken times to be one of the column's own cells (cell_density.hpp).
  double units(const ColumnCoding& own) const;
};

struct LearntDistance : OrderDistance {
  std::vector<std::uint32_t> codes;  // of the distances, by row
  std::vector<std::uint8_t> open;    // by row: whether there is something to measure from

  OwnedCounts counts() const;  // of open rows
};

// Without those that are missing.
OwnedCounts present_of(const ColumnCoding& coding, const CodeCounts& counts);

// Whether rules order this one of the columns against `from`, which is one of those `before` it.
bool may_be_measured(const CodedTable& table, std::size_t column, std::size_t from,
                     std::span<const std::size_t> before);

// Measured from the one of the columns `before` it that rules order this one against which leaves the numbers
// the least variance, rows counted in which it is missing; of several the first of the table. Nothing where
// there is none, or the column's own values say more.
std::optional<LearntDistance> learn_distance(const CodedTable& table, const RowRules& rules,
                                             std::size_t column, std::span<const std::size_t> before,
                                             const CodingOptions& options);

// How often a method draws which distance.
struct DistanceCounts : OrderDistance {
  OwnedCounts counts;
};
// By column; null: the number itself is drawn.
using Distances = std::vector<std::shared_ptr<const DistanceCounts>>;

// Of all columns in this order, by their counts.
Distances learn_distances(const CodedTable& table, const RowRules& rules, std::span<const std::size_t> order,
                          const CodingOptions& options);

void put_distances(ModelArrays& file, const Distances& distances);
Distances get_distances(const ModelArrays& file, const CodedTable& coded, std::span<const std::size_t> order);

// A cell of the column at the distance from the base: on the column's grid, away from what single people have
// (which side is looked at first, `bits` say). Nothing beyond what the column's samples reach, unless the
// base lies beyond what its own do.
std::optional<double> cell_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                       const OrderDistance& distance, double base, double cell_of_distance,
                                       std::uint32_t bits);

// That to which an entry of counts leads, as far as distances of samples go: what few people have at the ends
// is not drawn.
std::optional<double> cell_of_entry(const OrderDistance& distance, const RuledCell& ruled,
                                    std::uint32_t code);

// A distance that is not missing, at the block's first number among these; NaN where there is none.
double present_distance(const OrderDistance& distance, const CodeCounts& counts, PhiloxBlock block);

// And the cell from which the column's cell is at the distance, in the same way.
std::optional<double> base_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                       const OrderDistance& distance, double cell, double cell_of_distance,
                                       std::uint32_t bits);

// Where the rules refuse a distance, another one that is not missing.
inline constexpr std::uint64_t kDistanceDraws = 8;

// A cell at a distance that draw(i, block) gives; with i > 0 that is never missing, and nothing where there
// is none. Nothing where the rules refuse all of them: admitted_at_distance, end_at_distance and
// RuledCell::draw follow.
template <class Draw>
std::optional<double> draw_at_distance(const OrderDistance& distance, const RuledCell& ruled,
                                       const Random& random, std::uint64_t number_of_row, const Draw& draw,
                                       std::uint64_t first = 0) {
  for (std::uint64_t i = first; i <= kDistanceDraws; ++i) {
    const PhiloxBlock block = random.block(number_of_row, ruled.column + (i << 40));
    const std::optional<double> drawn = draw(i, block);
    if (!drawn) return std::nullopt;
    if (std::isnan(*drawn) && ruled.admits(*drawn)) return drawn;
    if (std::isnan(*drawn)) continue;
    const auto cell = cell_at_distance(ruled.columns, ruled.column, distance, ruled.row.cells[distance.from],
                                       *drawn, block[0]);
    if (cell && ruled.admits(*cell)) return cell;
  }
  return std::nullopt;
}
// The entries that are not missing and that the rules admit.
OwnedCounts admitted_of(const OrderDistance& distance, const RuledCell& ruled, const CodeCounts& counts);

// At one of these: such ones may be too rare to come in few draws of all. Nothing where there is none.
std::optional<double> admitted_at_distance(const OrderDistance& distance, const RuledCell& ruled,
                                           const CodeCounts& counts, const Random& random,
                                           std::uint64_t number_of_row);

// From the first of these counts that has a distance which the rules admit: of a leaf, of all rows; else
// end_at_distance.
std::optional<double> draw_at_distance(const OrderDistance& distance, std::span<const CodeCounts> counts,
                                       const RuledCell& ruled, const Random& random,
                                       std::uint64_t number_of_row);

// Where the rules admit none of the distances, since these lead beyond what the rules leave or samples have
// of the column: the end of that, and not any number that the rules leave. Nothing where they refuse it.
std::optional<double> end_at_distance(const OrderDistance& distance, const RuledCell& ruled);

// From which entries of the counts a distance is drawn that leads to a cell, which is not missing, and how
// dense each is there, in the measure of the column's own cells. It knows that places of single people are
// left.
std::vector<EntryDensity> densities_at_distance(std::span<const ColumnCoding> columns, std::size_t column,
                                                const OrderDistance& distance, double base,
                                                const CodeCounts& counts, double cell);

// How likely a first draw of a distance is missing, taken or refused; what the rules refuse is counted by
// values. And how dense it is at a cell, which is not missing, in the measure of cell_density.hpp.
struct DistanceShares {
  double missing = 0, taken = 0, refused = 0, density = 0;
  std::optional<double> end = {};  // end_at_distance
};
DistanceShares shares_of_distances(const OrderDistance& distance, const CodeCounts& counts,
                                   const RuledCell& ruled, double cell);

// Natural logarithm of how likely draw_at_distance from `counts`, and RuledCell::draw from `own` where it
// gives nothing, give the cell.
double log_density_at_distance(const OrderDistance& distance, std::span<const CodeCounts> counts,
                               std::span<const CodeCounts> own, const RuledCell& ruled, double cell);
// Where the only counts have these shares at the cell.
double log_density_at_distance(const DistanceShares& shares, std::span<const CodeCounts> own,
                               const RuledCell& ruled, double cell);

}  // namespace synthema::detail
