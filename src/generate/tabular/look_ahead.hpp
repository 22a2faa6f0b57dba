// What fixed columns say of those that are drawn before them, in a model that draws each column from counts
// of its own, under the rules beside the columns before it. A cell counts by how likely all that is fixed
// behind it is beside it: summed over the cells of what stands between, where the rules bind them. Exact for
// labels and frequent numbers; those that are smoothed stand for their neighbours.
//
// Rows that meet in all that the rules may still ask go on alike: each such sum is made once, and of the
// parts of a total only their sum is asked. Of numbers with more than 256 values so many are looked at, at
// even distances among their rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

class LookAhead {
 public:
  // `order` of drawing; `counts` by column. All must outlive it.
  LookAhead(const RowRules& rules, std::span<const ColumnCoding> columns, std::span<const CodeCounts> counts,
            std::span<const std::size_t> order);

  // A cell of the column beside those before it in the order, given all that is fixed (NaN: free) and known
  // in `row`; nothing where no fixed column says anything of it, or all of its values are as good as
  // impossible.
  std::optional<double> draw(std::size_t column, std::span<const double> fixed, const KnownCells& row,
                             const Random& random, std::uint64_t number_of_row);

 private:
  // The columns that rules bind to each other, in the order of drawing, and a row of them.
  struct Walk {
    std::span<const std::size_t> columns;
    std::size_t last = 0;                    // place of the last fixed one
    std::vector<double> cells;               // by column
    std::vector<std::uint8_t> known, fixed;  // known: fixed, or before the place of the walk
    std::vector<std::uint8_t> past;          // before that place
    std::vector<double> condition;           // the fixed cells

    void step(std::size_t column, double cell) {
      cells[column] = cell;
      known[column] = past[column] = 1;
    }
    void step_back(std::size_t column) {
      known[column] = fixed[column];
      past[column] = 0;
    }
  };
  // What a column may be and how likely that is, with all that is fixed from there on.
  struct Outcomes {
    std::vector<std::uint32_t> codes;
    std::vector<double> weights;
    std::optional<double> determined;  // by what is fixed; then the code is that of a missing one, if any
    double weight_of_determined = 0;

    double sum() const;
  };
  using Key = std::vector<double>;

  Outcomes outcomes(Walk& walk, std::size_t place);
  double ahead(Walk& walk, std::size_t place);
  double likelihood(Walk& walk, std::size_t place, double cell);
  double share_left(Walk& walk, std::size_t place);
  Key key_of(const Walk& walk, std::size_t place, bool with_condition) const;
  template <class Make>
  double remembered(std::map<Key, double>& in, Key key, const Make& make);

  const RowRules& rules_;
  std::span<const ColumnCoding> columns_;
  std::span<const CodeCounts> counts_;
  std::vector<std::vector<std::size_t>> bound_;  // by column: its Walk::columns; empty where nothing binds it
  std::mutex mutex_;                             // of what is remembered, which any thread may find out
  std::map<Key, double> ahead_, left_;
};

}  // namespace synthema::detail
