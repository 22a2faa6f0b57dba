// Products of rows with a matrix in 8-bit integer arithmetic.
//
// Weights are unsigned codes with one scale, and one offset where the format has one, for each group of 32
// (or 16) inputs of an output: w = scale * (code - zero) or w = scale * code + offset. That is how GGUF's
// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K store them, so such files enter without a second loss.
// Rows are quantised by themselves, 8 bits (or 16, which costs up to twice as much) and a scale for each 32
// inputs, so no row depends on its neighbours.
//
// The sum over a group is an exact integer. Groups are added up in ascending order with one rounded product
// and fused multiply-adds:  y = fma(float(sum) * row_scale, scale, y); y = fma(row_sum, offset, y). So a
// result is bitwise the same for any number of rows, any split over threads and any instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "src/cpu/aligned.hpp"
#include "src/cpu/huge_pages.hpp"
#include "src/cpu/instruction_set.hpp"
#include "src/cpu/int8_kernels.hpp"

namespace synthema::cpu {

constexpr std::int64_t kRowGroup = 32;      // inputs of a row that share a scale
constexpr std::int64_t kPanelOutputs = 16;  // outputs that are computed side by side

// How a matrix is coded.
struct Coding {
  std::int32_t group = 32;  // inputs that share a scale: 32, or 16 (then without offsets)
  std::int32_t bits = 8;    // of a code: 1 to 8
  std::int32_t zero = 128;  // the code of the weight 0, where there are no offsets
  bool offsets = false;
};

class CodedMatrix {
 public:
  CodedMatrix() = default;
  // codes {outputs, inputs}; scales and offsets {outputs, inputs / group rounded up}. Inputs beyond the last
  // one count as weight 0. Lies in `memory`. ConfigError if sizes or coding do not fit.
  CodedMatrix(std::int64_t outputs, std::int64_t inputs, const Coding& coding,
              std::span<const std::uint8_t> codes, std::span<const float> scales,
              std::span<const float> offsets, SharedPages& memory);
  // Floats {outputs, inputs}, coded with 8 bits: scale = largest magnitude of the group / 127.
  static CodedMatrix from_floats(std::int64_t outputs, std::int64_t inputs, std::span<const float> weights,
                                 SharedPages& memory);

  // The weights of one output, {inputs}, as the format defines them.
  void decode(std::int64_t output, float* out) const;

  std::int64_t outputs() const { return outputs_; }
  std::int64_t inputs() const { return inputs_; }
  std::int64_t panels() const { return (outputs_ + kPanelOutputs - 1) / kPanelOutputs; }
  std::int64_t bytes() const { return panels() * groups_ * cell_bytes(); }
  // For the kernels. One stream, as far as a product goes, so that the processor fetches ahead: panel by
  // panel and group by group a cell. That is, for four inputs after each other, the codes of 16 outputs, 64
  // bytes (up to 4 bits, two such quads share their bytes, low half first); then what those outputs are
  // scaled by, in 16 bits where scales and offsets are such numbers, as in Q4_1.
  Int8Matrix view() const;

 private:
  std::int64_t code_bytes() const { return cpu::code_bytes(coding_.group, coding_.bits <= 4); }
  std::int64_t cell_bytes() const { return code_bytes() + step_bytes(kind_); }
  std::uint8_t* cell(std::int64_t panel, std::int64_t group) const {
    return reinterpret_cast<std::uint8_t*>(cells_.get()) + (panel * groups_ + group) * cell_bytes();
  }
  void pack(std::span<const std::uint8_t> codes, std::span<const float> scales,
            std::span<const float> offsets);
  void pack_codes(const std::array<std::uint8_t, 32>& group, std::uint8_t* to) const;
  void set_step(std::uint8_t* cell, std::int64_t index, float value) const;

  std::int64_t outputs_ = 0, inputs_ = 0, groups_ = 0;
  Coding coding_;
  Offsets kind_ = Offsets::none;
  std::shared_ptr<std::byte> cells_;
};

enum class RowBits : std::uint8_t { eight, sixteen };

// Rows of activations, quantised. A group with a NaN or an infinity has the scale NaN, so that it shows in
// the result; a group without a number above 1e-30 is zero.
class CodedRows {
 public:
  CodedRows(std::int64_t rows, std::int64_t inputs, RowBits bits = RowBits::eight);
  // x {inputs} becomes row `row`.
  void set(std::int64_t row, const float* x, InstructionSet set = best_instruction_set());

  std::int64_t rows() const { return rows_; }
  std::int64_t inputs() const { return inputs_; }
  // What number `input` of a row means: its code times its group's scale.
  float decode(std::int64_t row, std::int64_t input) const;
  float scale(std::int64_t row, std::int64_t input) const {
    return scales_[static_cast<std::size_t>(row * groups_ + input / kRowGroup)];
  }
  // For the kernels.
  Int8Rows view() const;

 private:
  Int8RowOut from_group(std::int64_t row, std::int64_t group);

  std::int64_t rows_, inputs_, groups_;
  AlignedVector<std::int8_t> codes_;  // {rows, groups * 32}; or words
  AlignedVector<std::int16_t> words_;
  AlignedVector<float> scales_;       // {rows, groups}
  AlignedVector<float> weighted_;     // {rows, groups}: scale * sum of the codes
  AlignedVector<std::int32_t> sums_;  // {rows, groups * 2}: of the codes, by 16
};

// ConfigError for rows of 16 bits and a matrix that is not coded as by from_floats.
// out[r][o] = sum over inputs of x[r][i] * w[o][i] + bias[o] for rows [0, x.rows()) and the outputs of panels
// [first, last); `out` begins with output 0 and has `stride` floats a row; bias may be null.
void multiply(const CodedRows& x, const CodedMatrix& matrix, std::int64_t first, std::int64_t last,
              const float* bias, float* out, std::int64_t stride,
              InstructionSet set = best_instruction_set());

}  // namespace synthema::cpu
