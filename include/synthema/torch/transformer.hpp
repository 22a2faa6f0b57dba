// Transformer: a decoder of any family of the architecture table on libtorch; a LanguageModel. Tensors stay
// inside src/torch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/grouped_codes.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/model_config.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

// Where weights come from, by canonical (GGUF) tensor name.
struct WeightSource {
  // Outermost first; nothing if there is no such tensor.
  std::function<std::optional<std::vector<std::int64_t>>(std::string_view name)> shape;
  // All elements, outermost first; `out` has exactly as many entries.
  std::function<void(std::string_view name, std::span<float> out)> read;
  // The codes of a quantised tensor, for integer products; may be left out, and gives nothing where there are
  // none.
  std::function<std::optional<GroupedCodes>(std::string_view name)> codes = {};
};
SYNTHEMA_EXPORT WeightSource weights_of(const ModelFile& file);

struct TransformerOptions {
  std::string device =
      "cpu";  // "cpu", "cuda", "cuda:N"; "aten": CUDA's operations on the CPU, slow, to check
  // Of the matrix products: "float32", "bfloat16", "float16"; on the CPU also "int8": the codes of a
  // quantised file as they are (plain numbers in 8 bits), activations in 8 bits with a scale for each 32 of a
  // row. "auto": int8 on the CPU, bfloat16 on a device.
  std::string dtype = "float32";
  std::size_t threads = 0;  // on the CPU; 0: one per core
  // Of keys and values, on the CPU: "float32", "float16", or "int8" with a scale for each vector, whose
  // scores and sums are products of integers. The smaller ones take a half or about a quarter of the memory,
  // and of the time that reading it takes. "auto": int8 beside integer products of the weights, else float32.
  std::string kv_dtype = "float32";
  std::uint64_t kv_memory = std::uint64_t{2} << 30;  // bytes that keys and values may take
};

class SYNTHEMA_EXPORT Transformer {
 public:
  // ModelError: a tensor is missing or has another shape than the configuration says, or the architecture
  // needs what is not built. ConfigError: unknown device, dtype or kv_dtype, or memory for less than one
  // block of keys.
  Transformer(const ModelConfig& config, const WeightSource& weights, const TransformerOptions& options = {});
  explicit Transformer(const ModelFile& file, const TransformerOptions& options = {})
      : Transformer(file.config(), weights_of(file), options) {}
  ~Transformer();
  Transformer(Transformer&&) noexcept;
  Transformer& operator=(Transformer&&) noexcept;

  // As the concept LanguageModel says. Sequences that were forked share whole blocks of keys and values.
  Slot open();
  Slot open_long();
  Slot fork(Slot slot);
  void close(Slot slot);
  std::size_t length(Slot slot) const;
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps);
  void forward(std::span<const SlotStep> steps, const LogitsUse& use);
  std::size_t workers() const;
  std::size_t vocabulary_size() const;
  std::size_t context_limit() const;
  std::size_t short_context() const;

  // Tokens whose keys and values fit into the memory, all sequences together; a shared prefix counts once.
  std::size_t token_capacity() const;
  // What the bytes of the logits depend on besides the weights: "fp32-cpu-avx512-torch2.13.0", ...
  std::string numeric_path() const;
  // Seconds that all threads together have spent on each part of a step since the model was made. Kernels of
  // our own tell all parts, other devices the draws only. Waiting is part of what is waited for.
  std::vector<std::pair<std::string, double>> seconds_by_part() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

static_assert(StreamingLanguageModel<Transformer>);

}  // namespace synthema
