// What generators under differential privacy keep in their files: columns as they were told, and what was
// spent on telling them.
#pragma once

#include <span>
#include <vector>

#include "src/generate/tabular/model_arrays.hpp"
#include "synthema/core/export.hpp"
#include "synthema/generate/tabular/private_domain.hpp"
#include "synthema/privacy/ledger.hpp"

namespace synthema::detail {

SYNTHEMA_EXPORT void put_private_columns(ModelArrays& file, std::span<const PrivateColumn> columns);
// ModelError where a column is impossible or their number is not the schema's.
SYNTHEMA_EXPORT std::vector<PrivateColumn> get_private_columns(const ModelArrays& file, const Schema& schema);

SYNTHEMA_EXPORT void put_spending(ModelArrays& file, std::span<const PrivateSpending> spending);
SYNTHEMA_EXPORT std::vector<PrivateSpending> get_spending(const ModelArrays& file);

// The entry of the fit, which must be the only one and agree with what the file says of its noise;
// ModelError.
SYNTHEMA_EXPORT const LedgerEntry& only_entry(const ModelArrays& file, const Ledger& ledger);

struct Cost {
  double rho = 0, delta = 0;
};
// From the noise alone, not from what the entries say that it cost. ModelError for an impossible release.
SYNTHEMA_EXPORT Cost cost_of(const ModelArrays& file, std::span<const PrivateSpending> spending,
                             double sensitivity);

}  // namespace synthema::detail
