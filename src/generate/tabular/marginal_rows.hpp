// Rows of a model of marginals: states become cells, the total of a sum follows from its parts, and a row
// that breaks a rule of the schema is drawn again (marginal_rows.cpp); how likely given rows are
// (marginal_likelihood.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/generate/tabular/listed_numbers.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/private_column.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/learn/graphical_model.hpp"

namespace synthema::detail {

class MarginalRows {
 public:
  // `modelled`: the column of each variable of the model. All must outlive it.
  MarginalRows(const Schema& schema, std::span<const PrivateColumn> columns,
               std::span<const std::size_t> modelled, const GraphicalModel& model, std::size_t threads);
  MarginalRows(const MarginalRows&) = delete;
  MarginalRows& operator=(const MarginalRows&) = delete;

  const RowRules& rules() const { return rules_; }
  std::span<const ColumnCoding> codings() const { return codings_; }

  // By column and row. GenerationError where rules, conditions and what was learnt do not go together.
  std::vector<std::vector<double>> draw(const SampleRequest& request, const CellConditions& conditions) const;
  // Of rows that are given as cells, by column: see PrivateMarginals::log_prob.
  std::vector<double> log_prob(const std::vector<std::vector<double>>& cells, std::size_t rows,
                               const ProgressSink& progress, const CancelToken& cancel) const;

 private:
  struct Row;      // while it is drawn
  struct Scoring;  // of one row after the other
  Row new_row() const;
  void draw_conditioned(const SampleRequest& request, const CellConditions& conditions,
                        std::vector<std::vector<double>>& out) const;
  void draw_row(const TreeSampler& sampler, const CellConditions& conditions, const Random& random,
                std::uint64_t number, Row& row, std::vector<std::vector<double>>& out) const;
  // One attempt; the column that breaks a rule, or their number.
  std::size_t try_row(const TreeSampler& sampler, const Random& random, std::uint64_t number, Row& row) const;
  void set_following(Row& row) const;
  std::size_t broken_at(Row& row) const;

  double share_kept() const;
  double log_prob_of(Scoring& row) const;
  void note_determined(Scoring& row) const;
  void note_listed(Scoring& row) const;
  bool weigh_states(std::size_t variable, Scoring& row) const;

  std::span<const PrivateColumn> columns_;
  std::span<const std::size_t> modelled_;
  const GraphicalModel& model_;
  std::size_t threads_;
  std::vector<ColumnCoding> codings_;
  RowRules rules_;
  ListedNumbers listed_;
  std::vector<std::size_t> variable_of_;  // by column
  std::vector<std::size_t> order_;        // of modelled columns, as rules want them
  std::vector<std::size_t> following_;    // from the others, in a row of which nothing is fixed
};

struct MarginalRows::Row {
  std::vector<double> fixed, cells;  // by column; fixed: NaN where free, empty without conditions
  std::vector<std::uint8_t> known;
  std::vector<std::size_t> following;
  std::vector<std::uint32_t> states;  // by variable
};

}  // namespace synthema::detail
