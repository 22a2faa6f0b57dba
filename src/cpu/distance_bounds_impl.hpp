// The kernels over the vector type of one instruction set; included by distance_bounds_<set>.cpp only.
#pragma once

#include "src/cpu/bytes.hpp"
#include "src/cpu/distance_bounds.hpp"

namespace synthema::cpu {
namespace {

static_assert(kBoundLanes == 2 * kByteLanes);
constexpr std::size_t kColumnsBetweenLooks = 8;  // whether any row is still within the limit

template <BoundOf kind>
[[gnu::always_inline]] inline Bytes bound_of_cell(Bytes query, Bytes cell, Bytes unit, Bytes one,
                                                  Bytes missing) {
  if constexpr (kind == BoundOf::label) return where_different(query, cell, unit);
  const Bytes apart = larger(subtract_saturated(query, cell), subtract_saturated(cell, query));
  const Bytes bound = subtract_saturated(apart, one);
  if constexpr (kind == BoundOf::number) return bound;
  return larger(where_different(cell, missing, bound), where_equal(cell, missing, unit));
}

std::array<std::uint64_t, 2> rows_within(const BoundQuery& query, const std::uint8_t* block,
                                         std::uint8_t limit) {
  const Bytes unit = broadcast_byte(query.unit), one = broadcast_byte(1);
  const Bytes missing = broadcast_byte(kMissingCode), most = broadcast_byte(limit);
  Bytes low = broadcast_byte(0), high = low;
  for (std::size_t c = 0; c < query.columns; ++c, block += kBoundLanes) {
    const Bytes code = broadcast_byte(query.codes[c]);
    const Bytes a = load_bytes(block), b = load_bytes(block + kByteLanes);
    if (query.kinds[c] == BoundOf::label) {
      low = add_saturated(low, bound_of_cell<BoundOf::label>(code, a, unit, one, missing));
      high = add_saturated(high, bound_of_cell<BoundOf::label>(code, b, unit, one, missing));
    } else if (query.kinds[c] == BoundOf::number) {
      low = add_saturated(low, bound_of_cell<BoundOf::number>(code, a, unit, one, missing));
      high = add_saturated(high, bound_of_cell<BoundOf::number>(code, b, unit, one, missing));
    } else {
      low = add_saturated(low, bound_of_cell<BoundOf::number_or_missing>(code, a, unit, one, missing));
      high = add_saturated(high, bound_of_cell<BoundOf::number_or_missing>(code, b, unit, one, missing));
    }
    if (c % kColumnsBetweenLooks == kColumnsBetweenLooks - 1 &&
        (at_most(low, most) | at_most(high, most)) == 0)
      return {0, 0};
  }
  return {at_most(low, most), at_most(high, most)};
}

void box_bounds(const BoundQuery& query, const std::uint8_t* low, const std::uint8_t* high,
                std::uint8_t* out) {
  const Bytes unit = broadcast_byte(query.unit), one = broadcast_byte(1), zero = broadcast_byte(0);
  for (int half = 0; half < 2; ++half) {
    Bytes sum = zero;
    for (std::size_t c = 0; c < query.columns; ++c) {
      const std::size_t at = c * kBoundLanes + static_cast<std::size_t>(half) * kByteLanes;
      const Bytes code = broadcast_byte(query.codes[c]);
      const Bytes outside = larger(subtract_saturated(load_bytes(low + at), code),
                                   subtract_saturated(code, load_bytes(high + at)));
      sum = add_saturated(sum, query.kinds[c] == BoundOf::label ? where_different(outside, zero, unit)
                                                                : subtract_saturated(outside, one));
    }
    store(sum, out + half * kByteLanes);
  }
}

constexpr DistanceBoundKernels kDistanceBoundKernels{&rows_within, &box_bounds};

}  // namespace
}  // namespace synthema::cpu
