// Lower bounds of the distance of one row to many, in bytes: what nearest neighbour search looks at before it
// computes a distance. Cells are codes; what a column adds is divided by a power of two and rounded down, so
// that large distances fit; sums saturate at 255, which is still a lower bound.
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
  number,             // code difference - 1, shifted right
  number_or_missing,  // the same; a whole unit to a row that has no value
  label               // a whole unit unless the codes are equal
};

struct BoundQuery {
  const std::uint8_t* codes;  // one a column
  const BoundOf* kinds;       // one a column
  std::size_t columns;
  std::uint8_t unit;   // what the largest possible difference of one column adds
  std::uint8_t shift;  // by which differences of numbers are shifted, less than 8
};

constexpr std::size_t kRowBytes = 64;  // rows are read in steps of as many codes

// The same query against single rows, whose codes lie together, without a shift. All three arrays
// are `width` bytes, a multiple of kRowBytes; there is nothing in the bytes behind the last column.
struct RowBoundQuery {
  const std::uint8_t* codes;
  const std::uint8_t* numbers;  // 255 where numbers are compared, else 0
  const std::uint8_t* labels;   // a unit where codes must be equal, else 0
  std::size_t width;
  std::uint8_t unit;
};

constexpr std::size_t kLabelLanes = 512;  // rows whose labels are compared at once, one bit each
constexpr std::size_t kMostLabels = 63;   // columns that are counted
using LabelBits = std::array<std::uint64_t, kLabelLanes / 64>;

// The bits of some columns of kLabelLanes rows: for each a bit a row, whether its label differs from the
// query's.
struct LabelQuery {
  const std::uint32_t* places;  // of each column's bits, in steps of kLabelLanes bits; one a column
  std::size_t columns;          // at most kMostLabels, and a multiple of eight: fill up with bits that are 0
};

struct DistanceBoundKernels {
  // `block` is {columns, kBoundLanes}. One bit a row: whether its bound is at most `limit`.
  std::array<std::uint64_t, 2> (*rows_within)(const BoundQuery& query, const std::uint8_t* block,
                                              std::uint8_t limit);
  // Bounds to boxes: {columns, kBoundLanes} smallest and largest codes of the rows in each. Labels and
  // missing values: a unit where the query's code lies outside. Numbers count as `number`.
  void (*box_bounds)(const BoundQuery& query, const std::uint8_t* low, const std::uint8_t* high,
                     std::uint8_t* out);
  // Bounds of the rows named by `bits`, in their order, to `out`; sums do not saturate. Row i begins at
  // rows + i * stride, and kRowBytes bytes may be read from behind the last code of each.
  void (*row_bounds)(const RowBoundQuery& query, const std::uint8_t* rows, std::size_t stride,
                     std::uint64_t bits, std::uint32_t* out);
  // One bit a row: whether at most `most` of its labels differ. `bits` begins at a cache line.
  LabelBits (*alike_rows)(const LabelQuery& query, const std::uint64_t* bits, std::size_t most);
};

// The set must be supported.
const DistanceBoundKernels& distance_bound_kernels(InstructionSet set = best_instruction_set());

}  // namespace synthema::cpu
