// PrivateMarginals: a differentially private generator of tables. Marginals of one, two and three columns are
// measured with noise, and rows are drawn from the distribution of largest entropy that explains them
// (learn/graphical_model.hpp). In the manner of MST and AIM: McKenna, Miklau and Sheldon, "Winning the NIST
// contest" (Journal of Privacy and Confidentiality 2021); McKenna, Mullins, Sheldon and Miklau, "AIM: an
// adaptive and iterative mechanism for differentially private synthetic data" (VLDB 2022).
//
// Promise: (epsilon, delta)-differential privacy of what is saved and of all that is sampled from it.
// Neighbours: tables that differ by one person who is added or removed. A person is a row, or where the
// schema names a subject all rows of one subject, of which `rows_per_person` at random are used. Not private:
// the names, kinds and roles of columns, what the schema states, and the table that is fitted.
//
// Steps, in one budget of zero-concentrated differential privacy (rho, from epsilon and delta by
// RenyiAccountant, which holds for the discrete Gaussian and the exponential mechanism):
//   1. what values a column has, and their counts (private_domain.hpp): `first_share` of rho, the target's
//      part as large as that of four columns
//   2. a tree of pairs, each the best that joins two parts, chosen by the exponential mechanism and measured
//   3. rounds: estimate, choose the pair (or three columns within a clique) that the model explains worst,
//      measure. Where a round taught less than its noise, the next one gets four times the budget.
// Each of the about 3 x columns rounds of 2 and 3 has the same rho at first, a tenth of it for the choice.
// Cliques have at most `max_cells` cells in all. Pairs with the target count `target_weight` times.
//
// Noise is discrete Gaussian, exact, from the operating system: no seed repeats a fit. Sampling is
// reproducible by its seed.
//
// Conditions hold exactly and the other columns follow the model's distribution given them. The total of a
// sum follows from its parts, or where it is fixed the last open part from the others. Rows that the rules of
// the schema do not allow are drawn again, at most 100 times, then it is a GenerationError.
//
// Cost: fit (rows x pairs of columns + cells x iterations) x rounds; sample rows x columns.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/private_domain.hpp"
#include "synthema/learn/graphical_model.hpp"
#include "synthema/privacy/ledger.hpp"

namespace synthema {

struct PrivateMarginalsOptions {
  double epsilon = 1;
  double delta = 1e-6;              // well below 1 / (number of people)
  std::string target = {};          // empty: the column with the role target, if any
  double target_weight = 2;         // 1: as any other column
  std::size_t rows_per_person = 1;  // where the schema names a subject
  std::size_t bins = 32;            // of a number, at most
  double first_share = 0.2;         // of rho, for single columns
  std::size_t rounds = 0;           // 0: three times the columns
  std::size_t max_cells = 400000;
  bool infer = true;        // false: refuse columns whose labels or range the schema does not name
  std::string ledger = {};  // file in which fits on the same people add up; empty: none
  std::size_t threads = 0;
};

class SYNTHEMA_EXPORT PrivateMarginals {
 public:
  static constexpr bool honours_conditions = true;

  PrivateMarginals() = default;
  explicit PrivateMarginals(PrivateMarginalsOptions options);  // ConfigError where they are out of range

  std::string_view name() const { return "private_marginals"; }
  const Schema& schema() const { return schema_; }
  const PrivateMarginalsOptions& options() const { return options_; }
  bool fitted() const { return !columns_.empty(); }

  // What the schema of the table states is taken as public: leave out of it what was read from the rows.
  // PrivacyBudgetError, before anything is measured, where the ledger's budget does not allow it. Errors of
  // discover_domain; ConfigError where the target is not there; GenerationError, before anything is spent,
  // for rules of the schema that contradict each other or all rows (RowRules), and for keys.
  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  // With this noise. For tests: unless it is private, neither is the result, and it says so.
  void fit(const Table& real, NoiseSource& noise, const ProgressSink& progress = {},
           const CancelToken& cancel = {});
  Table sample(const SampleRequest& request) const;

  // See LikelihoodGenerator. Exact without rules of the schema. With them -inf for rows that break one; that
  // of the others is divided by the share of the model's rows that keep them, which 65,536 draws tell: where
  // half do, within 0.01.
  std::vector<double> log_prob(const Table& table, const ProgressSink& progress = {},
                               const CancelToken& cancel = {}) const;

  const Ledger& ledger() const { return ledger_; }  // one entry, which covers all that was measured
  const std::vector<PrivateSpending>& spending() const { return spending_; }
  bool is_private() const { return ledger_.is_private(); }
  // Columns of which nothing could be told under this budget; they are all missing in samples.
  std::vector<std::string> untold() const;
  // Columns whose decimals, or whole days, could not be told: what samples have there is a guess.
  std::vector<std::string> unresolved() const;
  // Columns of which one label alone could be told, though there seem to be more: all rows have it.
  std::vector<std::string> one_label() const;
  // The columns of each marginal that was measured, single ones first.
  std::vector<std::vector<std::string>> marginals() const;
  const GraphicalModel& model() const { return model_; }
  // For people: the promise, and what was spent where, or on how many kinds of release.
  std::string describe(bool each_release = true) const;

  std::string save() const;  // GenerationError unless fitted
  // ModelError where the file is damaged, or its ledger is missing or does not cover what was measured.
  static PrivateMarginals load(std::string_view file, const std::string& path = {});

 private:
  void note_modelled();

  PrivateMarginalsOptions options_;
  Schema schema_;
  std::vector<PrivateColumn> columns_;
  std::vector<std::size_t> modelled_;  // column of each variable of the model
  GraphicalModel model_;
  Ledger ledger_;
  std::vector<PrivateSpending> spending_;
};

static_assert(LikelihoodGenerator<PrivateMarginals> && ConditionalGenerator<PrivateMarginals>);

}  // namespace synthema
