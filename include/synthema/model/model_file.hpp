// A model on disk, memory-mapped: a GGUF file, or a folder with *.safetensors, config.json and
// tokenizer.json. Both look alike from here: canonical (GGUF) tensor names, shapes outermost first, metadata
// by key. Nothing in a file is trusted: every offset, count and dimension is checked before use; what is
// wrong is a ModelError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_config.hpp"

namespace synthema {

enum class TensorType : std::uint8_t {
  f32,
  f16,
  bf16,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k
};
SYNTHEMA_EXPORT std::string_view name_of(TensorType type);    // "F32", "Q4_1", ...
SYNTHEMA_EXPORT std::size_t block_elements(TensorType type);  // elements that share one block: 1, 32 or 256
SYNTHEMA_EXPORT std::size_t block_bytes(TensorType type);     // bytes of such a block

struct TensorView {
  std::string name;  // "token_embd.weight", "blk.0.attn_q.weight", "output_norm.weight", ...
  TensorType type = TensorType::f32;
  std::vector<std::int64_t>
      shape;  // outermost first: {rows, columns} for a matrix that multiplies from the left
  std::span<const std::byte> data;  // in the mapped file
  // How a folder in Hugging Face layout may differ from GGUF; dequantize evens it out. Unquantised types
  // only.
  bool transposed = false;  // stored as {columns, rows} (GPT-2)
  float added = 0;          // to every element: norm gains stored as their difference from one (Gemma)

  std::int64_t elements() const {
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    return n;
  }
};

// All elements as floats, exactly as the format defines them, in the order of `shape`. `out` has
// view.elements() entries. ModelError if sizes disagree, or one of them is not finite.
SYNTHEMA_EXPORT void dequantize(const TensorView& view, std::span<float> out);

// What the tokenizer room needs from the file, whichever format it came from.
struct TokenizerData {
  std::string kind;                 // "byte_bpe" or "sentencepiece"
  std::string pre_tokenizer;        // byte_bpe: "gpt2", "smollm", "llama3", "qwen2"
  std::vector<std::string> tokens;  // by id, in the file's spelling (byte_bpe: GPT-2's printable bytes)
  std::vector<std::string> merges;  // byte_bpe and tokenizer.json BPE: "left right", best first
  std::vector<float> scores;        // sentencepiece with scores
  std::vector<std::uint8_t>
      types;  // by id, GGUF's: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
  std::optional<std::int32_t> begin, end, unknown, padding;
  std::vector<std::int32_t> more_ends;  // further ids that end a turn (<|eot_id|>, <|im_end|>, <end_of_turn>)
  bool add_begin = false;               // the model expects `begin` before every text
  bool whole_words = false;             // byte_bpe: a word that is a token needs no merges (Llama 3)
  bool add_space_prefix = false;        // sentencepiece: a space before the first word of a text
  bool prefix_first_only = false;       // ... but not before text that follows a control token
  bool fuse_unknown = false;            // neighbouring unknown characters become one unknown token
  bool emit_unknown = false;      // byte_bpe: a byte without a token becomes the unknown token, not nothing
  bool nfc = false;               // text is brought to normalisation form C first (Qwen)
  bool prefix_if_absent = false;  // ... and no second space if the text begins with one
  std::string chat_template;  // the Jinja text as in the file; used to recognise the family, never executed
};

class SYNTHEMA_EXPORT ModelFile {
 public:
  // A .gguf file, or a folder in Hugging Face layout. ModelError with path and cause.
  static ModelFile open(const std::string& path);
  // A GGUF file that is already in memory; `path` is what errors call it.
  static ModelFile from_gguf(std::vector<std::byte> bytes, const std::string& path);

  const std::string& path() const;
  const std::string& format() const;  // "GGUF v3", "safetensors"
  const ModelConfig& config() const;
  const TokenizerData& tokenizer() const;
  std::span<const TensorView> tensors() const;          // in file order
  const TensorView* find(std::string_view name) const;  // by canonical name, or null
  const TensorView& at(std::string_view name) const;    // ModelError if missing
  const std::vector<std::pair<std::string, std::string>>& metadata()
      const;  // scalars and short arrays, for people
  // SHA-256 of the whole file or of all files of the folder; computed when first asked for.
  const std::string& digest() const;
  std::int64_t parameters() const;  // elements of all tensors

 private:
  struct Impl;
  explicit ModelFile(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace synthema
