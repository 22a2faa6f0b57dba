// A BERT-type encoder on disk: a folder with config.json, tokenizer.json and *.safetensors, and where
// sentence-transformers wrote it, modules.json with the pooling. Everything is checked before use; what is
// wrong or would change the vectors is a ModelError with the file and the cause.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"
#include "synthema/model/word_piece.hpp"

namespace synthema {

// How the vectors of a text's tokens become one: their mean (without padding there is nothing to mask), or
// that of the first token, [CLS].
enum class Pooling : std::uint8_t { mean, first };
constexpr std::string_view name_of(Pooling pooling) {
  return pooling == Pooling::mean ? "mean" : "cls";
}

struct EncoderConfig {
  std::string name;  // as the folder calls the model
  std::int64_t vocabulary = 0;
  std::int64_t positions = 0;  // rows of the position embedding
  std::int64_t token_types = 0;
  std::int64_t width = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t feed_forward = 0;
  double norm_epsilon = 1e-12;
  Pooling pooling = Pooling::mean;  // without modules.json, as sentence-transformers does
  bool unit_length = false;         // the vector is divided by its length
  std::int64_t max_tokens = 0;      // of a text with [CLS] and [SEP]; longer ones are cut
};

class SYNTHEMA_EXPORT EncoderFile {
 public:
  static EncoderFile open(const std::string& path);

  const std::string& path() const;
  const EncoderConfig& config() const;
  const WordPieceTokenizer& tokenizer() const;
  // By the name in the checkpoint without a leading "bert."; ModelError if missing.
  const TensorView& at(std::string_view name) const;
  // SHA-256 of all files that were read; computed when first asked for.
  const std::string& digest() const;

 private:
  struct Impl;
  explicit EncoderFile(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace synthema
