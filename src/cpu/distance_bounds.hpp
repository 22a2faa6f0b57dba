// Lower bounds of the distance of one row to many, in bytes: what nearest neighbour search looks at before it
// computes a distance. Cells are codes; sums saturate at 255, which is still a lower bound.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "src/cpu/instruction_set.hpp"

namespace synthema::cpu {

constexpr std::size_t kBoundLanes = 128;  // rows, or boxes, of one block
constexpr std::uint8_t kMissingCode = 255;

// How a column of one query is compared. A number's code is floor(value * scale): two codes that differ by k
// are values more than (k - 1) / scale apart.
enum class BoundOf : std::uint8_t {
  number,             // code difference - 1
  number_or_missing,  // the same; a whole unit to a row that has no value
  label               // a whole unit unless the codes are equal
};

struct BoundQuery {
  const std::uint8_t* codes;  // one a column
  const BoundOf* kinds;       // one a column
  std::size_t columns;
  std::uint8_t unit;  // what the largest possible difference of one column adds
};

struct DistanceBoundKernels {
  // `block` is {columns, kBoundLanes}. One bit a row: whether its bound is at most `limit`.
  std::array<std::uint64_t, 2> (*rows_within)(const BoundQuery& query, const std::uint8_t* block,
                                              std::uint8_t limit);
  // Bounds to boxes: {columns, kBoundLanes} smallest and largest codes of the rows in each. Labels and
  // missing values: a unit where the query's code lies outside. Numbers count as `number`.
  void (*box_bounds)(const BoundQuery& query, const std::uint8_t* low, const std::uint8_t* high,
                     std::uint8_t* out);
};

// The set must be supported.
const DistanceBoundKernels& distance_bound_kernels(InstructionSet set = best_instruction_set());

}  // namespace synthema::cpu
