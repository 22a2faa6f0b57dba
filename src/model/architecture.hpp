// The architecture table: one row per family of decoders. A new family is a row here and, where it has keys
// or tensors of its own, a few lines in the readers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/model/model_config.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema::detail {

struct Architecture {
  ModelConfig traits;                        // what all models of the family have; files give the rest.
                                             // traits.architecture is GGUF's general.architecture
  std::vector<std::string_view> classes;     // config.json "architectures"
  RopePairs gguf_pairs = RopePairs::halves;  // how the GGUF converter lays out q and k
  std::int64_t global_every = 1;             // see local_layers; where the file does not say
};

// ModelError that names what is supported. The second form looks for a class of config.json.
const Architecture& architecture_named(std::string_view name, const std::string& path);
const Architecture& architecture_of_class(std::string_view name, const std::string& path);

// ModelConfig::local_layers where every n-th layer sees all; empty for n = 1, where none does.
std::vector<bool> local_layers(std::int64_t layers, std::int64_t global_every);

// What the scalings multiply cosines and sines with where a file does not say (Peng et al. 2023, section 3.4;
// Ding et al. 2024). `factor` is how much longer the context became.
double yarn_attention_factor(double factor);
double longrope_attention_factor(double factor, std::int64_t original_context);

// Dimensions that make sense and fit each other. ModelError otherwise.
void check_config(const ModelConfig& config, const std::string& path);
// Every tensor that the configuration asks for is there with the right shape, and no other.
void check_tensors(const ModelConfig& config, std::span<const TensorView> tensors, const std::string& path);

}  // namespace synthema::detail
