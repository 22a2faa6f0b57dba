// The shape of a decoder-only transformer: what a model file says and the transformer builds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace synthema {

// How pairs of a head's dimensions are rotated: (0,1),(2,3),... as in the GGUF llama layout, or (i, i + d/2)
// as in Hugging Face checkpoints and most other GGUF families.
enum class RopePairs : std::uint8_t { adjacent, halves };

// Scaled rotary embeddings. linear: positions divided by factor. llama3: Llama 3.1's frequency-dependent
// scaling. An explicit `rope_factors` (GGUF tensor rope_freqs: one divisor per frequency) takes the place of
// both.
struct RopeScaling {
  std::string kind = "none";  // "none", "linear", "llama3"
  double factor = 1;
  double low_frequency_factor = 1;
  double high_frequency_factor = 4;
  double original_context = 8192;
};

// One decoder family = one row of the architecture table (src/model): which of these a file must or may set.
struct ModelConfig {
  std::string architecture;  // "llama", "qwen2", ... (GGUF general.architecture names)
  std::string name;          // as the file calls itself
  std::int64_t vocabulary = 0;
  std::int64_t context = 0;  // longest sequence the model was trained for
  std::int64_t width = 0;    // model dimension
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_width = 0;
  std::int64_t feed_forward = 0;
  double norm_epsilon = 1e-5;
  double rope_base = 10000;
  RopePairs rope_pairs = RopePairs::adjacent;
  RopeScaling rope_scaling;
  std::int64_t rope_width = 0;                 // rotated dimensions of a head
  bool tied_head = false;                      // no output matrix: the embedding serves
  bool attention_bias = false;                 // biases on q, k, v (Qwen2)
  bool head_norm = false;                      // RMS norm of each q and k head (Qwen3, Gemma 3)
  std::optional<std::int64_t> sliding_window;  // keys visible to local layers (Mistral v0.1: all layers)
  std::string activation = "silu";             // of the gate
};

}  // namespace synthema
