// GaussianCopula: columns of any distribution, tied by the correlations of a normal vector (Patki, Wedge and
// Veeramachaneni, "The Synthetic Data Vault", DSAA 2016, section III).
//
// Each value, label and the missing one have a share of the unit interval, in the order of the column's
// codes; a row of the table is the normal scores of their middles. Scores of few different values understate
// the correlation of what lies behind them: that which makes the scores correlate as they do is found from
// their Hermite expansions (a polychoric correlation; Olsson 1979, Xiao 2014), then the nearest correlation
// matrix is taken by clipping eigenvalues. Only pairwise, monotone dependence is kept, and labels without
// order depend on the order that they have. Where a subject has several rows, correlations are brought nearer
// to zero by what they vary from person to person: what one person's rows make is hardly learnt.
//
// Conditions: what is fixed holds exactly; the other columns follow the normal distribution given normal
// scores drawn from the shares of the fixed values, one given those before it. Exact for numbers of many
// values, an approximation for labels. What the columns before it determine but for one part in a hundred
// (more in a short table) says nothing beyond them: of columns that are linearly dependent the rest is
// sampling error, and would drag unrelated columns along.
//
// Rules of the schema hold in every row (row_rules.hpp), as in SequentialTrees: the variables are drawn one
// after the other, each from what the rules leave of its column given the scores of those before it. What a
// rule determines (a total, the last of a one-hot group) says nothing beyond the columns it follows from.
//
// A number that a rule of the schema puts above or below another one (a date after another) stands for its
// distance from that one, where distances vary less than half as much as the numbers (order_distance.hpp):
// the correlations of its variable are those of the distance, in rows in which both are there. Where that one
// is missing, log_prob takes the number for about where it would be. Where distances vary more it stands for
// its place in what the other leaves of its values, whose distribution is learnt too, so that the rule does
// not push it away. From published statistics, and where the rule holds for some numbers only, it stands for
// its value; what the rule refuses is then drawn again.
//
// A condition on a column that rules bind to free ones before it (the later of two numbers, a total, a code
// of a chapter) weighs on these: they are drawn 64 times, the first of them spread evenly over what it may
// be, and one draw is taken in proportion to how likely it makes what is fixed (sampling and importance
// resampling, Rubin 1988), as in SequentialTrees; the other free columns follow given these. What the fixed
// one is measured from is the fixed number less a drawn distance, weighed by how likely it is.
//
// Members of a one-hot or exclusive group are not tied to each other. Each stands for whether it is set where
// none before it is, in the order of drawing, and its scores are those of such rows (continuation ratios;
// Fienberg, "The Analysis of Cross-Classified Categorical Data", 1980, section 6.6). So every member has its
// share, and depends on other columns in a way of its own.
//
// log_prob: the mean over 128 points of a lattice of what the cells say about the normal vector, one variable
// after the other (Genz 1992), numbers of many values first. Exact where at most one column is a label;
// sums to one over all rows in any case.
//
// Cost: fit rows x columns^2 + columns^3, sample rows x columns^2.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/published_statistics.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema {

namespace detail {
struct DistanceCounts;
struct Room;
struct ScoreFunction;
}  // namespace detail

struct GaussianCopulaOptions {
  std::size_t rare_below = 5;  // people
  std::size_t threads = 0;
};

class SYNTHEMA_EXPORT GaussianCopula {
 public:
  static constexpr bool honours_conditions = true;

  explicit GaussianCopula(GaussianCopulaOptions options = {}) : options_(options) {}
  std::string_view name() const { return "gaussian_copula"; }
  const Schema& schema() const { return coded_.schema; }
  const GaussianCopulaOptions& options() const { return options_; }
  bool fitted() const { return !coded_.columns.empty(); }
  // Of the normal variables, row by row: the modelled columns, then the numbers that may be missing.
  const std::vector<double>& correlations() const { return correlations_; }

  // Without any row: from published means, spreads, shares and correlations. Marginals: numbers with mean and
  // sd are beta-distributed within a range, gamma-distributed above or below a bound, else normal; with
  // quartiles shifted log-normal, cut at the range; in steps of the field's decimals. SchemaError names a
  // correlation that such columns cannot have, or those that contradict each other by more than rounding.
  static GaussianCopula from_statistics(const PublishedStatistics& statistics,
                                        GaussianCopulaOptions options = {});

  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  Table sample(const SampleRequest& request) const;

  // See LikelihoodGenerator. Rules of the schema on smoothed numbers as in SequentialTrees.
  std::vector<double> log_prob(const Table& table, const ProgressSink& progress = {},
                               const CancelToken& cancel = {}) const;

  std::string save() const;  // GenerationError unless fitted
  static GaussianCopula load(std::string_view file, const std::string& path = {});  // ModelError

 private:
  struct Variable {
    std::size_t column = 0;
    bool missing = false;  // whether the number is missing, not what it is
    OwnedCounts counts;    // of codes; of being there (0) and missing (1)
    // Of a number under an order: quantiles of its place, from 0 to 1, in what the rules leave; and the
    // column that they ask about.
    std::vector<double> places = {};
    std::size_t given = 0;
    // Of a number that stands for its distance from another one.
    std::shared_ptr<const detail::DistanceCounts> distance = nullptr;
  };
  static std::vector<Variable> variables_of(const CodedTable& coded, const RowRules& rules,
                                            std::span<const OwnedCounts> counts);
  // What the rules leave of a number under an order beside the column that they ask about, if that is known.
  std::optional<detail::Room> room_of(const Variable& variable, const KnownCells& row) const;
  // The distance for which the number stands beside these cells; null: for itself, or its place.
  static const detail::DistanceCounts* distance_of(const Variable& variable, const KnownCells& row);
  std::pair<double, double> scores_of_taken(const Variable& variable, double cell, const KnownCells& row,
                                            const std::optional<detail::Room>& room) const;
  bool is_limited() const {
    return std::ranges::any_of(variables_, [](const Variable& v) { return !v.places.empty() || v.distance; });
  }
  struct Evidence;
  Evidence evidence_of(std::span<const std::vector<std::uint8_t>> open) const;
  void limit(Evidence& evidence);
  void measure(Evidence& evidence);
  void limit_one(std::size_t at, Evidence& evidence);
  double rows_behind() const;
  std::size_t told_by(std::size_t variable, const auto& is_missing) const;
  class Rows;
  std::optional<std::vector<detail::ScoreFunction>> score_functions(
      std::span<const std::size_t> active, std::span<const std::vector<double>> bounds,
      std::span<const std::vector<double>> bounds_of_distances, const std::vector<std::vector<double>>& cells,
      std::size_t row) const;

  GaussianCopulaOptions options_;
  CodedTable coded_;
  std::vector<Variable> variables_;
  std::vector<double> correlations_;
  // The same with distances and places of numbers under an order; empty where there is none.
  std::vector<double> limited_;
  RowRules rules_;
};

static_assert(LikelihoodGenerator<GaussianCopula> && ConditionalGenerator<GaussianCopula>);

}  // namespace synthema
