// TextEncoder: a BERT-type encoder (MiniLM and its kin) on the CPU; an Embedder. Tensors stay inside
// src/torch.
//
// The tokens of many texts stand in one matrix, without padding; attention is computed text by text, and no
// product depends on how many rows it has. So the vector of a text has the same bytes alone, among others and
// on any number of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/model/encoder_file.hpp"
#include "synthema/text/embedder.hpp"

namespace synthema {

struct TextEncoderOptions {
  // Of the matrix products: "float32", or "int8": weights and rows in 8 bits with a scale for each 32 inputs
  // (rows in 16 bits for queries, keys and values); or "fastest": int8 where the machine has products of
  // bytes (AVX-512 VNNI, the dot product of AArch64), float32 elsewhere. `numeric_path` says which.
  std::string dtype = "float32";
  std::size_t threads = 0;     // 0: one per core
  std::size_t max_tokens = 0;  // of a text, with [CLS] and [SEP]; 0: what the folder says
};

// Row-major {texts, width}, and which texts were longer than the encoder reads: only their beginning counts.
struct Embeddings {
  std::size_t width = 0;
  std::vector<float> values;
  std::vector<std::size_t> truncated;
};

// Of each text, row-major {tokens, width} without [CLS] and [SEP], and which texts were cut.
struct TokenEmbeddings {
  std::size_t width = 0;
  std::vector<std::vector<float>> texts;
  std::vector<std::size_t> truncated;
};

class SYNTHEMA_EXPORT TextEncoder {
 public:
  // ModelError: see EncoderFile. ConfigError: an unknown dtype, or more tokens than the model has positions.
  static TextEncoder load(const std::string& path, const TextEncoderOptions& options = {});
  ~TextEncoder();
  TextEncoder(TextEncoder&&) noexcept;
  TextEncoder& operator=(TextEncoder&&) noexcept;

  // The folder's name for the model, the first 12 digits of its digest, pooling and numeric path.
  const std::string& name() const;
  std::vector<std::vector<float>> embed(std::span<const std::string> texts) const;
  // The same as one matrix. Cancelled if the token says so; `heartbeat` is called often, from the calling
  // thread, and may throw to stop.
  Embeddings embed_all(std::span<const std::string> texts, const CancelToken& cancel = {},
                       const std::function<void()>& heartbeat = {}) const;
  // The last layer's vector of each token, which embed() pools: for BertScore.
  TokenEmbeddings embed_tokens(std::span<const std::string> texts, const CancelToken& cancel = {},
                               const std::function<void()>& heartbeat = {}) const;

  std::size_t width() const;
  std::size_t max_tokens() const;
  std::vector<TokenId> tokens(std::string_view text) const;  // with [CLS] and [SEP], cut
  const std::string& digest() const;                         // of the folder's files
  // What the bytes of a vector depend on besides the weights: "fp32-cpu-avx512-torch2.13.0", ...
  std::string numeric_path() const;

 private:
  struct Impl;
  explicit TextEncoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

static_assert(Embedder<TextEncoder>);

}  // namespace synthema
