// The ranges, labels and rules of a schema (data/field_rule.hpp) over coded columns: what a cell may be,
// given the cells of its row that are known already. A rule binds both ways: where the limited column is
// known first, it limits the other one. Columns that are drawn afresh or have no value are not bound.
// Groups bind while they are filled: what is set rules out the others, the last of a one-hot group is set
// where none is, a member of a sum has room for what its other members can be and is determined where it is
// the last. Of combinations, what is known leaves those that have it. Keys (groups "unique") bind rows to
// each other; `keys` tells them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/fixed_combinations.hpp"

namespace synthema {

namespace detail {
struct CodedRules;
}

// Cells of one row by column; those that are not known are not read. NaN is missing.
struct KnownCells {
  std::span<const double> cells;
  std::span<const std::uint8_t> known;
};

// Of a member of a group: true, or not zero; a missing one is not set.
bool is_set_cell(const ColumnCoding& coding, double cell);

class RowRules {
 public:
  RowRules();
  // GenerationError, with the column, where the schema leaves nothing: a range or a rule that excludes every
  // value of the table (none is invented to keep it), orders of columns that contradict each other, rules
  // that leave no value beside one of another column, combinations of which nothing is left. That a value may
  // be missing is no way out, unless a rule names labels that the table does not have, or combinations list a
  // missing one.
  RowRules(const Schema& schema, std::span<const ColumnCoding> columns);

  bool touches(std::size_t column) const;
  bool may_miss(std::size_t column) const;
  // Whether the column is in a group "combinations": its numbers are then those that are listed, and none
  // between them.
  bool combined(std::size_t column) const;
  // The numbers of such a column, ascending.
  std::vector<double> listed(std::size_t column) const;
  // These columns, each after those that a rule wants to be drawn before it: the given ones, and the parts of
  // a total.
  std::vector<std::size_t> ordered(std::span<const std::size_t> wanted) const;
  // Columns of which no two rows may have the same cells.
  const std::vector<std::vector<std::size_t>>& keys() const;
  // What follows from the others in each sum, in the given order: the total, or the last open part where the
  // total is fixed. Nothing of a sum that is fixed whole.
  std::vector<std::size_t> following(std::span<const std::size_t> order,
                                     std::span<const std::uint8_t> fixed) const;
  bool is_total(std::size_t column) const;  // of a sum
  // From the smallest to the largest sum, in numbers, of what samples have of the parts of a total; nothing
  // where the column is none.
  std::optional<std::pair<double, double>> sums_of_parts(std::size_t column,
                                                         std::span<const ColumnCoding> columns) const;
  // Members of each one-hot or exclusive group.
  std::vector<std::vector<std::size_t>> exclusive() const;
  // Numbers that are always below or above another one: (limited, given), by rules without a condition.
  std::vector<std::pair<std::size_t, std::size_t>> orders(std::span<const ColumnCoding> columns) const;
  // Columns that a rule, a group or combinations bind to this one, ascending; keys bind rows, not columns.
  std::span<const std::size_t> bound_to(std::size_t column) const;
  // GenerationError where a key has fewer different values than there are rows to be made.
  void refuse_too_many(std::uint64_t rows, std::span<const ColumnCoding> columns) const;

  bool admits(std::size_t column, double cell, const KnownCells& row,
              std::span<const ColumnCoding> columns) const;
  // Smallest and largest number that is left, as cells; nothing where there is none.
  std::optional<std::pair<double, double>> range(std::size_t column, const KnownCells& row,
                                                 std::span<const ColumnCoding> columns) const;

 private:
  std::vector<std::size_t> before(std::size_t column) const;

  std::shared_ptr<const detail::CodedRules> coded_;
};

}  // namespace synthema
