// Networks of one shape that learnt from different people, joined to one: its scores are the means of theirs
// (a product of experts; Hinton 2002), which foretells people that none of them saw better than any does, and
// keeps farther from the rows of a small table. The joined network has the widths of all side by side and
// zeros between them, so that whatever draws or scores rows knows nothing of members.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "src/torch/column_network.hpp"
#include "synthema/core/export.hpp"

namespace synthema::detail {

// The shape of `members` networks of this one.
SYNTHEMA_EXPORT NetworkShape joined_shape(NetworkShape member, std::size_t members);

// Parameters of the joined network `whole`, whose shape is joined_shape(member.shape(), members.size()).
SYNTHEMA_EXPORT Floats joined_parameters(const ColumnNetwork& member, std::span<const Floats> members,
                                         const ColumnNetwork& whole);

// The joined network without the zeros between its members: {members, member.parameters()}, with the sums of
// what members add up in the first. Unpacked it is the same to the last bit.
SYNTHEMA_EXPORT std::vector<float> packed_parameters(const ColumnNetwork& member, std::size_t members,
                                                     const ColumnNetwork& whole,
                                                     std::span<const float> parameters);
SYNTHEMA_EXPORT Floats unpacked_parameters(const ColumnNetwork& member, std::size_t members,
                                           const ColumnNetwork& whole, std::span<const float> packed);

}  // namespace synthema::detail
