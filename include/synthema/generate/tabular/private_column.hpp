// A column as a private fit tells it: its values are the states of a discrete model, and each state is drawn
// from by noisy weights.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema {

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
  // Decimals, or the resolution of a time, were stated or told, else they are a guess. Of labels: more than
  // one was told, or no rows seem to have another.
  bool resolved = true;

  bool modelled() const { return states > 0; }
  std::uint32_t missing_state() const { return states - 1; }
  std::uint32_t rest_state() const { return states - 1 - (missing ? 1 : 0); }
  std::uint32_t state_of(double cell) const;  // of a cell of the coding; NaN is missing
  // A cell of the coding; the random numbers decide it.
  double draw(std::uint32_t state, const PhiloxBlock& random) const;
  // Natural logarithm of P(cell | state) in units of the coding's cells; -inf where it is not of the state.
  double log_share(std::uint32_t state, double cell) const;
  // Of a state's draws, those that pass; of reals and of long intervals by points that are spread evenly.
  double share_that(std::uint32_t state, const std::function<bool(double)>& passes) const;
  void finish();  // indexes for draw(); after loading

 private:
  std::vector<std::vector<std::pair<double, std::uint32_t>>> places_;  // cumulative weight, label or cell
};

// Names of the columns of which nothing could be told, in their order.
SYNTHEMA_EXPORT std::vector<std::string> untold_of(std::span<const PrivateColumn> columns);
// Likewise of the modelled columns whose resolution noise drowned.
SYNTHEMA_EXPORT std::vector<std::string> unresolved_of(std::span<const PrivateColumn> columns);
// Whether one label alone could be told of it, though there seem to be more; and the names of those.
SYNTHEMA_EXPORT bool has_one_label(const PrivateColumn& column);
SYNTHEMA_EXPORT std::vector<std::string> one_label_of(std::span<const PrivateColumn> columns);
// What the columns are coded as, for what asks for codings alone.
SYNTHEMA_EXPORT std::vector<ColumnCoding> codings_of(std::span<const PrivateColumn> columns);

}  // namespace synthema
