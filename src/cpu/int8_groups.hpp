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

// Calls product<Offsets, Quads>() as the matrix is made.
template <class Product>
void with_groups(const Int8Matrix& matrix, const Product& product) {
  if (matrix.group == 16)
    product.template operator()<false, 4>();
  else if (matrix.offsets != nullptr)
    product.template operator()<true, 8>();
  else
    product.template operator()<false, 8>();
}

}  // namespace
}  // namespace synthema::cpu
