// What values a column may have, and how they become the states of a discrete model, learnt with differential
// privacy. Nothing is read from the rows for free:
//
//   labels    the schema's categories; where it names none, those whose noisy count passes a threshold
//             (Korolova et al., "Releasing search queries and clicks privately", WWW 2009), which a label of
//             one person does with a probability of at most `delta`. The others share one state.
//   numbers   cells between the schema's minimum and maximum; where it names none, the powers of two (years,
//             for times) between the lowest and the highest with a noisy count that noise alone would not
//             give. Cells with many rows are halved, a few times, by noisy counts again.
//   decimals, and the resolution of times: the schema's decimals, else by noisy counts of how many each needs
//   missing   a state of its own wherever the schema allows it, whether or not any value is
//   columns of which nothing was told, or one label alone, are tried once more, with a part of what is left
//   identifiers, subjects   a fixed form or numbers from 1, nothing of the real ones
//
// Names, kinds and roles of columns, their time zones and everything that the schema states are public.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/tabular/private_budget.hpp"
#include "synthema/generate/tabular/private_column.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/learn/graphical_model.hpp"

namespace synthema {

struct PrivateDomainOptions {
  std::size_t bins = 32;       // of a number
  bool infer = true;           // false: the schema must name all categories and ranges
  double column_rho = 0;       // for the first counts of each column
  std::string target = {};     // a column that gets
  double target_rho = 0;       // this instead
  double threshold_delta = 0;  // of each column whose labels are not named
};

struct PrivateDomain {
  std::vector<PrivateColumn> columns;
  std::vector<std::vector<std::uint32_t>> states;  // by modelled column, by row that is used
  std::vector<NoisyMarginal> marginals;            // one for each modelled column, by its number among them
};

// The table under a schema that states nothing that could have been read from its rows: no categories, ranges
// or decimals, and any value may be missing. For schemas that nobody wrote.
SYNTHEMA_EXPORT Table unstated(const Table& table);

// The rows that the single columns agree on, weighted by the precision of their sums; at least 1.
SYNTHEMA_EXPORT double noisy_total(std::span<const NoisyMarginal> marginals);

// The columns whose labels the schema does not name; each costs `threshold_delta`.
std::size_t unnamed_label_columns(const Schema& schema);

// The rules of the schema over the labels and ranges of the rows themselves. GenerationError where they
// contradict each other or all rows: drawing again what breaks a rule would distort what is left without a
// word.
RowRules check_rules(const Table& table);

// The rules over what was found out with noise. A label of few people or the end of a range may be missing
// there that a rule leaves alone: GenerationError, as check_rules gives it, that says so. To be called before
// more is spent.
RowRules rules_of_domain(const Schema& schema, std::span<const ColumnCoding> columns);

// What would stop discover_domain, before anything is spent: its errors, those of check_rules, and a
// ConfigError where the noise of a column would be beyond what can be drawn.
SYNTHEMA_EXPORT void check_domain(const Table& table, const PrivateDomainOptions& options,
                                  double sensitivity);

// Of these rows of the table. ConfigError names a column that the schema leaves open where `infer` is false.
// SchemaError: a list column; a label that is not among the schema's; a missing value where none may be.
SYNTHEMA_EXPORT PrivateDomain discover_domain(const Table& table, std::span<const std::size_t> rows,
                                              const PrivateDomainOptions& options, PrivateBudget& budget);

}  // namespace synthema
