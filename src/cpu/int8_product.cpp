#include "src/cpu/int8_product.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "src/cpu/int8_cells.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/half.hpp"

namespace synthema::cpu {

namespace {

struct Kernels {
  Int8Product product;
  Int8Quantize quantize;
};
constexpr Kernels kKernels[] = {{int8_product_portable, int8_quantize_portable},
                                {int8_product_avx2, int8_quantize_avx2},
                                {int8_product_avx512, int8_quantize_avx512},
                                {int8_product_neon_dot, int8_quantize_neon_dot}};
const Kernels& kernels_of(InstructionSet set) {
  return kKernels[static_cast<int>(set)];
}

std::int64_t rounded_up(std::int64_t n, std::int64_t to) {
  return (n + to - 1) / to * to;
}

void check(std::int64_t outputs, std::int64_t inputs, const Coding& coding, std::size_t codes,
           std::size_t scales, std::size_t offsets) {
  const auto require = [](bool ok, const char* what) {
    if (!ok) throw ConfigError(message("A coded matrix is inconsistent: ", what, "."));
  };
  require(outputs > 0 && inputs > 0, "it has no outputs or no inputs");
  require(coding.group == 32 || coding.group == 16, "its groups are neither of 32 nor of 16 inputs");
  require(coding.bits >= 1 && coding.bits <= 8, "its codes have less than 1 or more than 8 bits");
  require(!coding.offsets || coding.group == 32, "groups of 16 inputs have no offsets");
  require(codes == static_cast<std::size_t>(outputs * inputs), "the number of codes is not outputs x inputs");
  const auto groups = static_cast<std::size_t>(outputs * (rounded_up(inputs, coding.group) / coding.group));
  require(scales == groups, "there is not one scale for each group");
  require(offsets == (coding.offsets ? groups : 0), "there is not one offset for each group that needs one");
}

bool all_halves(std::span<const float> numbers) {
  return std::ranges::all_of(numbers, [](float x) { return exact_half(x).has_value(); });
}

}  // namespace

// Groups are padded to a multiple of 32 inputs with scale and offset 0, so that the padding weighs nothing.
CodedMatrix::CodedMatrix(std::int64_t outputs, std::int64_t inputs, const Coding& coding,
                         std::span<const std::uint8_t> codes, std::span<const float> scales,
                         std::span<const float> offsets, SharedPages& memory)
    : outputs_(outputs), inputs_(inputs), groups_(rounded_up(inputs, 32) / coding.group), coding_(coding) {
  check(outputs, inputs, coding, codes.size(), scales.size(), offsets.size());
  if (coding.offsets) kind_ = all_halves(scales) && all_halves(offsets) ? Offsets::halves : Offsets::floats;
  cells_ = memory.take(static_cast<std::size_t>(bytes()));
  pack(codes, scales, offsets);
}

// Four codes at a time; a code of up to 4 bits leaves the other half of its byte to the next quad.
void CodedMatrix::pack_codes(const std::array<std::uint8_t, 32>& group, std::uint8_t* to) const {
  for (std::int32_t quad = 0; quad < coding_.group / 4; ++quad) {
    std::uint32_t four = 0, before = 0;
    std::memcpy(&four, group.data() + quad * 4, 4);
    std::uint8_t* const at = to + (coding_.bits <= 4 ? quad / 2 : quad) * 64;
    if (coding_.bits <= 4 && quad % 2 == 1) {
      std::memcpy(&before, at, 4);
      four = before | (four << 4);
    }
    std::memcpy(at, &four, 4);
  }
}

void CodedMatrix::set_step(std::uint8_t* cell, std::int64_t index, float value) const {
  std::uint8_t* const steps = cell + code_bytes();
  if (kind_ == Offsets::halves) {
    const std::uint16_t half = exact_half(value).value_or(0);  // all of them are halves
    std::memcpy(steps + index * 2, &half, sizeof half);
  } else {
    std::memcpy(steps + index * 4, &value, sizeof value);
  }
}

void CodedMatrix::pack(std::span<const std::uint8_t> codes, std::span<const float> scales,
                       std::span<const float> offsets) {
  const std::int64_t given_groups = rounded_up(inputs_, coding_.group) / coding_.group;
  for (std::int64_t o = 0; o < outputs_; ++o) {
    const std::int64_t lane = o % kPanelOutputs;
    for (std::int64_t g = 0; g < given_groups; ++g) {
      std::uint8_t* const to = cell(o / kPanelOutputs, g);
      const auto from = static_cast<std::size_t>(o * given_groups + g);
      set_step(to, lane, scales[from]);
      if (coding_.offsets) set_step(to, kPanelOutputs + lane, offsets[from]);
      std::array<std::uint8_t, 32> group{};
      const std::int64_t first = g * coding_.group;
      std::copy_n(codes.data() + o * inputs_ + first, std::min<std::int64_t>(coding_.group, inputs_ - first),
                  group.data());
      pack_codes(group, to + lane * 4);
    }
  }
}

CodedMatrix CodedMatrix::from_floats(std::int64_t outputs, std::int64_t inputs,
                                     std::span<const float> weights, SharedPages& memory) {
  const std::int64_t groups = rounded_up(inputs, 32) / 32;
  std::vector<std::uint8_t> codes(weights.size());
  std::vector<float> scales(static_cast<std::size_t>(outputs * groups));
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t g = 0; g < groups; ++g) {
      const auto begin = static_cast<std::size_t>(o * inputs + g * 32);
      const auto group =
          weights.subspan(begin, static_cast<std::size_t>(std::min<std::int64_t>(32, inputs - g * 32)));
      float largest = 0;
      for (const float w : group) largest = std::max(largest, std::abs(w));
      const float scale = largest / 127;
      scales[static_cast<std::size_t>(o * groups + g)] = scale;
      for (std::size_t i = 0; i < group.size(); ++i)
        codes[begin + i] = static_cast<std::uint8_t>(scale > 0 ? 128 + std::lround(group[i] / scale) : 128);
    }
  return CodedMatrix(outputs, inputs, Coding{}, codes, scales, {}, memory);
}

void CodedMatrix::decode(std::int64_t output, float* out) const {
  const std::int64_t lane = output % kPanelOutputs;
  const bool nibbles = coding_.bits <= 4;
  for (std::int64_t i = 0; i < inputs_; ++i) {
    const std::uint8_t* const from = cell(output / kPanelOutputs, i / coding_.group);
    const std::uint8_t* const steps = from + code_bytes();
    const int code = code_at(from, nibbles, i % coding_.group, lane);
    const float scale = step_at(steps, kind_, lane);
    out[i] = coding_.offsets ? scale * static_cast<float>(code) + step_at(steps, kind_, kPanelOutputs + lane)
                             : scale * static_cast<float>(code - coding_.zero);
  }
}

Int8Matrix CodedMatrix::view() const {
  return {cell(0, 0), outputs_, groups_, coding_.group, coding_.bits, coding_.zero, kind_};
}

CodedRows::CodedRows(std::int64_t rows, std::int64_t inputs, RowBits bits)
    : rows_(rows),
      inputs_(inputs),
      groups_(rounded_up(inputs, kRowGroup) / kRowGroup),
      codes_(bits == RowBits::eight ? static_cast<std::size_t>(rows * groups_ * kRowGroup) : 0),
      words_(bits == RowBits::sixteen ? static_cast<std::size_t>(rows * groups_ * kRowGroup) : 0),
      scales_(static_cast<std::size_t>(rows * groups_)),
      weighted_(scales_.size()),
      sums_(scales_.size() * 2) {}

Int8RowOut CodedRows::from_group(std::int64_t row, std::int64_t group) {
  const std::int64_t at = row * groups_ + group;
  return {codes_.empty() ? nullptr : codes_.data() + at * kRowGroup,
          words_.empty() ? nullptr : words_.data() + at * kRowGroup, scales_.data() + at,
          weighted_.data() + at, sums_.data() + at * 2};
}

void CodedRows::set(std::int64_t row, const float* x, InstructionSet set) {
  const Int8Quantize quantize = kernels_of(set).quantize;
  const std::int64_t whole = inputs_ / kRowGroup;
  quantize(x, whole, from_group(row, 0));
  if (whole == groups_) return;
  float tail[kRowGroup] = {};
  std::copy_n(x + whole * kRowGroup, inputs_ - whole * kRowGroup, tail);
  quantize(tail, 1, from_group(row, whole));
}

Int8Rows CodedRows::view() const {
  return {codes_.empty() ? nullptr : codes_.data(),
          words_.empty() ? nullptr : words_.data(),
          scales_.data(),
          weighted_.data(),
          sums_.data(),
          rows_,
          groups_ * kRowGroup};
}

float CodedRows::decode(std::int64_t row, std::int64_t input) const {
  return scale(row, input) * static_cast<float>(row_code_at(view(), row, input));
}

void multiply(const CodedRows& x, const CodedMatrix& matrix, std::int64_t first, std::int64_t last,
              const float* bias, float* out, std::int64_t stride, InstructionSet set) {
  if (x.rows() == 0) return;
  const Int8Rows rows = x.view();
  const Int8Matrix view = matrix.view();
  if (rows.words && (view.bits != 8 || view.group != kRowGroup || view.offsets != Offsets::none))
    throw ConfigError("Rows of 16 bits multiply with codes of 8 bits in groups of 32 without offsets only.");
  kernels_of(set).product(rows, view, first, last, bias, out, stride);
}

}  // namespace synthema::cpu
