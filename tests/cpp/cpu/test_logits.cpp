#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "src/cpu/logits.hpp"
#include "synthema/core/random.hpp"

using namespace synthema;

namespace {

std::vector<float> random_logits(Random random, std::size_t n, double spread) {
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>((random.uniform() - 0.5) * spread);
  return out;
}

}  // namespace

TEST_CASE("the loops over logits give the same bytes on every instruction set") {
  using namespace synthema::cpu;
  const auto bytes = [](const std::vector<float>& v) {
    return std::string(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float));
  };
  for (const std::size_t n : {1, 15, 16, 127, 128, 129, 1000, 4096}) {
    auto logits = random_logits(Random(n), n, 200);
    logits[n / 2] = -std::numeric_limits<float>::infinity();
    std::set<std::string> maxima, weights, sums;
    for (const InstructionSet set : supported_instruction_sets()) {
      std::vector<float> m(logit_blocks(n)), w(n), s(logit_blocks(n));
      CHECK(block_maxima(logits, m, set));
      weigh(logits, 100.0f, 0.7f, w, set);
      block_sums(logits, 100.0f, 0.7f, s, set);
      maxima.insert(bytes(m)), weights.insert(bytes(w)), sums.insert(bytes(s));
      CHECK(*std::ranges::max_element(m) == *std::ranges::max_element(logits));
      CHECK(w[n / 2] == 0);
      for (std::size_t i = 0; i < n; ++i)
        if (w[i] > 1e-30f) {
          const double exact = std::exp((static_cast<double>(logits[i]) - 100.0) * static_cast<double>(0.7f));
          CHECK(w[i] == doctest::Approx(exact).epsilon(2e-5));
        }
      std::vector<float> broken = logits;
      broken[n - 1] = std::numeric_limits<float>::quiet_NaN();
      CHECK(!block_maxima(broken, m, set));
    }
    CHECK(maxima.size() == 1);
    CHECK(weights.size() == 1);
    CHECK(sums.size() == 1);
  }
}
