// What values a column may have, and how they become the states of a discrete model, learnt with differential
// privacy. Nothing is read from the rows for free:
//
//   labels    the schema's categories; where it names none, those whose noisy count passes a threshold
//             (Korolova et al., "Releasing search queries and clicks privately", WWW 2009), which a label of
//             one person does with a probability of at most `delta`. The others share one state.
//   numbers   cells between the schema's minimum and maximum; where it names none, the powers of two between
//             the lowest and the highest with a noisy count that noise alone would not give. Cells with many
//             rows are halved, a few times, by noisy counts again.
//   decimals, and the resolution of times: the schema's decimals, else by noisy counts of how many each needs
//   missing   a state of its own wherever the schema allows it, whether or not any value is
//   columns of which nothing was told are tried once more, with a part of what the budget has left
//   identifiers, subjects   a fixed form or numbers from 1, nothing of the real ones
//
// Names, kinds and roles of columns, their time zones and everything that the schema states are public.
//
// Budgets are in zero-concentrated differential privacy (Bun and Steinke, TCC 2016), in which releases add.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/learn/graphical_model.hpp"
#include "synthema/privacy/noise.hpp"

namespace synthema {

// One kind of release, as the artefact tells it.
struct PrivateSpending {
  std::string released = {};   // "counts of labels: ward"
  std::string mechanism = {};  // "discrete Gaussian", "exponential"
  std::uint64_t releases = 0;  // of this kind
  double noise = 0;            // standard deviation of each count, or the epsilon of each choice
  double rho = 0;              // of all of them together
  double delta = 0;            // that a threshold costs
};

// What one person can change any histogram by (rows of one person that are used) and what was spent of rho.
class SYNTHEMA_EXPORT PrivateBudget {
 public:
  PrivateBudget(double rho, double sensitivity, NoiseSource& source);

  // Adds exact noise to counts and returns its standard deviation. The counts are one histogram: a person is
  // in at most `sensitivity` rows of it. ConfigError where it would exceed the budget.
  double measure(std::span<double> counts, double rho, const std::string& released, double delta = 0);
  // One of the scores, which a person changes by at most `sensitivity` times `weight`.
  std::size_t choose(std::span<const double> scores, double rho, double weight, const std::string& released);

  double sigma_of(double rho) const;  // the noise of measure()
  double left() const { return rho_ - spent_; }
  double spent() const { return spent_; }
  double sensitivity() const { return sensitivity_; }
  const std::vector<PrivateSpending>& spending() const { return spending_; }

 private:
  void spend(PrivateSpending entry);

  double rho_, sensitivity_, spent_ = 0;
  NoiseSource* source_;
  std::vector<PrivateSpending> spending_;
};

// Cells in x of the coding: on a grid the whole numbers low to high - 1, else reals from low to high; one
// value where they are equal.
struct NumberCell {
  double low = 0, high = 0;
  double weight = 1;  // within its state
  std::uint32_t state = 0;
};

struct PrivateColumn {
  ColumnCoding coding;       // for numbers `values` are the two ends
  std::uint32_t states = 0;  // of the model; 0: not modelled
  bool missing = false;      // the last state
  std::vector<std::uint32_t> label_states;
  std::vector<double> label_weights;  // within the state; of `rest`: all labels
  bool rest = false;                  // a state for labels that may not be told, before the missing one
  std::vector<NumberCell> cells;      // ascending
  bool resolved = true;  // decimals, or the resolution of a time, were stated or told; else they are a guess

  bool modelled() const { return states > 0; }
  std::uint32_t missing_state() const { return states - 1; }
  std::uint32_t rest_state() const { return states - 1 - (missing ? 1 : 0); }
  std::uint32_t state_of(double cell) const;  // of a cell of the coding; NaN is missing
  // A cell of the coding; the random numbers decide it.
  double draw(std::uint32_t state, const PhiloxBlock& random) const;
  // Natural logarithm of P(cell | state) in units of the coding's cells; -inf where it is not of the state.
  double log_share(std::uint32_t state, double cell) const;
  void finish();  // indexes for draw(); after loading

 private:
  std::vector<std::vector<std::pair<double, std::uint32_t>>> places_;  // cumulative weight, label or cell
};

struct PrivateDomainOptions {
  std::size_t bins = 32;       // of a number
  bool infer = true;           // false: the schema must name all categories and ranges
  double column_rho = 0;       // for the first counts of each column
  std::string target = {};     // a column that gets
  double target_rho = 0;       // this instead
  double threshold_delta = 0;  // of each column whose labels are not named
  std::size_t threads = 0;
};

struct PrivateDomain {
  std::vector<PrivateColumn> columns;
  std::vector<std::vector<std::uint32_t>> states;  // by modelled column, by row that is used
  std::vector<NoisyMarginal> marginals;            // one for each modelled column, by its number among them
};

// The table under a schema that states nothing that could have been read from its rows: no categories, ranges
// or decimals, and any value may be missing. For schemas that nobody wrote.
SYNTHEMA_EXPORT Table unstated(const Table& table);

// Names of the modelled columns whose resolution noise drowned, in their order.
SYNTHEMA_EXPORT std::vector<std::string> unresolved_of(std::span<const PrivateColumn> columns);

// What is protected, for a ledger: "row, added or removed", or the subject with the rows that are used of it.
SYNTHEMA_EXPORT std::string protected_unit(const Schema& schema, std::size_t rows_per_person);

// At most `most` rows of each person, at random; in the order of the table.
SYNTHEMA_EXPORT std::vector<std::size_t> rows_used(const Table& real, std::size_t most, NoiseSource& noise);

// The rows that the single columns agree on, weighted by the precision of their sums; at least 1.
SYNTHEMA_EXPORT double noisy_total(std::span<const NoisyMarginal> marginals);

// The columns whose labels the schema does not name; each costs `threshold_delta`.
std::size_t unnamed_label_columns(const Schema& schema);

// The rules of the schema over the labels and ranges of the rows themselves. GenerationError where they
// contradict each other or all rows: drawing again what breaks a rule would distort what is left without a
// word.
RowRules check_rules(const Table& table);

// What would stop discover_domain, before anything is spent: its errors, those of check_rules, and a
// ConfigError where the noise of a column would be beyond what can be drawn.
SYNTHEMA_EXPORT void check_domain(const Table& table, const PrivateDomainOptions& options,
                                  double sensitivity);

// Of these rows of the table. ConfigError names a column that the schema leaves open where `infer` is false.
// SchemaError: a list column; a label that is not among the schema's; a missing value where none may be.
SYNTHEMA_EXPORT PrivateDomain discover_domain(const Table& table, std::span<const std::size_t> rows,
                                              const PrivateDomainOptions& options, PrivateBudget& budget);

}  // namespace synthema
