// Which pairs and triples of a table a private fit measures, one after the other, and the model of all that
// was measured: steps 2 and 3 of private_marginals.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/generate/tabular/private_budget.hpp"
#include "synthema/generate/tabular/private_column.hpp"
#include "synthema/learn/graphical_model.hpp"

namespace synthema::detail {

// All must outlive the measuring. Variables are columns that are modelled.
struct MeasuredTable {
  const Schema& schema;
  std::span<const PrivateColumn> columns;
  std::span<const std::size_t> modelled;               // column of each variable
  std::span<const std::vector<std::uint32_t>> states;  // by variable, by row that is used
};

struct MeasuringOptions {
  static constexpr std::size_t kNoTarget = std::numeric_limits<std::size_t>::max();

  std::size_t target = kNoTarget;  // a variable
  double target_weight = 2;
  std::size_t rounds = 0;  // 0: three times the variables
  std::size_t max_cells = 400000;
  std::size_t threads = 0;
};

// Spends what is left of the budget. `singles` are the counts of each variable that were told already.
SYNTHEMA_EXPORT GraphicalModel measure_table(const MeasuredTable& table, std::vector<NoisyMarginal> singles,
                                             const MeasuringOptions& options, PrivateBudget& budget,
                                             const ProgressSink& progress, const CancelToken& cancel);

}  // namespace synthema::detail
