// One-hot and exclusive groups, of which at most one member is set, as the models learn them: each member by
// whether it is set where none before it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

bool is_set_code(const ColumnCoding& coding, std::uint32_t code);

// Their members in the order of drawing.
std::vector<std::vector<std::size_t>> drawn_groups(const RowRules& rules, std::span<const std::size_t> order);

// By column and row whether it says something about the column: of a member of a group, that none before it
// is set, nor hidden where people have several rows (dominant_people.hpp). Empty: all rows do.
std::vector<std::vector<std::uint8_t>> open_rows(const CodedTable& coded,
                                                 std::span<const std::vector<std::size_t>> groups);

// Among cells that are fixed (NaN: free), a member that is set fixes those before it as not set.
void imply_unset(std::span<const std::vector<std::size_t>> groups, std::span<const ColumnCoding> columns,
                 std::span<double> cells);

}  // namespace synthema::detail
