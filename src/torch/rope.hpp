// Angles of the rotary position embedding (Su et al. 2021) with the scalings that checkpoints use.
#pragma once

#include <cstdint>
#include <vector>

#include "synthema/model/model_config.hpp"

namespace synthema::detail {

// What one kind of layer rotates by.
class Rope {
 public:
  // `local`: of the layers that see only a window, where they have a base of their own. `is_long`: of
  // sequences beyond the short context.
  Rope(const ModelConfig& config, bool local, bool is_long);

  std::int64_t pairs() const { return static_cast<std::int64_t>(frequencies_.size()); }
  // Appends one cosine and one sine for each pair.
  void append(std::int64_t position, std::vector<float>& cosines, std::vector<float>& sines) const;

 private:
  std::vector<double> frequencies_;  // one per rotated pair
  double scale_ = 1;                 // of cosines and sines
};

// All kinds that a model has: one, or two where local layers differ. Layer i uses number rope_of_layer(i).
std::vector<Rope> ropes_of(const ModelConfig& config, bool is_long);
inline std::size_t rope_of_layer(const ModelConfig& config, std::int64_t layer) {
  return config.local_rope_base && config.is_local(layer) ? 1 : 0;
}

}  // namespace synthema::detail
