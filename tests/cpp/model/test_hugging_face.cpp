#include <doctest/doctest.h>

#include <string>

#include "synthema/core/error.hpp"
#include "synthema/model/bpe.hpp"
#include "synthema/model/hugging_face.hpp"

using namespace synthema;

namespace {

const std::string kConfig = R"({"architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 8,
  "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 16,
  "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 5000.0, "hidden_act": "silu"})";

const std::string kTokenizer = R"({"added_tokens": [{"id": 3, "content": "<|end|>", "special": true}],
  "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
  "model": {"type": "BPE", "vocab": {"h": 0, "i": 1, "hi": 2}, "merges": ["h i"]}})";

// `text` with one piece of it changed.
std::string changed(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

ModelConfig config(const std::string& text) {
  return model_config_from_json(text, "config.json");
}
TokenizerData tokenizer(const std::string& text) {
  return tokenizer_from_json(text, "tokenizer.json");
}

}  // namespace

TEST_CASE("config.json: the shape, with the family's defaults") {
  const ModelConfig c = config(kConfig);
  CHECK(c.architecture == "llama");
  CHECK(c.layers == 2);
  CHECK(c.head_width == 2);
  CHECK(c.kv_heads == 2);
  CHECK(c.rope_base == 5000.0);
  CHECK(c.rope_scaling.kind == "none");
  CHECK(config(changed(kConfig, "\"num_key_value_heads\": 2,", "")).kv_heads == 4);
}

TEST_CASE("config.json: rope scaling as transformers 4 and 5 write it") {
  const std::string llama3 =
      R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32})";
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const ModelConfig c =
        config(changed(kConfig, "\"hidden_act\"", message('"', key, "\": ", llama3, ", \"hidden_act\"")));
    CHECK(c.rope_scaling.kind == "llama3");
    CHECK(c.rope_scaling.factor == 8.0);
  }
}

TEST_CASE("config.json: what is broken or not built is refused by name") {
  const auto refused = [](std::string_view from, std::string_view to, const char* part) {
    CHECK_THROWS_WITH_AS(config(changed(kConfig, from, to)), doctest::Contains(part), ModelError);
  };
  refused("LlamaForCausalLM", "MambaForCausalLM", "Mamba");
  refused("\"vocab_size\": 32,", "", "'vocab_size' is missing");
  refused("\"vocab_size\": 32", "\"vocab_size\": \"32\"", "'vocab_size' should be an integer");
  refused("\"hidden_size\": 8", "\"hidden_size\": 0", "config.json");
  refused("\"num_attention_heads\": 4", "\"num_attention_heads\": 0", "config.json");
  refused("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "config.json");
  refused("silu", "relu", "'relu' is not supported");
  refused("\"hidden_act\"", R"("rope_scaling": {"rope_type": "ntk"}, "hidden_act")",
          "'ntk' is not supported");
  refused("[\"LlamaForCausalLM\"]", "\"LlamaForCausalLM\"", "architectures");
  CHECK_THROWS_AS(config("[]"), ModelError);
  CHECK_THROWS_AS(config(""), ModelError);
}

TEST_CASE("tokenizer.json: a byte-level vocabulary that encodes") {
  const TokenizerData data = tokenizer(kTokenizer);
  CHECK(data.kind == "byte_bpe");
  CHECK(data.pre_tokenizer == "gpt2");
  CHECK(data.tokens == std::vector<std::string>{"h", "i", "hi", "<|end|>"});
  CHECK(data.types[3] == 3);
  const BytePairTokenizer t = BytePairTokenizer::from(data);
  CHECK(t.encode("hi") == std::vector<TokenId>{2});
  CHECK(t.special("<|end|>") == TokenId{3});
}

TEST_CASE("tokenizer.json: Metaspace is a SentencePiece-type tokenizer, with its place of the first space") {
  const auto metaspace = [](const char* scheme) {
    return tokenizer(
        changed(kTokenizer, R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})",
                message(R"({"type": "Metaspace", "replacement": "▁", "split": false, "prepend_scheme": )",
                        scheme, "}")));
  };
  CHECK(metaspace("\"always\"").kind == "sentencepiece");
  CHECK(metaspace("\"always\"").add_space_prefix);
  CHECK(metaspace("\"first\"").prefix_first_only);
  CHECK_FALSE(metaspace("\"never\"").add_space_prefix);
  CHECK_THROWS_AS(metaspace("\"last\""), ModelError);
  CHECK_THROWS_WITH_AS(metaspace("7"), doctest::Contains("'prepend_scheme' should be a string"), ModelError);
}

TEST_CASE("tokenizer.json: whatever would change the ids without a sign is refused") {
  const auto refused = [](std::string_view from, std::string_view to, const char* part) {
    CHECK_THROWS_WITH_AS(tokenizer(changed(kTokenizer, from, to)), doctest::Contains(part), ModelError);
  };
  refused("\"BPE\"", "\"Unigram\"", "'Unigram' is not supported");
  refused("\"normalizer\": null", R"("normalizer": {"type": "Lowercase"})", "Lowercase");
  refused("\"use_regex\": true", "\"use_regex\": false", "pre-tokenizer");
  refused("\"use_regex\": true", "\"use_regex\": \"yes\"", "pre-tokenizer");
  refused("\"add_prefix_space\": false", "\"add_prefix_space\": true", "pre-tokenizer");
  refused("\"hi\": 2", "\"hi\": 9", "gaps");
  refused("\"hi\": 2", "\"hi\": 1", "share the id 1");
  refused("\"hi\": 2", "\"hi\": -2", "makes no sense");
  refused("\"hi\": 2", "\"hi\": \"2\"", "makes no sense");
  refused("[\"h i\"]", "[7]", "neither a string nor a pair");
  refused("[\"h i\"]", "null", "merges are missing");
  refused("\"merges\"", "\"dropout\": 0.1, \"merges\"", "Dropout");
  refused("\"merges\"", "\"unk_token\": \"<unk>\", \"merges\"", "not in the vocabulary");
  refused("\"special\": true", "\"lstrip\": true", "'lstrip'");
  CHECK_THROWS_AS(tokenizer("{}"), ModelError);
  CHECK_THROWS_AS(tokenizer(std::string(200, '[')), ModelError);
}

TEST_CASE("names of tensors") {
  const ModelConfig c = config(kConfig);
  CHECK(canonical_tensor_name(c, "model.embed_tokens.weight") == "token_embd.weight");
  CHECK(canonical_tensor_name(c, "model.layers.1.self_attn.q_proj.weight") == "blk.1.attn_q.weight");
  CHECK(canonical_tensor_name(c, "lm_head.weight") == "output.weight");
  CHECK(canonical_tensor_name(c, "model.layers.x.self_attn.q_proj.weight").empty());
  CHECK(canonical_tensor_name(c, "model.layers.1.self_attn.q_proj").empty());
  CHECK(canonical_tensor_name(c, "embed_tokens.weight").empty());
}
