// Nearest rows between the training, holdout and synthetic rows, each direction searched when it is first
// asked for. Distances are those of a MixedSpace scaled by training and holdout rows together, so that both
// are measured alike.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/resampling.hpp"
#include "synthema/learn/nearest_neighbours.hpp"

namespace synthema::detail {

enum class Rows : std::uint8_t { training, holdout, synthetic };

// The nearest row each: how far it is, and its number.
struct NearestOne {
  std::vector<double> distance;
  std::vector<std::uint32_t> row;
};

// Two nearest rows each; infinite where there are fewer.
struct NearestTwo {
  std::vector<double> first, second;
  std::vector<std::uint32_t> row;  // the first
};

// The few nearest of these rows to each query, as an index of them all would find them; infinite where there
// are fewer. `at_once`: rows that are in one index, since that of two large tables takes as much memory as
// theirs.
using NearestFew = std::array<Neighbour, 8>;
std::vector<NearestFew> nearest_few(std::span<const NeighbourIndex::RowOf> rows,
                                    const NeighbourIndex& queries, const EvaluationContext& context,
                                    std::size_t at_once = std::size_t{1} << 18);

class RowDistances {
 public:
  // `holdout` may be null, or lack columns: those that only the others have are then left out.
  // `columns`: only these, which all have; empty: all that can be compared.
  RowDistances(const Table& training, const Table& synthetic, const Table* holdout, std::uint64_t seed,
               std::vector<std::string> columns = {});

  const std::vector<std::string>& columns() const { return space_.names(); }
  std::size_t rows(Rows which) const { return units(which).of_row.size(); }
  const Units& units(Rows which) const { return units_[static_cast<std::size_t>(which)]; }

  // From each row of one table to the rows of the other; within a table, to rows of other units.
  const NearestTwo& nearest(Rows from, Rows to, const EvaluationContext& context);
  // The nearest alone, each direction searched once however many measures ask.
  const std::vector<double>& first(Rows from, Rows to, const EvaluationContext& context);
  // Share of each synthetic row that training wins: 1 where a training row is nearer than all holdout rows, 0
  // where it is the other way round, and the share of training rows among those at the same distance where
  // both are (equal rows all count; of different ones the first few, in an order that does not know whose
  // they are).
  const std::vector<double>& won_by_training(const EvaluationContext& context);
  // The share that training wins of rows of the same distribution as both: that of its units among all units.
  double won_by_chance() const;
  // How many independent synthetic rows the share that training wins is worth, where it is chance which real
  // units are training's (derived in nearest_rows.hpp): n such that its variance is c (1 - c) / n, at least
  // 1; infinite where every split of the real units gives the same share.
  double independent_rows(const EvaluationContext& context);
  // Wilson's interval of that share, as one of `groups` that shall all be right in 95 %; nothing where its
  // width would be 0.
  std::optional<Interval> split_interval(const EvaluationContext& context, std::size_t groups = 1);
  // Synthetic rows with the same nearest training unit as one unit.
  Units by_nearest_training(const EvaluationContext& context);
  // 1/2 + l/2, where training wins the share `won` and l = (won - chance) / (1 - chance) is the share of
  // synthetic rows that follow training rows: 1/2 on average where none does, 1 where all do, whatever the
  // sizes. 0 to 1.
  double against_chance(double won) const;
  // Why a share that training wins says nothing, where the holdout wins too few rows for fresh ones to have
  // 1/2 on average; else empty.
  std::string no_share() const;
  // For each row of training its share of synthetic rows among its nearest rows, synthetic or of other
  // training units: 1, 0, or between where both are at the same distance, as in won_by_training().
  std::vector<double> won_by_synthetic(const EvaluationContext& context);
  // Nearest-neighbour adversarial accuracy of as many rows of each table, drawn by the seed; where a nearest
  // row could be of either table, the row counts by the share of its own table among them.
  double adversarial_accuracy(Rows real, const EvaluationContext& context);
  std::size_t equal_rows() const;

 private:
  // Two tables whose rows may be nearest to a row; rows of its own unit are not.
  struct Contest {
    Rows from, winner, loser;
    bool equal;  // as many rows of each table
  };
  // By key of contents: how many rows are nearest to real rows of these contents, ties shared.
  using NearestTo = std::unordered_map<std::uint64_t, double>;
  // By row of `from`; the distances are those of its rows to the two tables. `nearest_to` takes the rows at
  // the same distance from both, where it is asked for.
  std::vector<double> won(const Contest& contest, const std::vector<double>& to_winner,
                          const std::vector<double>& to_loser, const EvaluationContext& context,
                          NearestTo* nearest_to = nullptr);
  void share_ties(std::vector<double>& won, const Contest& contest, const std::vector<std::size_t>& tied,
                  const std::vector<double>& distances, const EvaluationContext& context,
                  NearestTo* nearest_to);
  const std::vector<std::uint32_t>& first_rows(Rows from, Rows to, const EvaluationContext& context);
  // The second nearest training row is searched with the first: ratios of distances ask for it.
  bool searches_two(Rows from, Rows to) const;
  // The rows of a table that take part.
  std::vector<std::size_t> taken(Rows which, bool equal) const;
  NeighbourIndex index_of(Rows which, const std::vector<std::size_t>& chosen);
  const NeighbourIndex& index(Rows which);
  const NeighbourIndex& equal_index(Rows which);
  // As first(), of as many rows of each table.
  const std::vector<double>& equal_first(Rows from, Rows to, const EvaluationContext& context);

  MixedSpace space_;
  std::array<MixedRows, 3> encoded_;  // until there is an index of them
  std::array<Units, 3> units_;
  std::array<std::vector<std::size_t>, 3> unit_order_;  // by content: draws do not see the order of rows
  std::array<std::optional<NeighbourIndex>, 3> indexes_, equal_indexes_;
  std::array<std::array<std::optional<NearestTwo>, 3>, 3> nearest_;
  std::array<std::array<std::optional<NearestOne>, 3>, 3> first_, equal_first_;
  std::optional<std::vector<double>> won_;
  NearestTo won_from_;                              // of the rows in won_
  std::array<std::vector<std::uint64_t>, 3> keys_;  // of contents
  std::uint64_t seed_;
  std::recursive_mutex mutex_;
};

// The distances of this run, or new ones where the context shares none. Null if the tables share no column.
std::shared_ptr<RowDistances> row_distances(const Table& training, const Table& synthetic,
                                            const EvaluationContext& context);

}  // namespace synthema::detail
