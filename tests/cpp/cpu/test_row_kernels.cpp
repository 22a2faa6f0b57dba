#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "cpu/instruction_sets.hpp"
#include "src/cpu/row_kernels.hpp"

using namespace synthema;
using namespace synthema::cpu;

namespace {

constexpr std::size_t kWidths[] = {1, 2, 15, 16, 17, 31, 48, 63, 64, 100, 576, 577};

// Each kernel by the definition, in double.
std::vector<double> exact_norm(const std::vector<float>& x, const std::vector<float>& gain, double epsilon) {
  double squares = 0;
  for (const float v : x) squares += double{v} * v;
  std::vector<double> out;
  for (std::size_t i = 0; i < x.size(); ++i)
    out.push_back(x[i] / std::sqrt(squares / static_cast<double>(x.size()) + epsilon) * gain[i]);
  return out;
}

void check_near(const std::vector<float>& found, const std::vector<double>& exact, double tolerance) {
  REQUIRE(found.size() == exact.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(std::abs(found[i] - exact[i]) <= tolerance * std::max(1.0, std::abs(exact[i])));
}

// What a kernel computes on the portable path, which the others must repeat bit for bit.
template <class Run>
void check_on_every_set(const std::vector<double>& exact, double tolerance, Run run) {
  const std::vector<float> portable = run(row_kernels(InstructionSet::portable));
  check_near(portable, exact, tolerance);
  on_every_instruction_set([&](InstructionSet set) { CHECK(same_bytes(run(row_kernels(set)), portable)); });
}

}  // namespace

TEST_CASE("rms_norm is the definition, and the same bytes on every instruction set") {
  Random random(1);
  for (const std::size_t width : kWidths) {
    const auto x = random_floats(random, width, 20), gain = random_floats(random, width);
    check_on_every_set(exact_norm(x, gain, 1e-5), 1e-6, [&](const RowKernels& kernels) {
      std::vector<float> out = x;  // in place
      kernels.rms_norm(out.data(), gain.data(), out.data(), static_cast<std::int64_t>(width), 1e-5f);
      return out;
    });
  }
}

TEST_CASE("layer_norm is the definition, and the same bytes on every instruction set") {
  Random random(5);
  for (const std::size_t width : kWidths) {
    const auto x = random_floats(random, width, 20), gain = random_floats(random, width),
               bias = random_floats(random, width);
    double mean = 0, variance = 0;
    for (const float v : x) mean += v / static_cast<double>(width);
    for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(width);
    std::vector<double> exact;
    for (std::size_t i = 0; i < width; ++i)
      exact.push_back((x[i] - mean) / std::sqrt(variance + 1e-5) * gain[i] + bias[i]);
    check_on_every_set(exact, 2e-6, [&](const RowKernels& kernels) {
      std::vector<float> out = x;  // in place
      kernels.layer_norm(out.data(), gain.data(), bias.data(), out.data(), static_cast<std::int64_t>(width),
                         1e-5f);
      return out;
    });
  }
}

TEST_CASE("rotate turns both kinds of pairs, and the same bytes on every instruction set") {
  Random random(2);
  for (const std::size_t pairs : {1, 5, 8, 16, 17, 32, 48})
    for (const bool adjacent : {false, true}) {
      const auto head = random_floats(random, 2 * pairs), angles = random_floats(random, pairs, 100);
      std::vector<float> cosines, sines;
      std::vector<double> exact(2 * pairs);
      for (std::size_t i = 0; i < pairs; ++i) {
        cosines.push_back(std::cos(angles[i]));
        sines.push_back(std::sin(angles[i]));
        const std::size_t a = adjacent ? 2 * i : i, b = adjacent ? 2 * i + 1 : i + pairs;
        exact[a] = double{head[a]} * cosines[i] - double{head[b]} * sines[i];
        exact[b] = double{head[a]} * sines[i] + double{head[b]} * cosines[i];
      }
      check_on_every_set(exact, 1e-6, [&](const RowKernels& kernels) {
        std::vector<float> out = head;
        kernels.rotate(out.data(), cosines.data(), sines.data(), static_cast<std::int64_t>(pairs), adjacent);
        return out;
      });
    }
}

TEST_CASE("activations are the definition, extremes included, and the same bytes on every instruction set") {
  const auto exact_of = [](Activation kind, double x) {
    if (kind == Activation::silu) return x / (1 + std::exp(-x));
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  };
  Random random(3);
  for (const Activation kind : {Activation::silu, Activation::gelu_tanh})
    for (const bool gated : {false, true})
      for (const std::size_t width : kWidths) {
        auto row = random_floats(random, gated ? 2 * width : width, 30);
        row[0] = -200;  // e^200 is no float
        if (width > 1) row[width - 1] = 200;
        std::vector<double> exact;
        for (std::size_t i = 0; i < width; ++i)
          exact.push_back(exact_of(kind, row[i]) * (gated ? row[width + i] : 1));
        check_on_every_set(exact, 2e-6, [&](const RowKernels& kernels) {
          std::vector<float> out(width);
          kernels.activate(kind, gated, row.data(), out.data(), static_cast<std::int64_t>(width));
          return out;
        });
      }
}

TEST_CASE("a NaN stays a NaN, so that a broken model is noticed") {
  on_every_instruction_set([](InstructionSet set) {
    std::vector<float> gate_up(40, 1.0f), out(20);
    gate_up[17] = std::numeric_limits<float>::quiet_NaN();
    row_kernels(set).activate(Activation::silu, true, gate_up.data(), out.data(), 20);
    CHECK(std::isnan(out[17]));
    CHECK(out[16] == out[0]);
    row_kernels(set).rms_norm(gate_up.data(), gate_up.data() + 20, out.data(), 20, 1e-5f);
    CHECK(std::isnan(out[0]));
  });
}

TEST_CASE("add adds, and the same bytes on every instruction set") {
  Random random(4);
  for (const std::size_t width : kWidths) {
    const auto x = random_floats(random, width), y = random_floats(random, width);
    std::vector<double> exact;
    for (std::size_t i = 0; i < width; ++i) exact.push_back(double{x[i]} + y[i]);
    check_on_every_set(exact, 1e-6, [&](const RowKernels& kernels) {
      std::vector<float> out = y;
      kernels.add(x.data(), out.data(), static_cast<std::int64_t>(width));
      return out;
    });
  }
}
