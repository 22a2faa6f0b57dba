#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include "src/cpu/int8_product.hpp"
#include "synthema/core/error.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

CodedMatrix coded(std::int64_t outputs, std::int64_t inputs, const Coding& coding,
                  const std::vector<std::uint8_t>& codes, const std::vector<float>& scales,
                  const std::vector<float>& offsets = {}) {
  SharedPages memory;
  return {outputs, inputs, coding, codes, scales, offsets, memory};
}

struct Example {
  Coding coding;
  std::int64_t outputs, inputs, groups;
  std::vector<std::uint8_t> codes;
  std::vector<float> scales, offsets;

  Example(const Coding& c, std::int64_t o, std::int64_t i, std::mt19937& random)
      : coding(c), outputs(o), inputs(i), groups((i + c.group - 1) / c.group) {
    std::uniform_int_distribution<int> code(0, (1 << c.bits) - 1);
    std::normal_distribution<float> scale(0, 0.1f);
    for (std::int64_t n = 0; n < o * i; ++n) codes.push_back(static_cast<std::uint8_t>(code(random)));
    for (std::int64_t n = 0; n < o * groups; ++n) scales.push_back(scale(random));
    if (c.offsets)
      for (std::int64_t n = 0; n < o * groups; ++n) offsets.push_back(scale(random));
  }
  CodedMatrix matrix() const { return coded(outputs, inputs, coding, codes, scales, offsets); }
  // As files keep them: numbers of 16 bits.
  void round_steps() {
    for (std::vector<float>* const steps : {&scales, &offsets})
      for (float& x : *steps) x = std::round(x * 1024) / 1024;
  }
  double weight(std::int64_t o, std::int64_t i) const {
    const auto group = static_cast<std::size_t>(o * groups + i / coding.group);
    const double code = codes[static_cast<std::size_t>(o * inputs + i)], scale = scales[group];
    return coding.offsets ? scale * code + static_cast<double>(offsets[group]) : scale * (code - coding.zero);
  }
};

std::vector<float> numbers(std::int64_t n, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(normal(random) * (i % 37 == 0 ? 30.0f : 1.0f));
  return out;
}

CodedRows rows_of(const std::vector<float>& x, std::int64_t rows, std::int64_t inputs, InstructionSet set,
                  RowBits bits = RowBits::eight) {
  CodedRows out(rows, inputs, bits);
  for (std::int64_t r = 0; r < rows; ++r) out.set(r, x.data() + r * inputs, set);
  return out;
}

std::vector<float> product(const CodedRows& x, const CodedMatrix& matrix, const std::vector<float>& bias,
                           InstructionSet set) {
  std::vector<float> out(static_cast<std::size_t>(x.rows() * matrix.outputs()), -99.0f);
  multiply(x, matrix, 0, matrix.panels(), bias.empty() ? nullptr : bias.data(), out.data(), matrix.outputs(),
           set);
  return out;
}

const std::vector<Coding> kCodings{{32, 4, 8, false}, {32, 4, 0, true},    {32, 5, 16, false},
                                   {32, 5, 0, true},  {16, 6, 32, false},  {32, 8, 128, false},
                                   {32, 8, 0, true},  {16, 8, 128, false}, {16, 4, 8, false}};

}  // namespace

TEST_CASE("every instruction set gives the same bytes") {
  std::mt19937 random(1);
  for (const Coding& coding : kCodings)
    for (const auto& [outputs, inputs, rows] : std::vector<std::tuple<int, int, int>>{
             {16, 32, 1}, {33, 64, 6}, {1, 96, 7}, {50, 80, 13}, {64, 576, 64}}) {
      if (inputs % coding.group != 0 && coding.group == 16) continue;
      Example example(coding, outputs, inputs, random);
      const std::vector<float> x = numbers(rows * inputs, random), bias = numbers(outputs, random);
      for (const bool rounded : {false, true}) {
        if (rounded) example.round_steps();
        const CodedMatrix matrix = example.matrix();
        const auto expected = product(rows_of(x, rows, inputs, InstructionSet::portable), matrix, bias,
                                      InstructionSet::portable);
        for (const InstructionSet set : supported_instruction_sets()) {
          CAPTURE(name_of(set));
          CAPTURE(coding.bits);
          CHECK(product(rows_of(x, rows, inputs, set), matrix, bias, set) == expected);
        }
      }
    }
  for (const InstructionSet set : {InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon_dot})
    if (!is_supported(set)) MESSAGE("skipped on this CPU: ", name_of(set));
}

TEST_CASE("the product is that of the quantised rows with the decoded weights") {
  std::mt19937 random(2);
  for (const Coding& coding : kCodings) {
    const int outputs = 37, inputs = 192, rows = 5;
    const Example example(coding, outputs, inputs, random);
    const std::vector<float> x = numbers(rows * inputs, random);
    const CodedRows coded = rows_of(x, rows, inputs, best_instruction_set());
    const auto y = product(coded, example.matrix(), {}, best_instruction_set());
    for (int r = 0; r < rows; ++r)
      for (int o = 0; o < outputs; ++o) {
        double exact = 0, size = 0;
        for (int i = 0; i < inputs; ++i) {
          const double a = coded.decode(r, i);
          exact += a * example.weight(o, i);
          size += std::abs(a * example.weight(o, i));
          CHECK(std::abs(a - x[static_cast<std::size_t>(r * inputs + i)]) <= 0.501 * coded.scale(r, i));
        }
        // Offsets far larger than the weights cancel; what is left is single precision of the terms.
        CHECK(y[static_cast<std::size_t>(r * outputs + o)] ==
              doctest::Approx(exact).epsilon(1e-6 * std::max(1.0, 40 * size / (std::abs(exact) + 1e-3))));
      }
  }
}

TEST_CASE("scales and offsets of 16 bits take half the memory and mean the same") {
  std::mt19937 random(12);
  const std::int64_t outputs = 48, inputs = 160;
  for (const int bits : {4, 5, 8}) {
    Example example({32, bits, 0, true}, outputs, inputs, random);
    const std::int64_t codes = outputs * inputs / (bits <= 4 ? 2 : 1), groups = outputs * inputs / 32;
    CHECK(example.matrix().bytes() == codes + groups * 8);
    example.round_steps();
    const CodedMatrix matrix = example.matrix();
    CHECK(matrix.bytes() == codes + groups * 4);
    std::vector<float> row(static_cast<std::size_t>(inputs));
    for (std::int64_t o = 0; o < outputs; ++o) {
      matrix.decode(o, row.data());
      for (std::int64_t i = 0; i < inputs; ++i)
        CHECK(row[static_cast<std::size_t>(i)] == static_cast<float>(example.weight(o, i)));
    }
  }
}

TEST_CASE("matrices share pages, which live as long as one of them") {
  std::mt19937 random(13);
  const Example first({32, 4, 8, false}, 16, 32, random), second({32, 4, 8, false}, 16, 32, random);
  std::vector<CodedMatrix> matrices;
  {
    SharedPages memory;
    for (const Example* const e : {&first, &second})
      matrices.emplace_back(e->outputs, e->inputs, e->coding, e->codes, e->scales, e->offsets, memory);
  }
  CHECK(matrices[1].view().cells == matrices[0].view().cells + matrices[0].bytes());
  matrices.erase(matrices.begin());
  std::vector<float> row(32);
  matrices[0].decode(5, row.data());
  for (int i = 0; i < 32; ++i)
    CHECK(row[static_cast<std::size_t>(i)] == static_cast<float>(second.weight(5, i)));
}

TEST_CASE("rows of 16 bits: every instruction set gives the same bytes, of rows that are right to 16 bits") {
  std::mt19937 random(11);
  for (const auto& [outputs, inputs, rows] :
       std::vector<std::tuple<int, int, int>>{{16, 32, 1}, {33, 83, 6}, {50, 80, 13}, {64, 576, 64}}) {
    const Example example({}, outputs, inputs, random);
    const CodedMatrix matrix = example.matrix();
    const std::vector<float> x = numbers(rows * inputs, random), bias = numbers(outputs, random);
    const CodedRows wide = rows_of(x, rows, inputs, InstructionSet::portable, RowBits::sixteen);
    const auto expected = product(wide, matrix, bias, InstructionSet::portable);
    for (int r = 0; r < rows; ++r) {
      float largest = 0;
      for (int i = 0; i < inputs; ++i) {
        const float value = x[static_cast<std::size_t>(r * inputs + i)];
        CHECK(std::abs(wide.decode(r, i) - value) <= 0.51f * wide.scale(r, i));
        largest = std::max(largest, std::abs(value));
      }
      CHECK(wide.scale(r, 0) <= largest / 32639);
      double exact = bias[0], size = 1e-3;
      for (int i = 0; i < inputs; ++i) {
        exact += static_cast<double>(wide.decode(r, i)) * example.weight(0, i);
        size += std::abs(static_cast<double>(wide.decode(r, i)) * example.weight(0, i));
      }
      CHECK(std::abs(expected[static_cast<std::size_t>(r * outputs)] - exact) <= 1e-6 * size);
    }
    for (const InstructionSet set : supported_instruction_sets()) {
      CAPTURE(name_of(set));
      CHECK(product(rows_of(x, rows, inputs, set, RowBits::sixteen), matrix, bias, set) == expected);
    }
  }
}

TEST_CASE("rows of 16 bits: extreme codes do not overflow, odd ones are split rightly") {
  for (const std::uint8_t code : {0, 1, 127, 128, 129, 255}) {
    const std::int64_t inputs = 64;
    const std::vector<std::uint8_t> codes(static_cast<std::size_t>(16 * inputs), code);
    const CodedMatrix matrix = coded(16, inputs, {}, codes, std::vector<float>(32, 1.0f));
    // A group's largest number is 32639, so that its numbers are their own codes.
    for (const int number : {32639, -32639, 32512, 32511, -32640 + 128, 128, 127, -128, -129, 255, 256}) {
      std::vector<float> x(static_cast<std::size_t>(inputs), static_cast<float>(number));
      x[0] = x[32] = 32639.0f;
      const double sum = 62.0 * number + 2 * 32639.0, weight = static_cast<int>(code) - 128;
      for (const InstructionSet set : supported_instruction_sets())
        for (const float y : product(rows_of(x, 1, inputs, set, RowBits::sixteen), matrix, {}, set))
          CHECK(y == doctest::Approx(sum * weight).epsilon(1e-7));
    }
  }
}

TEST_CASE("rows of 16 bits go with matrices of 8 bits only") {
  std::mt19937 random(14);
  const std::vector<float> x = numbers(64, random);
  for (const Coding& coding : kCodings) {
    const CodedMatrix matrix = Example(coding, 16, 64, random).matrix();
    const CodedRows rows = rows_of(x, 1, 64, best_instruction_set(), RowBits::sixteen);
    const bool fits = coding.bits == 8 && coding.group == 32 && !coding.offsets;
    if (fits)
      CHECK_NOTHROW(product(rows, matrix, {}, best_instruction_set()));
    else
      CHECK_THROWS_AS(product(rows, matrix, {}, best_instruction_set()), ConfigError);
  }
}

TEST_CASE("the extreme codes of every width do not saturate") {
  for (const Coding& coding : kCodings)
    for (const int sign : {1, -1}) {
      const int inputs = 64;
      const auto most = static_cast<std::uint8_t>((1 << coding.bits) - 1);
      for (const std::uint8_t code : {std::uint8_t{0}, most}) {
        const std::vector<std::uint8_t> codes(static_cast<std::size_t>(16 * inputs), code);
        const std::vector<float> ones(static_cast<std::size_t>(16 * inputs / coding.group), 1.0f);
        const std::vector<float> zeros(ones.size(), 0.0f);
        const CodedMatrix matrix =
            coded(16, inputs, coding, codes, ones, coding.offsets ? zeros : std::vector<float>());
        const std::vector<float> x(static_cast<std::size_t>(inputs), static_cast<float>(127 * sign));
        const float expected =
            static_cast<float>(inputs * 127 * sign * (code - (coding.offsets ? 0 : coding.zero)));
        for (const InstructionSet set : supported_instruction_sets())
          for (const float y : product(rows_of(x, 1, inputs, set), matrix, {}, set)) CHECK(y == expected);
      }
    }
}

TEST_CASE("a row has the same bytes alone and among others, and any split of the outputs") {
  std::mt19937 random(3);
  const Example example({32, 4, 0, true}, 70, 160, random);
  const CodedMatrix matrix = example.matrix();
  const std::vector<float> x = numbers(19 * 160, random);
  for (const InstructionSet set : supported_instruction_sets()) {
    const auto together = product(rows_of(x, 19, 160, set), matrix, {}, set);
    for (int r = 0; r < 19; ++r) {
      const std::vector<float> one(x.begin() + r * 160, x.begin() + (r + 1) * 160);
      const auto alone = product(rows_of(one, 1, 160, set), matrix, {}, set);
      CHECK(std::equal(alone.begin(), alone.end(), together.begin() + r * 70));
    }
    const CodedRows rows = rows_of(x, 19, 160, set);
    std::vector<float> split(together.size());
    multiply(rows, matrix, 0, 1, nullptr, split.data(), 70, set);
    multiply(rows, matrix, 1, 4, nullptr, split.data(), 70, set);
    multiply(rows, matrix, 4, matrix.panels(), nullptr, split.data(), 70, set);
    CHECK(split == together);
  }
}

TEST_CASE("a number that is not finite shows in its own row only") {
  std::mt19937 random(4);
  std::vector<float> x = numbers(3 * 64, random);
  x[64 + 40] = std::numeric_limits<float>::quiet_NaN();
  const CodedMatrix matrix = Example({32, 8, 128, false}, 20, 64, random).matrix();
  for (const InstructionSet set : supported_instruction_sets()) {
    const auto y = product(rows_of(x, 3, 64, set), matrix, {}, set);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i / 20 == 1));
  }
  const std::vector<float> tiny(64, 1e-38f);
  const auto y = product(rows_of(tiny, 1, 64, best_instruction_set()), matrix, {}, best_instruction_set());
  for (const float v : y) CHECK(v == 0);
}

TEST_CASE("floats are coded to half a step of their group") {
  std::mt19937 random(5);
  const std::vector<float> w = numbers(3 * 50, random);
  SharedPages memory;
  const CodedMatrix matrix = CodedMatrix::from_floats(3, 50, w, memory);
  for (int i = 0; i < 50; ++i) {
    std::vector<float> unit(50, 0.0f);
    unit[static_cast<std::size_t>(i)] = 127.0f;
    const auto y = product(rows_of(unit, 1, 50, best_instruction_set()), matrix, {}, best_instruction_set());
    for (int o = 0; o < 3; ++o) {
      float largest = 0;
      for (int k = i / 32 * 32; k < std::min(50, i / 32 * 32 + 32); ++k)
        largest = std::max(largest, std::abs(w[static_cast<std::size_t>(o * 50 + k)]));
      CHECK(std::abs(y[static_cast<std::size_t>(o)] / 127 - w[static_cast<std::size_t>(o * 50 + i)]) <=
            0.5001f * largest / 127);
    }
  }
}

TEST_CASE("sizes that do not fit are refused") {
  const std::vector<std::uint8_t> codes(32);
  const std::vector<float> one(1);
  CHECK_THROWS_AS(coded(1, 33, {}, codes, one), ConfigError);
  CHECK_THROWS_AS(coded(1, 32, {}, codes, {}), ConfigError);
  CHECK_THROWS_AS(coded(1, 32, {32, 4, 0, true}, codes, one), ConfigError);
  CHECK_THROWS_AS(coded(1, 32, {8, 4, 8, false}, codes, one), ConfigError);
  CHECK_THROWS_AS(coded(0, 32, {}, {}, {}), ConfigError);
}
