// A folder in Hugging Face layout: config.json, tokenizer.json, one or more safetensors files, and what else
// says where a turn begins and ends.
#include "synthema/model/hugging_face.hpp"

#include <algorithm>
#include <map>

#include "src/model/architecture.hpp"
#include "src/model/folder.hpp"
#include "src/model/json_file.hpp"
#include "src/model/loaded_model.hpp"
#include "synthema/model/safetensors.hpp"

namespace synthema::detail {

namespace {

// --- weights

// Buffers that old checkpoints keep: rotary frequencies, and GPT-2's causal masks.
bool is_recomputed(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name.ends_with(".attn.bias") ||
         name.ends_with(".attn.masked_bias");
}

// The family's own way to store a tensor, see TensorView.
void note_layout(const ModelConfig& config, TensorView& view) {
  if (config.architecture == "gemma3" && view.name.ends_with("norm.weight")) view.added = 1;
  if (config.architecture == "gpt2" && view.name.starts_with("blk.") && view.shape.size() == 2) {
    view.transposed = true;
    std::swap(view.shape[0], view.shape[1]);
  }
}

void add_tensors(Folder& folder, const std::string& file, const ModelConfig& config, FolderModel& out) {
  out.files.push_back(folder.map(file));
  for (TensorView& view : parse_safetensors(out.files.back().bytes(), folder.full(file))) {
    if (is_recomputed(view.name) || (config.tied_head && view.name == "lm_head.weight")) continue;
    const std::string name = canonical_tensor_name(config, view.name);
    if (name.empty())
      folder.fail(message("The file '", file, "' has the tensor '", view.name,
                          "', which this architecture does not use."));
    view.name = name;
    note_layout(config, view);
    out.model.tensors.push_back(std::move(view));
  }
}

void check_unique(const Folder& folder, const std::vector<TensorView>& tensors) {
  std::unordered_set<std::string_view> seen;
  for (const TensorView& view : tensors)
    if (!seen.insert(view.name).second) folder.fail(message("The tensor '", view.name, "' occurs twice."));
}

// --- begin, end and the chat template

void add_ids(const JsonKeys& keys, const char* key, const TokenizerData& data,
             std::vector<std::int32_t>& out) {
  const ModelJson* const value = keys.find(key);
  if (!value) return;
  for (const ModelJson& id : value->is_array() ? *value : ModelJson::array({*value})) {
    if (!id.is_number_integer() || id < 0 || id >= data.tokens.size())
      keys.fail(message("'", key, "' names a token that does not exist."));
    out.push_back(id.get<std::int32_t>());
  }
}

// A token by its text, or by an object that has the text.
std::optional<std::int32_t> token_of(const JsonKeys& keys, const char* key, const TokenizerData& data) {
  const ModelJson* value = keys.find(key);
  if (value && value->is_object()) value = JsonKeys(*value, keys.path()).find("content");
  if (!value || !value->is_string()) return std::nullopt;
  const auto hit = std::ranges::find(data.tokens, value->get<std::string>());
  if (hit == data.tokens.end()) keys.fail(message("'", key, "' names a token that does not exist."));
  return static_cast<std::int32_t>(hit - data.tokens.begin());
}

std::string template_of(const JsonKeys& keys) {
  const ModelJson* const value = keys.find("chat_template");
  if (!value) return {};
  if (value->is_string()) return value->get<std::string>();
  for (const ModelJson& entry : *value)  // several, by name
    if (entry.is_object() && entry.contains("name") && entry["name"] == "default")
      return JsonKeys(entry, keys.path()).text("template");
  return {};
}

void read_tokenizer_config(Folder& folder, TokenizerData& data) {
  const ModelJson json = folder.json_or_null("tokenizer_config.json");
  if (json.is_null()) return;
  const JsonKeys keys(json, folder.full("tokenizer_config.json"));
  if (const auto id = token_of(keys, "bos_token", data)) data.begin = id;
  if (const auto id = token_of(keys, "eos_token", data)) data.end = id;
  if (const auto id = token_of(keys, "pad_token", data)) data.padding = id;
  data.add_begin = keys.truth("add_bos_token", data.add_begin);
  data.chat_template = template_of(keys);
}

// config.json and generation_config.json state ids; every end that any file names ends a completion.
void read_ids(Folder& folder, const ModelJson& config, TokenizerData& data) {
  const ModelJson generation = folder.json_or_null("generation_config.json");
  std::vector<std::int32_t> begins, ends;
  const auto take = [&](const ModelJson& json, const char* file) {
    if (json.is_null()) return;
    const JsonKeys keys(json, folder.full(file));
    add_ids(keys, "bos_token_id", data, begins);
    add_ids(keys, "eos_token_id", data, ends);
  };
  take(config, "config.json");
  take(generation, "generation_config.json");
  if (!data.begin && !begins.empty()) data.begin = begins.front();
  if (!data.end && !ends.empty()) data.end = ends.front();
  data.more_ends.insert(data.more_ends.end(), ends.begin(), ends.end());
  settle_controls(data);
}

TokenizerData read_tokenizer(Folder& folder, const ModelJson& config) {
  TokenizerData data = tokenizer_from_json(folder.read("tokenizer.json"), folder.full("tokenizer.json"));
  read_tokenizer_config(folder, data);
  if (folder.has("chat_template.jinja")) data.chat_template = folder.read("chat_template.jinja");
  read_ids(folder, config, data);
  if (data.add_begin && !data.begin) folder.fail("The tokenizer adds a begin token, but no file says which.");
  return data;
}

void add_metadata(const ModelJson& config, LoadedModel& out) {
  for (const auto& [key, value] : config.items())
    if (value.is_primitive() || value.size() <= 8)
      out.metadata.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

FolderModel load_folder(const std::string& path) {
  Folder folder(path);
  FolderModel out;
  out.model.format = "safetensors";
  const std::string text = folder.read("config.json");
  const ModelJson config = parse_model_json(text, folder.full("config.json"));
  out.model.config = model_config_from_json(text, folder.full("config.json"));
  out.model.tokenizer = read_tokenizer(folder, config);
  for (const std::string& file : shards(folder)) add_tensors(folder, file, out.model.config, out);
  check_unique(folder, out.model.tensors);
  check_tensors(out.model.config, out.model.tensors, path);
  if (out.model.tokenizer.tokens.size() > static_cast<std::size_t>(out.model.config.vocabulary))
    folder.fail("The tokenizer has more tokens than the embedding has rows.");
  add_metadata(config, out.model);
  out.names = folder.used();
  return out;
}

}  // namespace synthema::detail
