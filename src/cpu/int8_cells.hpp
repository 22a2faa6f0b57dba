// What rows and a cell of a matrix hold (int8_product.hpp), one number at a time. In plain C++: not for
// objects of an instruction set.
#pragma once

#include <cstdint>
#include <cstring>

#include "src/cpu/int8_kernels.hpp"
#include "synthema/core/half.hpp"

namespace synthema::cpu {

// The code of an input of the group, of one of the 16 outputs.
inline int code_at(const std::uint8_t* cell, bool nibbles, std::int64_t input, std::int64_t lane) {
  const std::int64_t quad = input / 4, byte = lane * 4 + input % 4;
  if (!nibbles) return cell[quad * 64 + byte];
  return (cell[quad / 2 * 64 + byte] >> (quad % 2 * 4)) & 15;
}

// The code of an input of a row.
inline int row_code_at(const Int8Rows& x, std::int64_t row, std::int64_t input) {
  if (x.codes) return x.codes[row * x.inputs + input];
  constexpr std::int64_t place[] = {0, 2, 1, 3};
  return x.words[row * x.inputs + input / 4 * 4 + place[input % 4]];
}

// Scale `index` of a cell's steps; from 16 on: an offset.
inline float step_at(const std::uint8_t* steps, Offsets kind, std::int64_t index) {
  if (kind == Offsets::halves) {
    std::uint16_t half = 0;
    std::memcpy(&half, steps + index * 2, sizeof half);
    return half_to_float(half);
  }
  float value = 0;
  std::memcpy(&value, steps + index * 4, sizeof value);
  return value;
}

}  // namespace synthema::cpu
