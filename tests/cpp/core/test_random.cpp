#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "synthema/core/random.hpp"

using synthema::philox;
using synthema::PhiloxBlock;
using synthema::Random;

// Known-answer vectors of Philox4x32-10, published with Random123 (kat_vectors).
TEST_CASE("philox gives the published known answers") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("streams are derived without moving the parent and differ from it and each other") {
  Random a(7);
  const Random child = a.stream(3);
  CHECK(a() == Random(7)());
  CHECK(child.key() == Random(7).stream(3).key());
  std::set<std::uint64_t> keys{Random(7).key()};
  for (std::uint64_t row = 0; row < 20; ++row)
    for (std::uint64_t attempt = 0; attempt < 10; ++attempt)
      for (std::uint64_t call = 0; call < 5; ++call)
        keys.insert(Random::for_call(7, row, attempt, call).key());
  CHECK(keys.size() == 1001);
}

TEST_CASE("random access does not depend on order") {
  const Random r(11);
  const double late = r.uniform_at(5, 1234);
  for (int i = 0; i < 100; ++i) (void)r.uniform_at(0, static_cast<std::uint64_t>(i));
  CHECK(r.uniform_at(5, 1234) == late);
  CHECK(r.uniform_at(5, 1235) != late);
  CHECK(r.uniform_at(6, 1234) != late);
}

TEST_CASE("draws are uniform within their bounds") {
  Random r(1);
  std::vector<int> counts(7);
  double sum = 0;
  for (int i = 0; i < 70000; ++i) {
    ++counts[r.below(7)];
    const double u = r.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
  }
  for (const int c : counts) CHECK(std::abs(c - 10000) < 500);  // five standard deviations
  CHECK(std::abs(sum / 70000 - 0.5) < 0.006);
  CHECK_THROWS_AS(r.below(0), synthema::ConfigError);
}

TEST_CASE("weighted draws follow the weights and refuse nonsense") {
  Random r(2);
  const std::vector<double> weights{0, 1, 3, 0};
  std::vector<int> counts(4);
  for (int i = 0; i < 40000; ++i) ++counts[r.weighted(weights)];
  CHECK(counts[0] == 0);
  CHECK(counts[3] == 0);
  CHECK(std::abs(counts[2] - 30000) < 500);
  CHECK_THROWS_AS(r.weighted(std::vector<double>{0, 0}), synthema::ConfigError);
  CHECK_THROWS_AS(r.weighted(std::vector<double>{1, -1}), synthema::ConfigError);
}

TEST_CASE("shuffle is a permutation, the same for the same seed") {
  std::vector<int> a(50), b;
  std::iota(a.begin(), a.end(), 0);
  b = a;
  Random(5).shuffle(a);
  CHECK(a != b);
  Random(5).shuffle(b);
  CHECK(a == b);
  std::ranges::sort(a);
  for (int i = 0; i < 50; ++i) CHECK(a[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a Random is a standard generator") {
  static_assert(std::uniform_random_bit_generator<Random>);
}
