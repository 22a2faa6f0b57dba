// SequentialTrees: one column after the other, each drawn from a leaf of a tree that asks for the columns
// drawn before it (Reiter, "Using CART to generate partially synthetic public use microdata", Journal of
// Official Statistics 2005; synthpop, Nowok, Raab and Dibben, Journal of Statistical Software 2016). Ours
// cut where distributions differ (learn/distribution_tree.hpp) and never hand on what few people have
// (column_coding.hpp).
//
// Order: the columns named in `first`, then the target (the option, else the column with the role), then the
// others as the table has them. What comes early is kept best, what depends on the target is learnt given it.
// Leaf: at least `min_leaf` rows; 0 means a thousandth of the table's rows, from 20 to 50. One in which are
// fewer than `rare_below` people is not drawn from, but the whole column. A tree is cut
// where the gain is `min_gain` standard deviations above chance: lower values follow the table closer, higher
// ones keep farther from single rows.
//
// Subjects: chance is what people give, not rows (learn/distribution_tree.hpp), so that no person's rows
// alone make a cut, and of a person with more than one in `rare_below` of the rows of a leaf the surplus is
// left out of it. Rows of a number that is unknown, since a person has too many (column_coding.hpp), teach
// its tree nothing. A tree that asks for an unknown cell gets that of another row.
//
// Conditions hold exactly, on any columns; a missing cell of a condition leaves its column free. Where the
// fixed columns are the first ones in the order, the others follow their distribution given these. Where they
// are not, `particles` candidates for what stands before them are drawn, and one is taken in proportion to
// how likely it makes what is fixed (sampling and importance resampling, Rubin 1988): exact as particles
// grow. What a fixed number is measured from at a distance (below) is proposed by it: the number less a drawn
// distance, weighed against how often that is proposed. What rules leave of a free column beside the fixed
// ones counts as well: a member of a one-hot group that is not set since a later one is fixed as set is as
// likely as its tree says that it is not set. Name columns in `first` to have them there. A label or number
// that the training table did not have is a GenerationError.
//
// Ranges, labels and rules of the schema hold in every row (row_rules.hpp), together with conditions: the
// columns that a rule asks about come first, and each column is drawn from what its leaf has left under
// them, then from what the whole column has left, then from the nearest end of the range that is left. A row
// that runs into a dead end is drawn again, at most 100 times. What can be seen to contradict itself is a
// GenerationError before the first row; so is, with its column, what turns out to.
//
// A number that an order of the schema binds to one before it (a discharge after the admission) is learnt and
// drawn as its distance from that one, where distances vary less than half as much as the numbers
// (order_distance.hpp). Its likelihood leaves out that places of single people are left.
//
// Wide tables: the first cut of a tree is the best of all columns before its own, the others are the best of
// the `predictors` columns that exceed chance most in that first search (as in sure independence screening,
// Fan and Lv 2008). What matters only within a part of the rows is missed where so many others matter more.
//
// Cost: fit rows x columns^2 / 2 once, and rows x columns x min(columns / 2, predictors) x depth, over
// threads by column; sample rows x columns x depth.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/learn/histogram_tree.hpp"

namespace synthema {

class CellConditions;
namespace detail {
class ModelArrays;
struct RuledCell;
}  // namespace detail

struct SequentialTreesOptions {
  std::string target = {};              // empty: the column with the role target, if any
  std::vector<std::string> first = {};  // columns that come before all others, in this order
  std::size_t min_leaf = 0;
  double min_gain = 3;         // of a cut, in standard deviations above chance
  std::size_t rare_below = 5;  // people
  std::size_t particles = 32;
  std::size_t predictors = 64;  // columns that a tree may ask for below its first cut; 0: all
  // Groups of columns of which only those combinations are drawn that `rare_below` people have: a code and
  // its chapter, a ward and its hospital.
  std::vector<std::vector<std::string>> combinations = {};
  std::size_t threads = 0;
};

class SYNTHEMA_EXPORT SequentialTrees {
 public:
  static constexpr bool honours_conditions = true;

  SequentialTrees() = default;
  explicit SequentialTrees(SequentialTreesOptions options);  // ConfigError where they are out of range

  std::string_view name() const { return "sequential_trees"; }
  const Schema& schema() const { return coded_.schema; }
  const SequentialTreesOptions& options() const { return options_; }
  bool fitted() const { return !coded_.columns.empty(); }
  std::vector<std::string> order() const;  // of the columns, as they are drawn

  // Errors of code_table; ConfigError where a named column is not there.
  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  Table sample(const SampleRequest& request) const;

  // The rows of a table with the columns of the training table; each missing cell is drawn given those of its
  // row that are there, as conditions are, and is not missing where the training table had any value. Cells
  // that are there stay as they are; labels that the training table did not have say nothing about the
  // others. Rules of the schema hold among what is drawn and what is known, numbers beyond those of the
  // training table among it; a cell for which they leave no value stays missing. SchemaError where columns or
  // kinds differ.
  Table impute(const Table& table, std::uint64_t seed, const ProgressSink& progress = {},
               const CancelToken& cancel = {}) const;

  // See LikelihoodGenerator. Exact but for rules of the schema on numbers that are smoothed, where what they
  // leave of a leaf is counted by its values, and for rows that would be drawn again after a dead end.
  std::vector<double> log_prob(const Table& table, const ProgressSink& progress = {},
                               const CancelToken& cancel = {}) const;

  std::string save() const;  // GenerationError unless fitted
  static SequentialTrees load(std::string_view file, const std::string& path = {});  // ModelError

 private:
  struct LeafCounts {
    std::vector<std::size_t> begin;                // of each leaf in `codes`, and the end
    std::vector<std::uint32_t> codes, cumulative;  // leaf by leaf
    OwnedCounts all;                               // of the whole column
    CodeCounts of(std::size_t leaf) const;
  };
  struct Distances;
  struct Step {
    std::size_t column = 0;
    HistogramTree tree;
    LeafCounts counts;
    std::shared_ptr<const Distances> distances;  // of a number that is drawn at one from another
    bool limited = false;  // the schema leaves out some of the values, whatever stands in the row
  };
  struct RowState;

  std::vector<std::size_t> choose_order(const Table& real) const;
  // `rows`: all, those of a person together.
  Step grow(std::size_t position, std::span<const std::vector<std::uint8_t>> bins,
            std::span<const std::uint32_t> rows, const CancelToken& cancel) const;
  Table draw_rows(const SampleRequest& request, const CellConditions& conditions, bool whole) const;
  Step load_step(const detail::ModelArrays& file, std::size_t position) const;
  const TreeNode& descend(const Step& step, const RowState& state) const;
  bool has_subjects() const { return coded_.schema.subject() != nullptr; }
  std::vector<std::uint32_t> codes_of_leaf(const ColumnCoding& coding,
                                           const std::vector<std::uint32_t>& codes,
                                           std::vector<std::uint32_t> rows) const;
  // `open` empty: all rows count.
  LeafCounts count_leaves(const ColumnCoding& coding, const std::vector<std::uint32_t>& codes,
                          std::span<const std::size_t> begin, std::span<const std::uint32_t> rows,
                          std::span<const std::uint8_t> open = {}) const;
  static LeafCounts load_leaves(const detail::ModelArrays& file, const std::string& key,
                                const ColumnCoding& coding, std::size_t leaves);
  void load_distances(const detail::ModelArrays& file);
  bool draw(std::size_t position, const Random& random, std::uint64_t row, RowState& state) const;
  double log_density(const Step& step, std::size_t leaf, const detail::RuledCell& ruled, double cell) const;
  double log_share(std::size_t position, double cell, const RowState& state) const;
  double log_left(std::size_t position, const RowState& state) const;
  double log_taken(std::size_t position, double cell, const RowState& state) const;
  double log_kept(std::size_t position, double cell, const RowState& state) const;
  double log_share_against(std::size_t position, double cell, const RowState& state) const;
  bool may_propose(const Step& step, const RowState& state) const;
  double share_proposed_missing(std::size_t column, const RowState& state) const;
  bool propose(std::size_t end, std::size_t candidate, const Random& random, std::uint64_t row,
               RowState& state) const;
  bool take_proposed(std::size_t position, const Random& random, std::uint64_t row, double& weight,
                     RowState& state) const;
  bool draw_candidates(std::uint64_t row, const Random& random, std::size_t end, RowState& state) const;
  bool draw_candidates(std::uint64_t row, const Random& random, std::size_t end, bool proposing,
                       RowState& state) const;
  bool is_bound(const Step& step, std::span<const std::uint8_t> known) const;
  bool looks_ahead(std::size_t position, const RowState& state) const;
  void note_limits();
  // False: a dead end, at state.stuck.
  bool try_row(std::uint64_t row, const Random& random, RowState& state) const;
  void sample_row(std::uint64_t row, const Random& random, RowState& state) const;

  SequentialTreesOptions options_;
  CodedTable coded_;                // without codes once fitted
  std::vector<std::size_t> order_;  // modelled columns
  std::vector<Step> steps_;         // by position in the order
  RowRules rules_;
};

static_assert(LikelihoodGenerator<SequentialTrees> && ConditionalGenerator<SequentialTrees>);

}  // namespace synthema
