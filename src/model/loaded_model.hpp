// What a GGUF file and a folder in Hugging Face layout have in common once they are read.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/model/gguf.hpp"
#include "synthema/model/mapped_file.hpp"
#include "synthema/model/model_config.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema::detail {

struct LoadedModel {
  std::string format;
  ModelConfig config;
  TokenizerData tokenizer;
  std::vector<TensorView> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;
};

LoadedModel load_gguf(std::span<const std::byte> bytes, const std::string& path);

// Marks the turn tokens of the known chat families as control tokens (some converters export them as ordinary
// text, and then a user could write one) and collects those that end a turn.
void settle_controls(TokenizerData& data);

struct FolderModel {
  std::vector<MappedFile> files;   // what the tensor views point into
  std::vector<std::string> names;  // all files that were read, sorted
  LoadedModel model;
};
FolderModel load_folder(const std::string& path);

}  // namespace synthema::detail
