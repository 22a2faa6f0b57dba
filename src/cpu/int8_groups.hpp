// How the vector kernels see the groups of a matrix: quads of four inputs, eight or four to a group. Included
// once by each int8 object.
#pragma once

#include <cstdint>

#include "src/cpu/int8_kernels.hpp"

namespace synthema::cpu {
namespace {

// Sum of a row's codes over group g.
template <int Quads>
std::int32_t row_sum(const Int8Rows& x, std::int64_t row, std::int64_t g) {
  const std::int32_t* sums = x.sums + row * (x.inputs / 16);
  return Quads == 8 ? sums[2 * g] + sums[2 * g + 1] : sums[g];
}

template <bool Nibbles, Offsets Kind, int Quads>
struct Cell {
  static constexpr std::int64_t kCodes = code_bytes(Quads * 4, Nibbles), kBytes = kCodes + step_bytes(Kind);
};

// Calls product<Kind, Quads>() as the matrix is made.
template <class Product>
void with_groups(const Int8Matrix& matrix, const Product& product) {
  if (matrix.group == 16)
    product.template operator()<Offsets::none, 4>();
  else if (matrix.offsets == Offsets::floats)
    product.template operator()<Offsets::floats, 8>();
  else if (matrix.offsets == Offsets::halves)
    product.template operator()<Offsets::halves, 8>();
  else
    product.template operator()<Offsets::none, 8>();
}

}  // namespace
}  // namespace synthema::cpu
