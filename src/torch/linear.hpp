// A matrix that multiplies rows, with an optional bias.
#pragma once

#include <ATen/core/Tensor.h>

namespace synthema::detail {

// Library products are bitwise equal per row from 16 rows on, whatever the number of rows and threads, if the
// rows are a multiple of 16 (measured on AVX2 and AVX-512; 1 to 15 rows take other kernels). So products are
// always padded to that.
constexpr std::int64_t kRowTile = 16;
constexpr std::int64_t padded_rows(std::int64_t rows) {
  return (rows + kRowTile - 1) / kRowTile * kRowTile;
}

class Linear {
 public:
  Linear() = default;
  // weight {outputs, inputs} in the type of the products; on the CPU in fp32 it is packed once for oneDNN
  // where that is built in (about twice as fast as packing in each call).
  Linear(at::Tensor weight, at::Tensor bias);

  // x {rows, inputs} float; rows a multiple of kRowTile on the CPU. Result float.
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  bool packed_ = false;
};

}  // namespace synthema::detail
