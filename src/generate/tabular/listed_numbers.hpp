// Numbers that a list of combinations has, in a private model: a state may hold others, which would only be
// refused. What is drawn is one of those of the state that the row's other combined cells leave, each as
// likely as the next.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/generate/tabular/private_column.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

class ListedNumbers {
 public:
  // All must outlive it.
  ListedNumbers(const RowRules& rules, std::span<const PrivateColumn> columns,
                std::span<const ColumnCoding> codings, std::span<const std::size_t> modelled)
      : rules_(rules), columns_(columns), codings_(codings), listed_(columns.size()) {
    for (const std::size_t c : modelled) {
      if (!rules.combined(c)) continue;
      if (columns[c].coding.is_category())
        labels_.push_back(c);
      else
        numbers_.push_back(c), listed_[c] = rules.listed(c);
    }
  }

  // For each number that is free of such a column: found(column, those that are left), which gives the cell.
  template <class IsFree, class StateOf, class Found>
  void each(std::span<const double> cells, const IsFree& is_free, const StateOf& state_of,
            const Found& found) const {
    if (numbers_.empty()) return;
    RowCells known(columns_.size());
    for (const std::size_t c : labels_) known.set(c, cells[c]);
    for (const std::size_t c : numbers_)
      if (!is_free(c) || std::isnan(cells[c])) known.set(c, cells[c]);
    for (const std::size_t c : numbers_) {
      if (known.known[c]) continue;
      std::vector<double> left;
      for (const double cell : listed_[c])
        if (columns_[c].state_of(cell) == state_of(c) && rules_.admits(c, cell, known.view(), codings_))
          left.push_back(cell);
      known.set(c, found(c, left));
    }
  }

 private:
  const RowRules& rules_;
  std::span<const PrivateColumn> columns_;
  std::span<const ColumnCoding> codings_;
  std::vector<std::vector<double>> listed_;  // by column
  std::vector<std::size_t> labels_, numbers_;
};

}  // namespace synthema::detail
