#include <algorithm>

#include "cpu/instruction_sets.hpp"
#include "src/cpu/aligned.hpp"
#include "src/cpu/distance_bounds.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

struct Case {
  std::vector<std::uint8_t> query, block;
  std::vector<BoundOf> kinds;
  std::uint8_t unit, shift;

  BoundQuery asked() const { return {query.data(), kinds.data(), kinds.size(), unit, shift}; }
};

Case random_case(Random& random, std::size_t columns) {
  Case out{{}, std::vector<std::uint8_t>(columns * kBoundLanes), {}, 0, 0};
  out.shift = static_cast<std::uint8_t>(random.below(8));
  out.unit = static_cast<std::uint8_t>(254 >> out.shift);
  const auto code = [&](BoundOf kind) {
    if (kind == BoundOf::number_or_missing && random.below(4) == 0) return kMissingCode;
    return static_cast<std::uint8_t>(random.below(kind == BoundOf::label ? 4 : 255U));
  };
  for (std::size_t c = 0; c < columns; ++c) {
    out.kinds.push_back(static_cast<BoundOf>(random.below(3)));
    out.query.push_back(static_cast<std::uint8_t>(random.below(out.kinds[c] == BoundOf::label ? 4 : 255U)));
    for (std::size_t lane = 0; lane < kBoundLanes; ++lane)
      out.block[c * kBoundLanes + lane] = code(out.kinds[c]);
  }
  return out;
}

int by_definition(const Case& given, std::size_t lane) {
  int sum = 0;
  for (std::size_t c = 0; c < given.kinds.size(); ++c) {
    const int q = given.query[c], v = given.block[c * kBoundLanes + lane];
    if (given.kinds[c] == BoundOf::label)
      sum += q == v ? 0 : given.unit;
    else if (given.kinds[c] == BoundOf::number_or_missing && v == kMissingCode)
      sum += given.unit;
    else
      sum += std::max(0, std::abs(q - v) - 1) >> given.shift;
  }
  return std::min(sum, 255);
}

std::uint64_t word_of(Random& random) {
  const std::uint64_t high = random();
  return (high << 32) | random();
}

}  // namespace

TEST_CASE("bounds of rows: the definition, in every instruction set") {
  on_every_instruction_set([](InstructionSet set) {
    Random random(3);
    for (const std::size_t columns : {1, 2, 7, 8, 9, 30, 100})
      for (int repeat = 0; repeat < 20; ++repeat) {
        const Case given = random_case(random, columns);
        const auto limit = static_cast<std::uint8_t>(random.below(256));
        const auto found = distance_bound_kernels(set).rows_within(given.asked(), given.block.data(), limit);
        for (std::size_t lane = 0; lane < kBoundLanes; ++lane)
          CHECK(((found[lane / 64] >> (lane % 64)) & 1U) == (by_definition(given, lane) <= limit));
      }
  });
}

TEST_CASE("bounds of boxes are never above those of the rows within, and nothing lies in a box for free") {
  on_every_instruction_set([](InstructionSet set) {
    Random random(4);
    for (int repeat = 0; repeat < 50; ++repeat) {
      Case given = random_case(random, 12);
      for (BoundOf& kind : given.kinds)
        if (kind == BoundOf::number_or_missing) kind = BoundOf::number;
      for (std::uint8_t& code : given.block)
        if (code == kMissingCode) code = 0;
      // Box i holds rows 2i and 2i + 1.
      std::vector<std::uint8_t> low(given.block.size()), high(given.block.size()), bounds(kBoundLanes);
      for (std::size_t i = 0; i < given.block.size(); ++i) {
        const std::size_t column = i / kBoundLanes * kBoundLanes, pair = i % kBoundLanes / 2 * 2;
        low[i] = std::min(given.block[column + pair], given.block[column + pair + 1]);
        high[i] = std::max(given.block[column + pair], given.block[column + pair + 1]);
      }
      distance_bound_kernels(set).box_bounds(given.asked(), low.data(), high.data(), bounds.data());
      for (std::size_t lane = 0; lane < kBoundLanes; ++lane)
        CHECK(bounds[lane] <= by_definition(given, lane));
      distance_bound_kernels(set).box_bounds(given.asked(), given.block.data(), given.block.data(),
                                             bounds.data());
      for (std::size_t lane = 0; lane < kBoundLanes; ++lane)
        CHECK(bounds[lane] == by_definition(given, lane));
    }
  });
}

TEST_CASE("bounds of single rows: the definition without saturation, in every instruction set") {
  on_every_instruction_set([](InstructionSet set) {
    Random random(5);
    for (const std::size_t columns : {1, 5, 63, 64, 65, 200}) {
      const std::size_t width = (columns + kRowBytes - 1) / kRowBytes * kRowBytes;
      std::vector<std::uint8_t> codes(width), numbers(width), labels(width), rows(64 * columns + kRowBytes);
      for (std::size_t c = 0; c < columns; ++c) {
        codes[c] = static_cast<std::uint8_t>(random.below(255));
        (random.below(2) == 0 ? numbers : labels)[c] = 254;
        if (numbers[c] != 0) numbers[c] = 255;
      }
      for (std::uint8_t& code : rows) code = static_cast<std::uint8_t>(random.below(256));
      for (std::size_t i = 0; i < rows.size(); i += 3) rows[i] = codes[i % columns];  // labels that agree
      const std::uint64_t bits = 0x8000'0001'0F00'F0A1 | random.below(1U << 30U);
      std::array<std::uint32_t, 64> found{};
      distance_bound_kernels(set).row_bounds({codes.data(), numbers.data(), labels.data(), width, 254},
                                             rows.data(), columns, bits, found.data());
      std::size_t next = 0;
      for (std::size_t row = 0; row < 64; ++row) {
        if (((bits >> row) & 1U) == 0) continue;
        std::uint32_t sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
          const int q = codes[c], v = rows[row * columns + c];
          if (labels[c] != 0)
            sum += q == v ? 0U : 254U;
          else
            sum += v == kMissingCode ? 254U : static_cast<std::uint32_t>(std::max(0, std::abs(q - v) - 1));
        }
        CHECK(found[next++] == sum);
      }
    }
  });
}

TEST_CASE("rows whose labels mostly agree: counted one by one, in every instruction set") {
  on_every_instruction_set([](InstructionSet set) {
    Random random(6);
    constexpr std::size_t kWords = kLabelLanes / 64;
    for (const std::size_t columns : {8, 16, 24, 56})
      for (const std::size_t most : {0, 1, 3, 7, 8, 15, 16, 30, 31, 32, 55, 56}) {
        cpu::AlignedVector<std::uint64_t> bits((columns + 3) * kWords);
        for (std::uint64_t& word : bits)
          word = word_of(random) & (most < columns / 3 ? word_of(random) : ~std::uint64_t{0});
        std::vector<std::uint32_t> places;
        for (std::size_t c = 0; c < columns; ++c)
          places.push_back(static_cast<std::uint32_t>(random.below(columns + 3)));
        const LabelBits found =
            distance_bound_kernels(set).alike_rows({places.data(), columns}, bits.data(), most);
        for (std::size_t row = 0; row < kLabelLanes; ++row) {
          std::size_t different = 0;
          for (const std::uint32_t place : places)
            different += (bits[place * kWords + row / 64] >> (row % 64)) & 1U;
          CHECK(((found[row / 64] >> (row % 64)) & 1U) == (different <= most));
        }
      }
  });
}
