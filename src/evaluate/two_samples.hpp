// Real and synthetic rows in one table, for models that tell them apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

// The comparable columns of both tables, numbers as real and the rest as categories; the rows in an order
// that their contents decide, so that what follows does not depend on the order they came in.
struct TwoSamples {
  Table table;
  std::vector<std::string> columns;
  std::vector<double> is_synthetic;  // by row, 0 or 1
  Units units;                       // nobody is in both samples

  std::vector<std::size_t> fold_of_row(std::size_t folds, std::uint64_t seed) const;  // stratified, by unit
};

TwoSamples two_samples(const Table& real, const Table& synthetic);

// Each column's values shuffled among the rows: the same marginals, no dependence. Unchanged where the rows
// come in another order.
Table independent_marginals(const Table& table, std::uint64_t seed);

// Half of the subjects as they are, against the other half with their columns shuffled apart: what knows the
// marginals and nothing else. All rows shuffled against themselves would have marginals that agree too well.
// Empty samples where there are fewer than two subjects.
TwoSamples against_marginals(const Table& table, std::uint64_t seed);

// A number for the contents of each row in these columns: equal rows of any table have the same.
std::vector<std::uint64_t> content_keys(const Table& table, const std::vector<std::string>& columns);
// Row positions in an order that the contents of these columns decide.
std::vector<std::size_t> order_by_content(const Table& table, const std::vector<std::string>& columns);

// Units in an order that their contents decide, whatever the order of the rows.
std::vector<std::size_t> units_by_content(const Table& table, const Units& units,
                                          const std::vector<std::string>& columns);
// One row each of at most `most` units, which contents and `random` alone decide: attacks on people are
// independent where nobody is attacked twice.
std::vector<std::size_t> drawn_rows(const Table& table, const std::vector<std::string>& columns,
                                    std::size_t most, Random random);

// value +- 1.96 standard errors from what each row adds to the error, summed by unit. Nothing where the rows
// add nothing, which is no certainty.
std::optional<Interval> influence_interval(double value, std::span<const double> influence,
                                           const Units& units, Range range);

}  // namespace synthema::detail
