// One-hot and exclusive groups, of which at most one member is set, as the models learn them: each member by
// whether it is set where none before it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

bool is_set_code(const ColumnCoding& coding, std::uint32_t code);

// Their members in the order of drawing.
std::vector<std::vector<std::size_t>> drawn_groups(const RowRules& rules, std::span<const std::size_t> order);

// By column and row whether it says something about the column: of a member of a group, that none before it
// is set. Empty: all rows do.
std::vector<std::vector<std::uint8_t>> open_rows(const CodedTable& coded,
                                                 std::span<const std::vector<std::size_t>> groups);

// Members that are drawn before others which a condition fixes as not set: that tells something of them.
class OpenMembers {
 public:
  // `groups` as of drawn_groups; `counts`, by column, of a member those where none before it is set. All must
  // outlive it.
  OpenMembers(const RowRules& rules, std::span<const std::vector<std::size_t>> groups,
              std::span<const ColumnCoding> columns, std::span<const CodeCounts> counts);
  // The counts of a column, given what is fixed (NaN: free) and the cells that are known, as they are where
  // the fixed ones behind it are not set; nothing where they tell nothing of it.
  std::optional<OwnedCounts> counts_beside(std::size_t column, std::span<const double> fixed,
                                           const KnownCells& row) const;

 private:
  std::span<const std::vector<std::size_t>> groups_;
  std::span<const ColumnCoding> columns_;
  std::vector<CodeCounts> counts_;
  std::vector<double> set_;  // by column: the share that is set, 1 of what always is where none before it is
};

}  // namespace synthema::detail
