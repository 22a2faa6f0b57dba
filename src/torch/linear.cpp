#include "src/torch/linear.hpp"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include <string_view>
#include <utility>

namespace synthema::detail {

namespace {

using PackSignature = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
using PackedProductSignature = at::Tensor(const at::Tensor&, const at::Tensor&,
                                          const std::optional<at::Tensor>&, std::string_view,
                                          c10::List<std::optional<at::Scalar>>,
                                          std::optional<std::string_view>);

std::optional<c10::OperatorHandle> operator_named(const char* name) {
  return c10::Dispatcher::singleton().findSchema({name, ""});
}

bool can_pack(const at::Tensor& weight) {
  static const bool available = at::hasMKLDNN() && operator_named("mkldnn::_reorder_linear_weight") &&
                                operator_named("mkldnn::_linear_pointwise");
  return available && at::globalContext().userEnabledMkldnn() && weight.is_cpu() &&
         weight.scalar_type() == at::kFloat;
}

at::Tensor pack(const at::Tensor& weight) {
  static const auto op = operator_named("mkldnn::_reorder_linear_weight")->typed<PackSignature>();
  return op.call(weight, 2 * kRowTile);
}

at::Tensor packed_product(const at::Tensor& x, const at::Tensor& weight,
                          const std::optional<at::Tensor>& bias) {
  static const auto op = operator_named("mkldnn::_linear_pointwise")->typed<PackedProductSignature>();
  return op.call(x, weight, bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

}  // namespace

Linear::Linear(at::Tensor weight, at::Tensor bias)
    : weight_(std::move(weight)), bias_(std::move(bias)), packed_(can_pack(weight_)) {
  if (packed_) weight_ = pack(weight_);
}

Linear::Linear(std::vector<std::shared_ptr<const cpu::CodedMatrix>> matrices, at::Tensor bias,
               cpu::RowBits row_bits)
    : bias_(std::move(bias)), row_bits_(row_bits), matrices_(std::move(matrices)) {}

at::Tensor Linear::operator()(const at::Tensor& x, std::int64_t used, Workers* team) const {
  if (!matrices_.empty()) return coded_product(x, used, team);
  const std::optional<at::Tensor> bias = bias_.defined() ? std::optional(bias_) : std::nullopt;
  if (packed_) return packed_product(x, weight_, bias);
  return at::linear(x.to(weight_.scalar_type()), weight_, bias).to(at::kFloat);
}

bool Linear::can_slice(std::span<const std::int32_t> outputs) const {
  return matrices_.size() == 1 && !outputs.empty() &&
         static_cast<std::int64_t>(outputs.size()) <= matrices_.front()->panels() / 2;
}

void Linear::slice(const float* x, std::span<const std::int32_t> outputs, float* out) const {
  const cpu::CodedMatrix& matrix = *matrices_.front();
  cpu::CodedRows row(1, matrix.inputs(), row_bits_);
  row.set(0, x);
  const float* bias = bias_.defined() ? bias_.data_ptr<float>() : nullptr;
  std::int64_t done = -1;
  for (const std::int32_t output : outputs) {
    const std::int64_t panel = output / cpu::kPanelOutputs;
    if (panel != done) cpu::multiply(row, matrix, panel, panel + 1, bias, out, matrix.outputs());
    done = panel;
  }
}

// {rows of x, outputs}: rows beyond `used` are for whoever asked for slices.
at::Tensor Linear::coded_product(const at::Tensor& x, std::int64_t used, Workers* team) const {
  cpu::CodedRows rows(used, x.size(1), row_bits_);
  split(team, used, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) rows.set(r, x.data_ptr<float>() + r * x.size(1));
  });
  std::int64_t outputs = 0;
  for (const auto& matrix : matrices_) outputs += matrix->outputs();
  const at::Tensor out = at::empty({x.size(0), outputs}, at::kFloat);
  float* to = out.data_ptr<float>();
  const float* bias = bias_.defined() ? bias_.data_ptr<float>() : nullptr;
  for (const auto& matrix : matrices_) {
    split(team, matrix->panels(), [&](std::int64_t first, std::int64_t last) {
      cpu::multiply(rows, *matrix, first, last, bias, to, outputs);
    });
    to += matrix->outputs();
    if (bias) bias += matrix->outputs();
  }
  return out;
}

}  // namespace synthema::detail
