#include <algorithm>

#include "cpu/instruction_sets.hpp"
#include "src/cpu/distance_bounds.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

struct Case {
  std::vector<std::uint8_t> query, block;
  std::vector<BoundOf> kinds;
  std::uint8_t unit;

  BoundQuery asked() const { return {query.data(), kinds.data(), kinds.size(), unit}; }
};

Case random_case(Random& random, std::size_t columns) {
  Case out{{}, std::vector<std::uint8_t>(columns * kBoundLanes), {}, 0};
  out.unit = static_cast<std::uint8_t>(1 + random.below(254));
  const auto code = [&](BoundOf kind) {
    if (kind == BoundOf::number_or_missing && random.below(4) == 0) return kMissingCode;
    return static_cast<std::uint8_t>(random.below(kind == BoundOf::label ? 4 : out.unit + 1U));
  };
  for (std::size_t c = 0; c < columns; ++c) {
    out.kinds.push_back(static_cast<BoundOf>(random.below(3)));
    out.query.push_back(
        static_cast<std::uint8_t>(random.below(out.kinds[c] == BoundOf::label ? 4 : out.unit + 1U)));
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
      sum += std::max(0, std::abs(q - v) - 1);
  }
  return std::min(sum, 255);
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
