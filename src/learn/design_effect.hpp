// How much less a cut of a distribution tree says where a person has several rows.
#pragma once

#include <cstdint>
#include <span>

#include "synthema/learn/distribution_tree.hpp"

namespace synthema::detail {

// How many times the gain that chance gives a cut of these rows is what it would be if each row were of
// another person: the variance of what people add to the counts on its left over that of what rows add, at
// least 1 (Rao and Scott 1992). What a person adds is what the counts lose without the person (the
// jackknife), so that a cut which one person makes gains no more than chance gives, however many of the rows
// the person has. `is_left` by row of `rows`, in which those of a person stand together.
double design_effect(const TreeTarget& target, std::span<const std::uint32_t> rows,
                     std::span<const std::uint8_t> is_left);

}  // namespace synthema::detail
