#include "synthema/model/encoder_file.hpp"

#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "src/model/folder.hpp"
#include "src/model/json_file.hpp"
#include "synthema/model/safetensors.hpp"

namespace synthema {

namespace {

using detail::Folder;
using detail::JsonKeys;
using detail::ModelJson;

// --- config.json

void check_family(const JsonKeys& keys) {
  const std::string type = keys.text_or("model_type").value_or("");
  if (type != "bert")
    keys.fail(message("The model type '", type, "' is not supported as an encoder; bert is."));
  if (keys.text_or("position_embedding_type").value_or("absolute") != "absolute")
    keys.fail("Only absolute positions are supported for encoders.");
  const std::string activation = keys.text_or("hidden_act").value_or("gelu");
  if (activation != "gelu")
    keys.fail(message("The activation '", activation, "' is not supported for encoders; gelu is."));
  for (const char* key : {"is_decoder", "add_cross_attention"})
    if (keys.truth(key, false)) keys.fail(message("'", key, "' is not supported for encoders."));
}

EncoderConfig read_config(Folder& folder) {
  const ModelJson json = detail::parse_model_json(folder.read("config.json"), folder.full("config.json"));
  const JsonKeys keys(json, folder.full("config.json"));
  check_family(keys);
  EncoderConfig c;
  c.name = keys.text_or("_name_or_path").value_or("");
  const auto size = [&](const char* key, std::int64_t most) {
    const std::int64_t n = keys.integer(key);
    if (n < 1 || n > most) keys.fail(message("'", key, "' is ", n, "; 1 to ", most, " make sense."));
    return n;
  };
  c.vocabulary = size("vocab_size", 1 << 24);
  c.positions = size("max_position_embeddings", 1 << 20);
  c.token_types = size("type_vocab_size", 1 << 10);
  c.width = size("hidden_size", 1 << 16);
  c.layers = size("num_hidden_layers", 4096);
  c.heads = size("num_attention_heads", 1 << 12);
  c.feed_forward = size("intermediate_size", 1 << 20);
  c.norm_epsilon = keys.real_or("layer_norm_eps").value_or(1e-12);
  if (c.width % c.heads != 0)
    keys.fail(message("The width ", c.width, " cannot be divided among ", c.heads, " heads."));
  if (!(c.norm_epsilon > 0 && c.norm_epsilon < 1))
    keys.fail("The epsilon of the norm is not between 0 and 1.");
  if (c.positions < 3) keys.fail("The model has no position for a text between [CLS] and [SEP].");
  return c;
}

// --- modules.json and what it names, as sentence-transformers 2 to 6 write it

Pooling read_pooling(Folder& folder, const std::string& file) {
  const ModelJson json = detail::parse_model_json(folder.read(file), folder.full(file));
  const JsonKeys keys(json, folder.full(file));
  std::vector<std::string> modes;
  if (const ModelJson* const mode = keys.find("pooling_mode")) {
    for (const ModelJson& one : mode->is_array() ? *mode : ModelJson::array({*mode}))
      modes.push_back(one.is_string() ? one.get<std::string>() : one.dump());
  } else {
    for (const auto& [key, value] : json.items())
      if (key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>())
        modes.push_back(key.substr(13));
  }
  if (modes.empty() || (modes.size() == 1 && (modes[0] == "mean" || modes[0] == "mean_tokens")))
    return Pooling::mean;
  if (modes.size() == 1 && (modes[0] == "cls" || modes[0] == "cls_token")) return Pooling::first;
  keys.fail("This way of pooling is not supported; the mean of the tokens and the [CLS] token are.");
}

// A folder inside the model's, for the file `name` in it.
std::string path_in(const JsonKeys& module, const std::string& name) {
  const std::string path = module.text_or("path").value_or("");
  if (path.find_first_of("/\\") != std::string::npos || path == "..")
    module.fail("A module names a path that is not in the folder.");
  return path.empty() ? name : path + "/" + name;
}

void read_modules(Folder& folder, EncoderConfig& c) {
  const ModelJson modules = folder.json_or_null("modules.json");
  if (modules.is_null()) return;
  const std::string file = folder.full("modules.json");
  if (!modules.is_array()) detail::fail_json(file, "This should be a list of modules.");
  std::size_t place = 0;  // Transformer, Pooling, Normalize, in this order
  for (const ModelJson& entry : modules) {
    const JsonKeys module(entry, file);
    const std::string type = module.text("type");
    const std::string name = type.substr(type.rfind('.') + 1);
    if (place == 0 && name == "Transformer" && module.text_or("path").value_or("").empty()) {
      place = 1;
    } else if (place == 1 && name == "Pooling") {
      c.pooling = read_pooling(folder, path_in(module, "config.json"));
      place = 2;
    } else if (place == 2 && name == "Normalize") {
      c.unit_length = true;
      place = 3;
    } else {
      module.fail(message("The module ", type,
                          " is not supported here; a transformer, pooling and normalisation are."));
    }
  }
  if (place < 2) detail::fail_json(file, "The transformer and its pooling are missing.");
}

void read_limit(Folder& folder, const WordPieceTokenizer& tokenizer, EncoderConfig& c) {
  c.max_tokens = c.positions;
  const ModelJson json = folder.json_or_null("sentence_bert_config.json");
  if (json.is_null()) return;
  const JsonKeys keys(json, folder.full("sentence_bert_config.json"));
  c.max_tokens = std::min(c.positions, keys.integer_or("max_seq_length").value_or(c.positions));
  if (c.max_tokens < 3) keys.fail("'max_seq_length' leaves no room for a text between [CLS] and [SEP].");
  if (keys.truth("do_lower_case", false) && !tokenizer.lowercases())
    keys.fail("'do_lower_case' is not supported with a tokenizer that keeps capital letters.");
}

// --- weights

bool is_unused(std::string_view name) {
  return name.ends_with("embeddings.position_ids") || name.starts_with("cls.") ||
         name.starts_with("pooler.") || name.starts_with("bert.pooler.");
}

// Without the prefix of models with a head, and with today's names of a norm's parts.
std::string plain_name(std::string name) {
  if (name.starts_with("bert.")) name.erase(0, 5);
  for (const auto& [old, now] :
       {std::pair("LayerNorm.gamma", "LayerNorm.weight"), std::pair("LayerNorm.beta", "LayerNorm.bias")})
    if (name.ends_with(old)) name.replace(name.size() - std::string_view(old).size(), std::string::npos, now);
  return name;
}

}  // namespace

struct EncoderFile::Impl {
  explicit Impl(const std::string& where);

  void read_weights(Folder& folder);
  void check_weights(const Folder& folder) const;

  std::string path;
  EncoderConfig config;
  std::optional<WordPieceTokenizer> tokenizer;
  std::vector<MappedFile> files;
  std::unordered_map<std::string, TensorView> tensors;
  std::vector<std::string> names;  // of all files that were read, sorted
  mutable std::once_flag digested;
  mutable std::string digest;
};

EncoderFile::Impl::Impl(const std::string& where) : path(where) {
  Folder folder(where);
  config = read_config(folder);
  tokenizer = WordPieceTokenizer::from_json(folder.read("tokenizer.json"), folder.full("tokenizer.json"));
  if (tokenizer->vocabulary_size() > static_cast<std::size_t>(config.vocabulary))
    folder.fail("The tokenizer has more tokens than the embedding has rows.");
  read_modules(folder, config);
  read_limit(folder, *tokenizer, config);
  read_weights(folder);
  check_weights(folder);
  names = folder.used();
}

void EncoderFile::Impl::read_weights(Folder& folder) {
  for (const std::string& file : detail::shards(folder)) {
    files.push_back(folder.map(file));
    for (TensorView& view : parse_safetensors(files.back().bytes(), folder.full(file), &is_unused)) {
      view.name = plain_name(view.name);
      const std::string name = view.name;
      if (!tensors.emplace(name, std::move(view)).second)
        folder.fail(message("The tensor '", name, "' occurs twice."));
    }
  }
}

void EncoderFile::Impl::check_weights(const Folder& folder) const {
  std::size_t expected = 0;
  const auto need = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto hit = tensors.find(name);
    if (hit == tensors.end()) folder.fail(message("The model has no tensor '", name, "'."));
    if (hit->second.shape != shape)
      folder.fail(message("The tensor '", name, "' has another shape than config.json says."));
    ++expected;
  };
  const auto need_both = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    need(name + ".weight",
         inputs > 0 ? std::vector<std::int64_t>{outputs, inputs} : std::vector<std::int64_t>{outputs});
    need(name + ".bias", {outputs});
  };
  const EncoderConfig& c = config;
  need("embeddings.word_embeddings.weight", {c.vocabulary, c.width});
  need("embeddings.position_embeddings.weight", {c.positions, c.width});
  need("embeddings.token_type_embeddings.weight", {c.token_types, c.width});
  need_both("embeddings.LayerNorm", c.width, 0);
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = message("encoder.layer.", i, ".");
    for (const char* part : {"query", "key", "value"})
      need_both(layer + "attention.self." + part, c.width, c.width);
    need_both(layer + "attention.output.dense", c.width, c.width);
    need_both(layer + "attention.output.LayerNorm", c.width, 0);
    need_both(layer + "intermediate.dense", c.feed_forward, c.width);
    need_both(layer + "output.dense", c.width, c.feed_forward);
    need_both(layer + "output.LayerNorm", c.width, 0);
  }
  if (expected != tensors.size())
    folder.fail(
        message("The weights have ", tensors.size() - expected, " tensors that this architecture lacks."));
}

EncoderFile EncoderFile::open(const std::string& path) {
  return EncoderFile(std::make_shared<const Impl>(path));
}
const std::string& EncoderFile::path() const {
  return impl_->path;
}
const EncoderConfig& EncoderFile::config() const {
  return impl_->config;
}
const WordPieceTokenizer& EncoderFile::tokenizer() const {
  return *impl_->tokenizer;
}
const TensorView& EncoderFile::at(std::string_view name) const {
  if (const auto hit = impl_->tensors.find(std::string(name)); hit != impl_->tensors.end())
    return hit->second;
  throw ModelError(Location{.file = path()}, message("The model has no tensor '", name, "'."));
}
const std::string& EncoderFile::digest() const {
  std::call_once(impl_->digested,
                 [&] { impl_->digest = detail::digest_of_files(impl_->path, impl_->names); });
  return impl_->digest;
}

}  // namespace synthema
