#include "src/torch/rope.hpp"

#include <algorithm>
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

// The pair (a real number) that makes this many turns within the original context.
double pair_with_turns(double turns, const ModelConfig& config) {
  const double waves = config.rope_scaling.original_context / (turns * 2 * std::numbers::pi);
  return static_cast<double>(config.rope_width) * std::log(waves) / (2 * std::log(config.rope_base));
}

// YaRN (Peng et al. 2023, section 3.2): fast pairs are kept, slow ones divided by the factor, a linear blend
// between.
double yarn_frequency(std::size_t pair, double frequency, const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  const double low = std::max(0.0, std::floor(pair_with_turns(scaling.beta_fast, config)));
  double high = std::min(static_cast<double>(config.rope_width) - 1,
                         std::ceil(pair_with_turns(scaling.beta_slow, config)));
  if (low == high) high += 0.001;
  const double slow = std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
  return frequency * (1 - slow) + frequency / scaling.factor * slow;
}

double scaled(std::size_t pair, double frequency, const ModelConfig& config, bool is_long) {
  const RopeScaling& scaling = config.rope_scaling;
  if (is_long && !scaling.long_divisors.empty()) return frequency / scaling.long_divisors.at(pair);
  if (!scaling.divisors.empty()) return frequency / scaling.divisors.at(pair);
  if (scaling.kind == "none") return frequency;
  if (scaling.kind == "linear") return frequency / scaling.factor;
  if (scaling.kind == "llama3") return llama3_frequency(frequency, scaling);
  if (scaling.kind == "yarn") return yarn_frequency(pair, frequency, config);
  throw ModelError(message("The model scales its rotary embedding by '", scaling.kind,
                           "', but only none, linear, llama3, yarn and longrope are built."));
}

}  // namespace

Rope::Rope(const ModelConfig& config, bool local, bool is_long)
    : frequencies_(static_cast<std::size_t>(config.rope_width / 2)),
      scale_(local ? 1 : config.rope_scaling.attention_factor) {
  const double base = local ? *config.local_rope_base : config.rope_base;
  for (std::size_t i = 0; i < frequencies_.size(); ++i) {
    const double frequency =
        std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(config.rope_width));
    frequencies_[i] = local ? frequency : scaled(i, frequency, config, is_long);
  }
}

void Rope::append(std::int64_t position, std::vector<float>& cosines, std::vector<float>& sines) const {
  for (const double frequency : frequencies_) {
    const double angle = frequency * static_cast<double>(position);
    cosines.push_back(static_cast<float>(std::cos(angle) * scale_));
    sines.push_back(static_cast<float>(std::sin(angle) * scale_));
  }
}

std::vector<Rope> ropes_of(const ModelConfig& config, bool is_long) {
  std::vector<Rope> out{Rope(config, false, is_long)};
  if (config.local_rope_base) out.emplace_back(config, true, is_long);
  return out;
}

}  // namespace synthema::detail
