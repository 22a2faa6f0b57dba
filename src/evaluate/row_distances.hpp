// Nearest rows between the training, holdout and synthetic rows, each direction searched when it is first
// asked for. Distances are those of a MixedSpace scaled by training and holdout rows together, so that both
// are measured alike.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/resampling.hpp"
#include "synthema/learn/nearest_neighbours.hpp"

namespace synthema::detail {

enum class Rows : std::uint8_t { training, holdout, synthetic };

// Two nearest rows each; infinite where there are fewer.
struct NearestTwo {
  std::vector<double> first, second;
};

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
  // Share of each synthetic row that training wins: training and holdout rows are cut by the seed into
  // equally large parts, whole units each; the part with the nearest row wins, and parts at the same distance
  // share it.
  const std::vector<double>& won_by_training(const EvaluationContext& context);
  // What a training part wins of what a training part and a holdout part win, where training parts together
  // win the share `won`: 1/2 where all parts are alike, 1 where training rows alone are nearest, whatever the
  // sizes. It rises with `won`, and is `won` where both have one part.
  double per_part(double won) const;
  // Once won_by_training() was asked for.
  std::size_t parts(Rows which) const { return parts_[static_cast<std::size_t>(which)].size(); }
  std::size_t part_rows() const { return part_rows_; }
  // Nearest-neighbour adversarial accuracy of as many rows of each table, drawn by the seed.
  double adversarial_accuracy(Rows real, const EvaluationContext& context);
  std::size_t equal_rows() const;

 private:
  void cut_parts();
  NeighbourIndex index_of(Rows which, const std::vector<std::size_t>& chosen) const;
  const NeighbourIndex& index(Rows which);
  const NeighbourIndex& equal_index(Rows which);
  // As first(), of as many rows of each table.
  const std::vector<double>& equal_first(Rows from, Rows to, const EvaluationContext& context);

  MixedSpace space_;
  std::array<MixedRows, 3> encoded_;
  std::array<Units, 3> units_;
  std::array<std::vector<std::size_t>, 3> unit_order_;  // by content: draws do not see the order of rows
  std::array<std::optional<NeighbourIndex>, 3> indexes_, equal_indexes_;
  std::array<std::array<std::optional<NearestTwo>, 3>, 3> nearest_;
  std::array<std::array<std::optional<std::vector<double>>, 3>, 3> first_, equal_first_;
  std::optional<std::vector<double>> won_;
  std::array<std::vector<std::vector<std::size_t>>, 2> parts_;  // training, holdout
  std::size_t part_rows_ = 0;
  std::uint64_t seed_;
  std::recursive_mutex mutex_;
};

// The distances of this run, or new ones where the context shares none. Null if the tables share no column.
std::shared_ptr<RowDistances> row_distances(const Table& training, const Table& synthetic,
                                            const EvaluationContext& context);

}  // namespace synthema::detail
