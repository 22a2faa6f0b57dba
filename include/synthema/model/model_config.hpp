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

// Scaled rotary embeddings (Su et al. 2021) as checkpoints state them. linear: positions divided by factor.
// llama3: Llama 3.1's frequency-dependent scaling. yarn: Peng et al. 2023. longrope: Ding et al. 2024, with
// one set of factors for sequences up to the original context and another one for longer sequences.
struct RopeScaling {
  std::string kind = "none";  // "none", "linear", "llama3", "yarn", "longrope"
  double factor = 1;
  double low_frequency_factor = 1;  // llama3
  double high_frequency_factor = 4;
  double original_context = 8192;  // llama3, yarn, longrope
  double beta_fast = 32;           // yarn
  double beta_slow = 1;
  double attention_factor = 1;   // yarn, longrope: cosines and sines are multiplied by it
  std::vector<double> divisors;  // one per frequency; where there are any they take the place of the formula
  std::vector<double> long_divisors;  // those of sequences longer than the original context, if they differ
};

// root mean square without a mean or a bias (Zhang and Sennrich 2019), or mean, variance and bias (Ba et al.)
enum class NormKind : std::uint8_t { rms, layer };

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
  NormKind norm = NormKind::rms;
  double norm_epsilon = 1e-5;
  bool head_norm = false;          // RMS norm of each q and k head (Qwen3, Gemma 3)
  bool post_norms = false;         // norms also behind attention and feed-forward (Gemma 3)
  bool learned_positions = false;  // a matrix of position embeddings (GPT-2) in place of rotation
  std::int64_t rope_width = 0;     // rotated dimensions of a head; 0 with learned positions
  double rope_base = 10000;
  RopePairs rope_pairs = RopePairs::halves;
  RopeScaling rope_scaling;
  std::optional<double> local_rope_base;       // of local layers, which then are not scaled (Gemma 3)
  std::optional<std::int64_t> sliding_window;  // keys visible to local layers, the token itself included
  std::vector<bool> local_layers;              // by layer; empty: with a window all layers are local
  double embedding_scale = 1;                  // token embeddings are multiplied by it (Gemma)
  std::optional<double> attention_scale;       // of the scores; else 1 / sqrt(head_width)
  bool attention_bias = false;                 // biases on q, k, v (Qwen2, GPT-2)
  bool output_bias = false;                    // ... on the attention's output (GPT-2)
  bool feed_forward_bias = false;              // ... on the feed-forward matrices (GPT-2)
  bool gated = true;                           // activation(gate) * up, or activation(up) alone (GPT-2)
  std::string activation = "silu";             // "silu", "gelu_tanh"
  bool tied_head = false;                      // no output matrix: the embedding serves

  // Tokens of the longest sequence whose positions are rotated by `divisors`; a longer one is rotated by
  // `long_divisors`, from its first token on.
  std::int64_t short_context() const {
    return rope_scaling.long_divisors.empty() ? context
                                              : static_cast<std::int64_t>(rope_scaling.original_context);
  }
  // Does the layer see only the window?
  bool is_local(std::int64_t layer) const {
    return sliding_window && (local_layers.empty() || local_layers[static_cast<std::size_t>(layer)]);
  }
};

}  // namespace synthema
