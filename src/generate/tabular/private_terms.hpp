// The terms of a private fit, the same for every method: what is promised to whom, how the budget is shared
// out before anything is read, and what a model says of it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"
#include "synthema/generate/tabular/private_domain.hpp"
#include "synthema/privacy/ledger.hpp"
#include "synthema/privacy/noise.hpp"

namespace synthema::detail {

struct PrivateTerms {
  double epsilon = 1;
  double delta = 1e-6;
  std::size_t rows_per_person = 1;
  std::size_t bins = 32;     // of a number
  double first_share = 0.2;  // of rho, for single columns
  bool infer = true;
};
// ConfigError names the option that is out of range.
SYNTHEMA_EXPORT void check_terms(const PrivateTerms& terms, std::size_t most_rows, std::size_t most_bins);

struct PrivatePlan {
  double rows_each = 1;  // of a person, at most: the sensitivity of a count
  double delta = 0;      // of the rest, without what thresholds cost
  double rho = 0;        // of epsilon and this delta
  PrivateDomainOptions
      domain;  // for `first_share` of rho, the target's part as large as that of four columns
};
SYNTHEMA_EXPORT PrivatePlan plan_of(const Schema& schema, const PrivateTerms& terms,
                                    const std::string& target);

// The named target, else the first column with that role; empty where there is none. ConfigError where it is
// not a column.
SYNTHEMA_EXPORT std::string target_of(const Schema& schema, const std::string& named);

// What is the same in every method's entry: whom it protects and how well; `what` was released, "model".
SYNTHEMA_EXPORT LedgerEntry entry_of(const Schema& schema, const PrivateTerms& terms, std::string_view what,
                                     const NoiseSource& noise);

// At most `most` rows of each person, at random; in the order of the table.
SYNTHEMA_EXPORT std::vector<std::size_t> rows_used(const Table& real, std::size_t most, NoiseSource& noise);

// Sentences of describe(): the promise, what was spent (begun by the method) on each release or on how many
// kinds, what could not be told.
SYNTHEMA_EXPORT std::string promise_text(const LedgerEntry& entry);
SYNTHEMA_EXPORT std::string spending_text(std::span<const PrivateSpending> spending, bool each);
// The ranges of numbers that no schema stated.
SYNTHEMA_EXPORT std::string ranges_text(std::span<const PrivateColumn> columns);
SYNTHEMA_EXPORT std::string gaps_text(std::span<const PrivateColumn> columns);

}  // namespace synthema::detail
