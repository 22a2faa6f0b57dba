// Angles of the rotary position embedding (Su et al. 2021) with the scalings that checkpoints use.
#pragma once

#include <span>
#include <vector>

#include "synthema/model/model_config.hpp"

namespace synthema::detail {

// One frequency per rotated pair. `divisors` (GGUF tensor rope_freqs, may be empty) takes the place of the
// configured scaling.
std::vector<double> rope_frequencies(const ModelConfig& config, std::span<const float> divisors);

}  // namespace synthema::detail
