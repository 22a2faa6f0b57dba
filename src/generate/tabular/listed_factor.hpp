// Combinations that a schema lists as a factor of a model of marginals: cells of which no listed one is are
// impossible. That is public, so it costs nothing, and fewer rows are drawn again.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "synthema/data/schema.hpp"
#include "synthema/generate/tabular/private_column.hpp"
#include "synthema/learn/graphical_model.hpp"

namespace synthema::detail {

struct ListedFactor {
  VariableSet variables;
  std::vector<double> potential;
};

// `modelled`: the column of each variable. Nothing where fewer than two columns of the group are modelled,
// the factor has more than `most_cells` cells, or nothing was told of the listed values: rules say so then.
std::optional<ListedFactor> listed_factor(const Schema& schema, const GroupRule& group,
                                          std::span<const PrivateColumn> columns,
                                          std::span<const std::size_t> modelled, double most_cells);

}  // namespace synthema::detail
