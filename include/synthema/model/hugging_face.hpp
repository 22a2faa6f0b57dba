// The JSON files of a model folder in Hugging Face layout, from text to our structs. ModelError names the
// file and what in it is missing, broken or not supported; nothing unknown that would change the ids or the
// numbers is passed over.
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/model/model_config.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

// config.json of a family of the architecture table, as transformers 4 and 5 write it.
SYNTHEMA_EXPORT ModelConfig model_config_from_json(std::string_view text, const std::string& path);

// tokenizer.json with a BPE model: byte-level with one of the known split rules, or SentencePiece-type.
SYNTHEMA_EXPORT TokenizerData tokenizer_from_json(std::string_view text, const std::string& path);

// Canonical (GGUF) name of a tensor of a Hugging Face checkpoint; empty if there is none.
SYNTHEMA_EXPORT std::string canonical_tensor_name(const ModelConfig& config, std::string_view name);

}  // namespace synthema
