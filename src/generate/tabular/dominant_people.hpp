// No single person speaks for a label or for a part of a number (column_coding.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/generate/tabular/coding_learner.hpp"

namespace synthema::detail {

// Of a learnt column: cells of a person who has more than one in `rare_below` of the rows with a label, or of
// those without a value, or more than a third of the rows in a part of a number, become unknown, until the
// person has no more than that of those which are left. It is the dominance rule of statistical disclosure
// control (Hundepool et al., Statistical Disclosure Control, 2012), but that what is left may be told. Which
// rows it hits is drawn by their number, alike in all columns, so that what is left of a person stands
// together. Nothing happens where each row is a person.
void hide_surplus(const CodingLearner& learner, ColumnCoding& coding, std::vector<std::uint32_t>& codes);

// The same of the rows of a leaf, to which several conditions lead: of a person with more than one in
// `rare_below` of them only so many stay. `who` by row of the table.
void drop_surplus(std::span<const std::uint32_t> who, std::size_t rare_below,
                  std::vector<std::uint32_t>& rows);

// Each cell with this code takes one below `end`, that of another row, spread evenly over these.
void spread_evenly(std::vector<std::uint32_t>& codes, std::uint32_t hidden, std::uint32_t end);

}  // namespace synthema::detail
