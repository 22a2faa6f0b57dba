// A matrix that multiplies rows, with an optional bias.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/cpu/int8_product.hpp"
#include "src/torch/workers.hpp"

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
  // Integer products on the CPU: matrices of the same inputs, their outputs one after the other. The rows are
  // quantised as they come; a team shares the outputs.
  // Rows of 16 bits take matrices that CodedMatrix::from_floats made with 8.
  Linear(std::vector<std::shared_ptr<const cpu::CodedMatrix>> matrices, at::Tensor bias,
         cpu::RowBits row_bits = cpu::RowBits::eight);

  // x {rows, inputs} float; rows a multiple of kRowTile on the CPU, of which the first `used` matter. Result
  // float; what lies in its other rows is not defined.
  at::Tensor operator()(const at::Tensor& x, std::int64_t used, Workers* team = nullptr) const;
  at::Tensor operator()(const at::Tensor& x) const { return (*this)(x, x.size(0)); }

  // Whether computing these outputs alone (empty: all) saves most of the product.
  bool can_slice(std::span<const std::int32_t> outputs) const;
  // The outputs, and no others worth reading, of one row; `out` has a place for all.
  void slice(const float* x, std::span<const std::int32_t> outputs, float* out) const;

 private:
  at::Tensor coded_product(const at::Tensor& x, std::int64_t used, Workers* team) const;

  at::Tensor weight_, bias_;
  bool packed_ = false;
  cpu::RowBits row_bits_ = cpu::RowBits::eight;
  std::vector<std::shared_ptr<const cpu::CodedMatrix>> matrices_;
};

}  // namespace synthema::detail
