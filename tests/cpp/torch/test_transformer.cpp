#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <tuple>

#include "synthema/core/random.hpp"
#include "synthema/torch/transformer.hpp"

using namespace synthema;

namespace {

using Tokens = std::vector<TokenId>;
using Logits = std::vector<float>;

ModelConfig tiny_config() {
  ModelConfig config;
  config.architecture = "llama";
  config.vocabulary = 261;  // no multiple of 16
  config.context = 640;
  config.width = 48;
  config.layers = 2;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_width = config.rope_width = 20;  // no multiple of 16
  config.feed_forward = 88;
  return config;
}

// Weights that depend on the tensor's name only.
WeightSource random_weights(const ModelConfig& c) {
  std::map<std::string, std::vector<std::int64_t>, std::less<>> shapes{
      {"token_embd.weight", {c.vocabulary, c.width}}, {"output_norm.weight", {c.width}}};
  if (!c.tied_head) shapes["output.weight"] = {c.vocabulary, c.width};
  const std::int64_t queries = c.heads * c.head_width, keys = c.kv_heads * c.head_width;
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string block = "blk." + std::to_string(i) + ".";
    shapes[block + "attn_norm.weight"] = shapes[block + "ffn_norm.weight"] = {c.width};
    shapes[block + "attn_q.weight"] = {queries, c.width};
    shapes[block + "attn_k.weight"] = shapes[block + "attn_v.weight"] = {keys, c.width};
    shapes[block + "attn_output.weight"] = {c.width, queries};
    shapes[block + "ffn_gate.weight"] = shapes[block + "ffn_up.weight"] = {c.feed_forward, c.width};
    shapes[block + "ffn_down.weight"] = {c.width, c.feed_forward};
  }
  return {[shapes](std::string_view name) -> std::optional<std::vector<std::int64_t>> {
            const auto found = shapes.find(name);
            return found == shapes.end() ? std::nullopt : std::optional(found->second);
          },
          [](std::string_view name, std::span<float> out) {
            Random random(std::hash<std::string_view>{}(name));
            for (float& x : out) x = static_cast<float>(random.uniform() - 0.5) * 0.6f;
          }};
}

Transformer tiny(std::size_t threads, const ModelConfig& config = tiny_config(),
                 const std::string& dtype = "float32") {
  TransformerOptions options;
  options.threads = threads;
  options.dtype = dtype;
  return Transformer(config, random_weights(config), options);
}

Tokens random_tokens(Random random, std::size_t n, const ModelConfig& config = tiny_config()) {
  Tokens out(n);
  for (TokenId& id : out)
    id = static_cast<TokenId>(random.below(static_cast<std::uint64_t>(config.vocabulary)));
  return out;
}

Logits last_logits(Transformer& model, Slot slot, std::span<const TokenId> tokens) {
  const SlotStep step{slot, tokens, true, {}};
  const auto out = model.forward(std::span(&step, 1));
  return {out.at(0).begin(), out.at(0).end()};
}

Logits alone(Transformer& model, const Tokens& tokens) {
  const Slot slot = model.open();
  Logits out = last_logits(model, slot, tokens);
  model.close(slot);
  return out;
}

bool same_bytes(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace

TEST_CASE("logits are finite, differ between contexts, and a repeated call repeats them") {
  Transformer model = tiny(1);
  const Logits a = alone(model, {1, 2, 3}), b = alone(model, {3, 2, 1}), again = alone(model, {1, 2, 3});
  CHECK(a.size() == model.vocabulary_size());
  CHECK(std::ranges::all_of(a, [](float x) { return std::isfinite(x); }));
  CHECK(!same_bytes(a, b));
  CHECK(same_bytes(a, again));
}

TEST_CASE("the logits of a sequence are the same bytes whatever stands beside it, on any number of threads") {
  std::string dtype = "float32";
  SUBCASE("float32") {}
  SUBCASE("int8") {
    dtype = "int8";
  }
  Transformer reference = tiny(1, tiny_config(), dtype);
  std::vector<Tokens> sequences;
  std::vector<Logits> expected;
  for (std::size_t i = 0; i < 64; ++i) {
    sequences.push_back(random_tokens(Random(7).stream(i), 1 + (i * 37) % 150));
    expected.push_back(alone(reference, sequences.back()));
  }
  for (const std::size_t threads : {1, 2, 3}) {
    Transformer model = tiny(threads, tiny_config(), dtype);
    for (const std::size_t rows : {1, 3, 7, 64}) {
      std::vector<std::size_t> order(rows);
      std::iota(order.begin(), order.end(), std::size_t{0});
      Random(rows).shuffle(order);
      std::vector<SlotStep> steps;
      for (const std::size_t i : order) steps.push_back({model.open(), sequences[i], true, {}});
      const auto out = model.forward(steps);
      REQUIRE(out.size() == rows);
      for (std::size_t k = 0; k < rows; ++k) CHECK(same_bytes(out[k], expected[order[k]]));
      for (const SlotStep& step : steps) model.close(step.slot);
    }
  }
}

TEST_CASE("decoding 64 rows together gives the bytes of decoding each alone") {
  Transformer model = tiny(2);
  std::vector<Tokens> sequences;
  std::vector<SlotStep> prefill, decode;
  for (std::size_t i = 0; i < 64; ++i) sequences.push_back(random_tokens(Random(9).stream(i), 20 + i));
  for (const Tokens& tokens : sequences) {
    const auto all = std::span(tokens);
    prefill.push_back({model.open(), all.first(all.size() - 1), false, {}});
    decode.push_back({prefill.back().slot, all.last(1), true, {}});
  }
  CHECK(model.forward(prefill).empty());
  const auto out = model.forward(decode);
  std::vector<Logits> together;
  for (const auto row : out) together.emplace_back(row.begin(), row.end());
  for (std::size_t i = 0; i < 64; ++i) CHECK(same_bytes(together[i], alone(model, sequences[i])));
}

TEST_CASE("how a prompt is split over calls does not change a bit") {
  Transformer model = tiny(2);
  const Tokens tokens = random_tokens(Random(3), 301);
  const Logits whole = alone(model, tokens);
  for (const std::size_t chunk : {1, 17, 32, 128, 300}) {
    const Slot slot = model.open();
    Logits last;
    for (std::size_t at = 0; at < tokens.size(); at += chunk)
      last = last_logits(model, slot, std::span(tokens).subspan(at, std::min(chunk, tokens.size() - at)));
    CHECK(model.length(slot) == tokens.size());
    CHECK(same_bytes(last, whole));
    model.close(slot);
  }
}

TEST_CASE("forks, and forks of forks, continue exactly as unforked sequences and do not disturb each other") {
  Transformer model = tiny(2);
  for (const std::size_t prefix_length : {5, 32, 100}) {  // inside, at and beyond a block border
    const Tokens prefix = random_tokens(Random(4), prefix_length);
    const Slot parent = model.open();
    last_logits(model, parent, prefix);
    std::vector<Tokens> whole(8, prefix);
    std::vector<SlotStep> steps;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const Tokens tail = random_tokens(Random(5).stream(i), 1 + 9 * i);
      whole[i].insert(whole[i].end(), tail.begin(), tail.end());
      steps.push_back({model.fork(parent), std::span(whole[i]).subspan(prefix_length), true, {}});
    }
    std::vector<Logits> forked;
    for (const auto row : model.forward(steps)) forked.emplace_back(row.begin(), row.end());
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(same_bytes(forked[i], alone(model, whole[i])));
    const Slot grandchild = model.fork(steps[3].slot);
    model.close(steps[3].slot);
    model.close(parent);
    Tokens longer = whole[3];
    longer.push_back(42);
    CHECK(same_bytes(last_logits(model, grandchild, std::span(longer).last(1)), alone(model, longer)));
    model.close(grandchild);
    for (std::size_t i = 0; i < steps.size(); ++i)
      if (i != 3) model.close(steps[i].slot);
  }
}

TEST_CASE("a sequence beyond the short context is rotated by factors of its own, from its first token on") {
  ModelConfig config = tiny_config(), as_long = config;
  for (std::size_t i = 0; i < 10; ++i) {
    config.rope_scaling.divisors.push_back(1 + 0.1 * static_cast<double>(i));
    config.rope_scaling.long_divisors.push_back(2 + static_cast<double>(i));
  }
  config.rope_scaling.original_context = 100;
  as_long.rope_scaling.divisors = config.rope_scaling.long_divisors;
  Transformer model = tiny(2, config), other = tiny(2, as_long);
  CHECK(model.short_context() == 100);
  CHECK(other.short_context() == other.context_limit());
  const Tokens tokens = random_tokens(Random(12), 301);
  const auto whole = std::span(tokens);
  const Slot slot = model.open_long();
  const SlotStep beside{model.open(), whole.first(100), true, {}}, first{slot, whole.first(50), false, {}};
  const Logits small = alone(model, Tokens(tokens.begin(), tokens.begin() + 100));
  const auto out = model.forward(std::vector<SlotStep>{first, beside});
  CHECK(same_bytes(out.at(0), small));
  CHECK(same_bytes(last_logits(model, model.fork(slot), whole.subspan(50)), alone(other, tokens)));
  CHECK_THROWS_WITH_AS(last_logits(model, beside.slot, whole.first(1)),
                       doctest::Contains("short context of 100"), ModelError);
  CHECK_FALSE(same_bytes(last_logits(model, model.open_long(), whole.first(100)), small));
}

TEST_CASE("allowed ids give the whole vocabulary's logits of just these ids") {
  std::string dtype = "float32";
  SUBCASE("float32") {}
  SUBCASE("int8") {
    dtype = "int8";
  }
  Transformer model = tiny(1, tiny_config(), dtype);
  const Tokens tokens{5, 6, 7}, allowed{260, 0, 17};
  const Logits all = alone(model, tokens);
  const Slot a = model.open(), b = model.open();
  const std::vector<SlotStep> steps{{a, tokens, true, allowed}, {b, tokens, true, {}}};
  const auto out = model.forward(steps);
  CHECK(same_bytes(out[0], Logits{all[260], all[0], all[17]}));
  CHECK(same_bytes(out[1], all));
  // A step where nobody wants all logits, with more rows than one tile of products.
  std::vector<SlotStep> sliced;
  for (std::size_t i = 0; i < 20; ++i) sliced.push_back({model.open(), tokens, true, allowed});
  for (const auto& row : model.forward(sliced)) CHECK(same_bytes(row, Logits{all[260], all[0], all[17]}));
}

TEST_CASE("a sliding window hides what is older, and only that") {
  ModelConfig config = tiny_config();
  config.layers = 1;  // with more layers older tokens reach through the window
  config.sliding_window = 40;
  Transformer windowed = tiny(1, config);
  Tokens tokens = random_tokens(Random(6), 120);
  const Logits before = alone(windowed, tokens);
  tokens[79] = (tokens[79] + 1) % 261;  // position 119 sees 80..119
  CHECK(same_bytes(alone(windowed, tokens), before));
  tokens[80] = (tokens[80] + 1) % 261;
  CHECK(!same_bytes(alone(windowed, tokens), before));
}

TEST_CASE("the memory for keys and values is bounded, and a refused call leaves everything as it was") {
  const ModelConfig config = tiny_config();
  TransformerOptions options;
  options.threads = 1;
  options.kv_memory = 6 * 2 * 2 * 32 * (20 + 32) * 4;  // six blocks of 32 tokens
  Transformer model(config, random_weights(config), options);
  CHECK(model.token_capacity() == 192);
  const Tokens tokens = random_tokens(Random(8), 128);
  const Slot a = model.open(), b = model.open();
  last_logits(model, a, tokens);
  CHECK_THROWS_AS(last_logits(model, b, tokens), ModelError);
  CHECK(model.length(b) == 0);
  model.close(b);
  const Slot fork = model.fork(a);  // 128 tokens are whole blocks: nothing to copy
  CHECK(model.length(fork) == 128);
  last_logits(model, fork, std::span(tokens).first(40));
  model.close(a);
  model.close(fork);
  CHECK(same_bytes(alone(model, tokens), alone(model, tokens)));
  options.kv_memory = 1000;
  CHECK_THROWS_AS(Transformer(config, random_weights(config), options), ConfigError);
}

TEST_CASE("misuse and broken models end in named errors") {
  Transformer model = tiny(1);
  const Slot slot = model.open();
  CHECK_THROWS_AS(last_logits(model, slot, Tokens{}), ModelError);
  CHECK_THROWS_AS(last_logits(model, slot, Tokens{261}), ModelError);
  CHECK_THROWS_AS(last_logits(model, slot, Tokens{-1}), ModelError);
  CHECK_THROWS_AS(last_logits(model, slot, Tokens(641, 1)), ModelError);
  CHECK_THROWS_AS(last_logits(model, slot + 1, Tokens{1}), ModelError);
  const Tokens one{1};
  const std::vector<SlotStep> twice{{slot, one, true, {}}, {slot, one, true, {}}};
  CHECK_THROWS_AS(model.forward(twice), ModelError);
  model.close(slot);
  CHECK_THROWS_AS(model.close(slot), ModelError);

  const auto refused = [](auto change) {
    ModelConfig config = tiny_config();
    const WeightSource weights = random_weights(config);
    change(config);
    CHECK_THROWS_AS(Transformer(config, weights), ModelError);
  };
  refused([](ModelConfig& c) { c.kv_heads = 4; });
  refused([](ModelConfig& c) { c.width = 50; });
  refused([](ModelConfig& c) { c.layers = 3; });
  refused([](ModelConfig& c) { c.layers = 0; });
  refused([](ModelConfig& c) { c.head_width = 19; });
  refused([](ModelConfig& c) { c.activation = "relu"; });
  refused([](ModelConfig& c) { c.rope_scaling.kind = "dynamic"; });
  refused([](ModelConfig& c) { c.head_norm = true; });
  refused([](ModelConfig& c) { c.sliding_window = 0; });
  TransformerOptions options;
  options.dtype = "int3";
  CHECK_THROWS_AS(Transformer(tiny_config(), random_weights(tiny_config()), options), ConfigError);
  options = {};
  options.device = "tpu";
  CHECK_THROWS_AS(Transformer(tiny_config(), random_weights(tiny_config()), options), ConfigError);
}

TEST_CASE("a model that is too large for the machine is refused before its weights are read") {
  ModelConfig large = tiny_config();
  large.width = 1 << 16;
  large.layers = 1 << 12;
  large.feed_forward = 1 << 18;
  WeightSource source = random_weights(large);
  source.read = [](std::string_view, std::span<float>) { FAIL("a weight was read"); };
  for (const char* dtype : {"float32", "int8"}) {
    TransformerOptions options;
    options.dtype = dtype;
    CHECK_THROWS_WITH_AS(Transformer(large, source, options), doctest::Contains("does not fit into memory"),
                         ModelError);
  }
}

TEST_CASE("half-precision products stay near fp32") {
  const ModelConfig config = tiny_config();
  Transformer exact = tiny(1);
  for (const char* dtype : {"bfloat16", "float16"}) {
    TransformerOptions options;
    options.dtype = dtype;
    options.threads = 1;
    Transformer model(config, random_weights(config), options);
    CHECK(model.numeric_path() != exact.numeric_path());
    const Tokens tokens = random_tokens(Random(2), 50);
    const Logits a = alone(exact, tokens), b = alone(model, tokens);
    CHECK(!same_bytes(a, b));
    float largest = 0, difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      largest = std::max(largest, std::abs(a[i]));
      difference = std::max(difference, std::abs(a[i] - b[i]));
    }
    CHECK(difference < 0.05f * largest);
  }
}

TEST_CASE(
    "keys and values in fewer bits: near float32, more tokens in the same memory, bytes free of company") {
  ModelConfig config = tiny_config();
  config.head_width = config.rope_width = 32;
  const Tokens prefix = random_tokens(Random(20), 150);
  TransformerOptions options;
  options.threads = 2;
  Transformer exact(config, random_weights(config), options);
  const Logits expected = alone(exact, prefix);
  const float largest =
      std::abs(*std::ranges::max_element(expected, {}, [](float x) { return std::abs(x); }));
  for (const auto& [kv_dtype, tolerance, path] :
       {std::tuple{"float16", 0.002f, "-kv16"}, std::tuple{"int8", 0.03f, "-kv8"}}) {
    options.kv_dtype = kv_dtype;
    Transformer model(config, random_weights(config), options);
    CHECK(model.numeric_path().find(path) != std::string::npos);
    CHECK(model.token_capacity() > 1.8 * static_cast<double>(exact.token_capacity()));
    const Logits found = alone(model, prefix);
    CHECK(!same_bytes(found, expected));
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(std::abs(found[i] - expected[i]) < tolerance * largest);

    const Slot parent = model.open();
    last_logits(model, parent, std::span(prefix).first(140));
    std::vector<Tokens> whole(20, Tokens(prefix.begin(), prefix.begin() + 140));
    std::vector<SlotStep> steps;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const Tokens tail = random_tokens(Random(21).stream(i), 1 + i);
      whole[i].insert(whole[i].end(), tail.begin(), tail.end());
      steps.push_back({model.fork(parent), std::span(whole[i]).subspan(140), true, {}});
    }
    std::vector<Logits> forked;
    for (const auto row : model.forward(steps)) forked.emplace_back(row.begin(), row.end());
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(same_bytes(forked[i], alone(model, whole[i])));
  }
  options.kv_dtype = "float8";
  CHECK_THROWS_AS(Transformer(config, random_weights(config), options), ConfigError);
}
