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
  std::string_view name;                  // GGUF general.architecture
  std::vector<std::string_view> classes;  // config.json "architectures"
  RopePairs gguf_pairs;                   // how the GGUF converter lays out q and k
  std::string_view activation;
};

// ModelError that names what is supported. The second form looks for a class of config.json.
const Architecture& architecture_named(std::string_view name, const std::string& path);
const Architecture& architecture_of_class(std::string_view name, const std::string& path);

// Dimensions that make sense and fit each other. ModelError otherwise.
void check_config(const ModelConfig& config, const std::string& path);
// Every tensor that the configuration asks for is there with the right shape, and no other.
void check_tensors(const ModelConfig& config, std::span<const TensorView> tensors, const std::string& path);

}  // namespace synthema::detail
