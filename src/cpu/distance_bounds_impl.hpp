// The kernels over the vector type of one instruction set; included by distance_bounds_<set>.cpp only.
#pragma once

#include <bit>

#include "src/cpu/bytes.hpp"
#include "src/cpu/distance_bounds.hpp"

namespace synthema::cpu {
namespace {

static_assert(kBoundLanes == 2 * kByteLanes && kRowBytes == kByteLanes && kLabelLanes == 8 * kByteLanes);
constexpr std::size_t kColumnsBetweenLooks = 8;  // whether any row is still within the limit

// What the cells of a query's column are compared by.
struct Comparison {
  Bytes unit, left, one = broadcast_byte(1), missing = broadcast_byte(kMissingCode);
  int shift;

  Comparison(std::uint8_t unit_of, std::uint8_t shifted_by)
      : unit(broadcast_byte(unit_of)),
        left(broadcast_byte(static_cast<std::uint8_t>(255 >> shifted_by))),
        shift(shifted_by) {}

  // `apart`: differences of codes.
  [[gnu::always_inline]] inline Bytes bound_of_number(Bytes apart) const {
    return shift_right(subtract_saturated(apart, one), shift, left);
  }
  template <BoundOf kind>
  [[gnu::always_inline]] inline Bytes bound_of_cell(Bytes query, Bytes cell) const {
    if constexpr (kind == BoundOf::label) return where_different(query, cell, unit);
    const Bytes bound =
        bound_of_number(larger(subtract_saturated(query, cell), subtract_saturated(cell, query)));
    if constexpr (kind == BoundOf::number) return bound;
    return larger(where_different(cell, missing, bound), where_equal(cell, missing, unit));
  }
};

std::array<std::uint64_t, 2> rows_within(const BoundQuery& query, const std::uint8_t* block,
                                         std::uint8_t limit) {
  const Comparison by(query.unit, query.shift);
  const Bytes most = broadcast_byte(limit);
  Bytes low = broadcast_byte(0), high = low;
  for (std::size_t c = 0; c < query.columns; ++c, block += kBoundLanes) {
    const Bytes code = broadcast_byte(query.codes[c]);
    const Bytes a = load_bytes(block), b = load_bytes(block + kByteLanes);
    if (query.kinds[c] == BoundOf::label) {
      low = add_saturated(low, by.bound_of_cell<BoundOf::label>(code, a));
      high = add_saturated(high, by.bound_of_cell<BoundOf::label>(code, b));
    } else if (query.kinds[c] == BoundOf::number) {
      low = add_saturated(low, by.bound_of_cell<BoundOf::number>(code, a));
      high = add_saturated(high, by.bound_of_cell<BoundOf::number>(code, b));
    } else {
      low = add_saturated(low, by.bound_of_cell<BoundOf::number_or_missing>(code, a));
      high = add_saturated(high, by.bound_of_cell<BoundOf::number_or_missing>(code, b));
    }
    if (c % kColumnsBetweenLooks == kColumnsBetweenLooks - 1 &&
        (at_most(low, most) | at_most(high, most)) == 0)
      return {0, 0};
  }
  return {at_most(low, most), at_most(high, most)};
}

void box_bounds(const BoundQuery& query, const std::uint8_t* low, const std::uint8_t* high,
                std::uint8_t* out) {
  const Comparison by(query.unit, query.shift);
  const Bytes zero = broadcast_byte(0);
  for (int half = 0; half < 2; ++half) {
    Bytes sum = zero;
    for (std::size_t c = 0; c < query.columns; ++c) {
      const std::size_t at = c * kBoundLanes + static_cast<std::size_t>(half) * kByteLanes;
      const Bytes code = broadcast_byte(query.codes[c]);
      const Bytes outside = larger(subtract_saturated(load_bytes(low + at), code),
                                   subtract_saturated(code, load_bytes(high + at)));
      sum = add_saturated(sum, query.kinds[c] == BoundOf::label ? where_different(outside, zero, by.unit)
                                                                : by.bound_of_number(outside));
    }
    store(sum, out + half * kByteLanes);
  }
}

void row_bounds(const RowBoundQuery& query, const std::uint8_t* rows, std::size_t stride, std::uint64_t bits,
                std::uint32_t* out) {
  const Comparison by(query.unit, 0);
  for (; bits != 0; bits &= bits - 1) {
    const std::uint8_t* row = rows + static_cast<std::size_t>(std::countr_zero(bits)) * stride;
    std::uint32_t sum = 0;
    for (std::size_t c = 0; c < query.width; c += kRowBytes) {
      const Bytes code = load_bytes(query.codes + c), cell = load_bytes(row + c);
      const Bytes number = by.bound_of_cell<BoundOf::number_or_missing>(code, cell);
      const Bytes label = where_different(code, cell, load_bytes(query.labels + c));
      sum += sum_of(add_saturated(both(number, load_bytes(query.numbers + c)), label));
    }
    *out++ = sum;
  }
}

// Counts of 512 rows, bit i of all of them in planes[i].
struct Counts {
  Bytes planes[6];

  // Adds what three bits of the same weight sum to: the odd one stays, the carry is given back.
  [[gnu::always_inline]] static inline Bytes add(Bytes& sum, Bytes a, Bytes b) {
    const Bytes carry = two_of(sum, a, b);
    sum = odd_of(sum, a, b);
    return carry;
  }
};

// Carry-save addition, eight columns at a time (Harley and Seal; Warren, "Hacker's delight", 5-1).
LabelBits alike_rows(const LabelQuery& query, const std::uint64_t* bits, std::size_t most) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(bits);
  const Bytes zero = broadcast_byte(0);
  Counts count{{zero, zero, zero, zero, zero, zero}};
  Bytes(&planes)[6] = count.planes;
  for (std::size_t first = 0; first < query.columns; first += 8) {
    const auto column = [&](std::size_t i) {
      return load_bytes(from + query.places[first + i] * std::size_t{64});
    };
    Bytes fours[2];
    for (std::size_t half = 0; half < 2; ++half) {
      const Bytes a = Counts::add(planes[0], column(4 * half), column(4 * half + 1));
      const Bytes b = Counts::add(planes[0], column(4 * half + 2), column(4 * half + 3));
      fours[half] = Counts::add(planes[1], a, b);
    }
    const Bytes eight = Counts::add(planes[2], fours[0], fours[1]);
    const Bytes sixteen = both(planes[3], eight);
    planes[3] = odd_of(planes[3], eight, zero);
    planes[5] = odd_of(planes[5], both(planes[4], sixteen), zero);
    planes[4] = odd_of(planes[4], sixteen, zero);
  }
  // From the lowest bit up: below or equal so far.
  Bytes within = broadcast_byte(255);
  for (std::size_t i = 0; i < 6; ++i)
    within = (most >> i) & 1 ? either(within, without(broadcast_byte(255), planes[i]))
                             : without(within, planes[i]);
  LabelBits out;
  store(within, reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

constexpr DistanceBoundKernels kDistanceBoundKernels{&rows_within, &box_bounds, &row_bounds, &alike_rows};

}  // namespace
}  // namespace synthema::cpu
