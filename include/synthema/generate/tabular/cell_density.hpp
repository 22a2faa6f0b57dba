// How likely draw_cell (column_coding.hpp) gives a cell, and real columns as cells to ask about.
//
// The measure, by which likelihoods of all generators are told:
//   labels, booleans, being missing, integers   counting: a probability
//   reals on a grid, times                      the probability of the grid point over the width of the grid,
//                                               in the column's own unit and in microseconds: a density that
//                                               is constant around each point
//   reals without a grid                        a density in the column's own unit; values that
//                                               `rare_below` people share are points with a probability of
//                                               their own (Lebesgue measure plus counting measure at those)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema {

// Of a point of the grid in that measure: what its probability is divided by. 1 where it is counted.
double measure_width(const ColumnCoding& coding);

// What a density of that measure at the cell is taken times to be a share in no unit: the width of its point
// of the grid; of reals without one, of as much as lies between two values on average.
double unit_at(const ColumnCoding& coding, double cell);

// The lowest and the highest cell that samples have of a number.
std::pair<double, double> reach_of(const ColumnCoding& coding);

// The nearest cell of a number that samples may have: on its grid, and away from what a single person has;
// which side is looked at first depends on `bits`.
double settled_cell(const ColumnCoding& coding, double x, std::uint32_t bits);
// The same, in this range where there is such a place.
double settled_cell(const ColumnCoding& coding, double x, std::uint32_t bits,
                    std::pair<double, double> preferred);

// An entry of the counts from which draw_cell may give the cell, and how likely it does once it took it.
struct EntryDensity {
  std::size_t entry = 0;
  double density = 0;  // positive
};

// All such entries, in no order, none twice; empty: the cell is never drawn. Logarithmic in the number of
// entries, plus what lies between two frequent values. Counts that are empty draw a missing cell: ask
// log_density.
void entry_densities(const ColumnCoding& coding, const CodeCounts& counts, double cell,
                     std::vector<EntryDensity>& out);

// The same before places of single people are left, and in no unit: what it says of a number that one person
// has is like what it says of one that nobody has, or two.
void undisplaced_densities(const ColumnCoding& coding, const CodeCounts& counts, double cell,
                           std::vector<EntryDensity>& out);

// Their mean over the rows of the counts: how likely a cell is, at its point of the grid or, of reals without
// one, over as much as lies between two values on average.
double share_at(const ColumnCoding& coding, const CodeCounts& counts, double cell);

// Natural logarithm; -infinity: never drawn.
SYNTHEMA_EXPORT double log_density(const ColumnCoding& coding, const CodeCounts& counts, double cell);

// A real column as cells of a coded one: NaN where it is missing, infinity where it has what the coding never
// gives (a label that is not handed on, a number off the grid). Labels may be text or category; numbers real
// or integer. SchemaError for another kind.
SYNTHEMA_EXPORT std::vector<double> cells_of(const ColumnCoding& coding, const Column& column);

// By column, empty for those that are drawn afresh: they are left out of likelihoods and may be left out of
// the table. SchemaError names a column that is not there.
SYNTHEMA_EXPORT std::vector<std::vector<double>> cells_of(std::span<const ColumnCoding> columns,
                                                          const Table& table);

}  // namespace synthema
