#include "src/generate/tabular/listed_factor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "synthema/generate/tabular/fixed_combinations.hpp"

namespace synthema::detail {

namespace {

constexpr double kImpossible = -1e6;  // a logarithm: probabilities are then exactly 0

// The states that may stand for a listed cell.
std::vector<std::uint32_t> states_of(const PrivateColumn& column, double cell) {
  std::vector<std::uint32_t> out;
  if (!std::isnan(cell) || column.missing) out.push_back(column.state_of(cell));
  if (!std::isnan(cell) && column.rest) out.push_back(column.rest_state());
  return out;
}

}  // namespace

std::optional<ListedFactor> listed_factor(const Schema& schema, const GroupRule& group,
                                          std::span<const PrivateColumn> columns,
                                          std::span<const std::size_t> modelled, double most_cells) {
  const Combinations listed = listed_combinations(schema, group, codings_of(columns));
  const std::size_t width = listed.columns.size();
  if (width < 2) return std::nullopt;
  std::vector<std::pair<std::uint32_t, std::size_t>> order;  // variable, place in the combinations
  double cells = 1;
  for (std::size_t k = 0; k < width; ++k) {
    const auto at = std::ranges::find(modelled, listed.columns[k]) - modelled.begin();
    order.emplace_back(static_cast<std::uint32_t>(at), k);
    cells *= columns[listed.columns[k]].states;
  }
  if (cells > most_cells) return std::nullopt;
  std::ranges::sort(order);
  ListedFactor out{{}, std::vector<double>(static_cast<std::size_t>(cells), kImpossible)};
  for (const auto& [variable, place] : order) out.variables.push_back(variable);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    std::vector<std::size_t> places{0};
    for (const auto& [variable, k] : order) {
      const PrivateColumn& column = columns[listed.columns[k]];
      const std::vector<std::uint32_t> states = states_of(column, listed.cells[i * width + k]);
      std::vector<std::size_t> longer;
      for (const std::size_t begun : places)
        for (const std::uint32_t state : states) longer.push_back(begun * column.states + state);
      places = std::move(longer);
    }
    for (const std::size_t place : places) out.potential[place] = 0;
  }
  if (std::ranges::find(out.potential, 0.0) == out.potential.end()) return std::nullopt;
  return out;
}

}  // namespace synthema::detail
