// IndependentMarginals: every column drawn by itself. Keeps the columns, loses all dependence: the least that
// a generator must beat, and what it must not fall below in privacy. Conditions hold exactly, on any columns.
// Rules of the schema hold in every row: they are the only dependence that there is. A member of a one-hot or
// exclusive group is drawn by its share in the rows in which none before it is set (continuation ratios;
// Fienberg, "The Analysis of Cross-Classified Categorical Data", 1980, section 6.6), so that each member has
// its share of all rows. Where a condition fixes a column that rules bind to free ones before it, these are
// drawn 64 times and one draw is taken in proportion to how likely it makes what is fixed, as in
// GaussianCopula.
//
// A number that an order of the schema binds to one before it (a discharge after the admission) is learnt and
// drawn as its distance from that one, where distances vary less than half as much as the numbers, as in
// SequentialTrees: distances are a column of their own. Beside a missing one the number itself is drawn. A
// condition on the number proposes what it is measured from.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema {

namespace detail {
struct DistanceCounts;
}

struct IndependentMarginalsOptions {
  std::size_t rare_below = 5;  // people
  std::size_t threads = 0;
};

class SYNTHEMA_EXPORT IndependentMarginals {
 public:
  static constexpr bool honours_conditions = true;

  explicit IndependentMarginals(IndependentMarginalsOptions options = {}) : options_(options) {}
  std::string_view name() const { return "independent_marginals"; }
  const Schema& schema() const { return coded_.schema; }
  const IndependentMarginalsOptions& options() const { return options_; }
  bool fitted() const { return !coded_.columns.empty(); }

  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  Table sample(const SampleRequest& request) const;

  // See LikelihoodGenerator. Rules of the schema on smoothed numbers, and distances, as in SequentialTrees.
  std::vector<double> log_prob(const Table& table, const ProgressSink& progress = {},
                               const CancelToken& cancel = {}) const;

  std::string save() const;  // GenerationError unless fitted
  static IndependentMarginals load(std::string_view file, const std::string& path = {});  // ModelError

 private:
  IndependentMarginalsOptions options_;
  CodedTable coded_;
  std::vector<OwnedCounts> counts_;                                       // by column
  std::vector<std::shared_ptr<const detail::DistanceCounts>> distances_;  // by column; null: of no distance
  RowRules rules_;
};

static_assert(LikelihoodGenerator<IndependentMarginals> && ConditionalGenerator<IndependentMarginals>);

}  // namespace synthema
