#include "src/torch/rope.hpp"

#include <cmath>
#include <cstddef>
#include <numbers>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

// Llama 3.1: long waves are stretched by the factor, short ones kept, a linear blend between.
double llama3_frequency(double frequency, const RopeScaling& scaling) {
  const double wave = 2 * std::numbers::pi / frequency;
  const double turns = scaling.original_context / wave;
  if (turns < scaling.low_frequency_factor) return frequency / scaling.factor;
  if (turns > scaling.high_frequency_factor) return frequency;
  const double blend =
      (turns - scaling.low_frequency_factor) / (scaling.high_frequency_factor - scaling.low_frequency_factor);
  return (1 - blend) * frequency / scaling.factor + blend * frequency;
}

double scaled(double frequency, const RopeScaling& scaling) {
  if (scaling.kind == "none") return frequency;
  if (scaling.kind == "linear") return frequency / scaling.factor;
  if (scaling.kind == "llama3") return llama3_frequency(frequency, scaling);
  throw ModelError(message("The model scales its rotary embedding by '", scaling.kind,
                           "', but only none, linear and llama3 are built."));
}

}  // namespace

std::vector<double> rope_frequencies(const ModelConfig& config, std::span<const float> divisors) {
  const auto pairs = static_cast<std::size_t>(config.rope_width / 2);
  std::vector<double> frequencies(pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    const double frequency =
        std::pow(config.rope_base, -2.0 * static_cast<double>(i) / static_cast<double>(config.rope_width));
    frequencies[i] = divisors.empty() ? scaled(frequency, config.rope_scaling) : frequency / divisors[i];
  }
  return frequencies;
}

}  // namespace synthema::detail
