#include "synthema/torch/text_encoder.hpp"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <thread>
#include <utility>

#include "src/cpu/instruction_set.hpp"
#include "src/torch/guard.hpp"
#include "src/torch/linear.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

constexpr std::size_t kChunkRows = 512;  // tokens that go through the layers together

at::Tensor read(const EncoderFile& file, const std::string& name) {
  const TensorView& view = file.at(name);
  at::Tensor out = at::empty(view.shape, at::kFloat);
  dequantize(view, std::span(out.data_ptr<float>(), static_cast<std::size_t>(out.numel())));
  return out;
}

// In which numbers a matrix multiplies.
enum class Products : std::uint8_t { floats, integers, fine_integers };

// Matrices of the same inputs, their outputs one below the other.
detail::Linear read_linear(const EncoderFile& file, const std::vector<std::string>& names, Products products,
                           cpu::SharedPages& memory) {
  std::vector<at::Tensor> weights, biases;
  for (const std::string& name : names) {
    weights.push_back(read(file, name + ".weight"));
    biases.push_back(read(file, name + ".bias"));
  }
  const at::Tensor weight = at::cat(weights);
  if (products == Products::floats) return {weight, at::cat(biases)};
  const std::span floats(weight.data_ptr<float>(), static_cast<std::size_t>(weight.numel()));
  return {{std::make_shared<cpu::CodedMatrix>(
              cpu::CodedMatrix::from_floats(weight.size(0), weight.size(1), floats, memory))},
          at::cat(biases),
          products == Products::fine_integers ? cpu::RowBits::sixteen : cpu::RowBits::eight};
}

// Without a product of bytes for four at a time, integers gain less than their error costs.
bool multiplies_bytes_fast() {
  const cpu::InstructionSet best = cpu::best_instruction_set();
  return best == cpu::InstructionSet::avx512 || best == cpu::InstructionSet::neon_dot;
}

struct Norm {
  Norm() = default;
  Norm(const EncoderFile& file, const std::string& name)
      : gain(read(file, name + ".weight")),
        shift(read(file, name + ".bias")),
        epsilon(file.config().norm_epsilon) {}
  at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {x.size(1)}, gain, shift, epsilon);
  }

  at::Tensor gain, shift;
  double epsilon = 0;
};

struct Layer {
  // What attention reads is where 8 bits lose most: with MiniLM about half of the error of all matrices.
  Layer(const EncoderFile& file, const std::string& name, Products products, cpu::SharedPages& memory)
      : qkv(read_linear(
            file, {name + "attention.self.query", name + "attention.self.key", name + "attention.self.value"},
            products == Products::integers ? Products::fine_integers : products, memory)),
        mixed(read_linear(file, {name + "attention.output.dense"}, products, memory)),
        up(read_linear(file, {name + "intermediate.dense"}, products, memory)),
        down(read_linear(file, {name + "output.dense"}, products, memory)),
        attention_norm(file, name + "attention.output.LayerNorm"),
        output_norm(file, name + "output.LayerNorm") {}

  detail::Linear qkv, mixed, up, down;
  Norm attention_norm, output_norm;
};

float* row_of(const at::Tensor& matrix, std::int64_t row) {
  return matrix.data_ptr<float>() + row * matrix.size(1);
}

// A text inside a chunk: its rows are [first, first + length).
struct Stretch {
  std::size_t text;
  std::int64_t first, length;
};

// Texts that were read together.
struct Chunk {
  std::vector<Stretch> stretches;
  at::Tensor rows;  // one a token
};

}  // namespace

struct TextEncoder::Impl {
  Impl(const std::string& path, const TextEncoderOptions& options);

  std::vector<TokenId> tokens(std::string_view text, bool* truncated) const;
  std::vector<std::vector<std::size_t>> chunks(const std::vector<std::vector<TokenId>>& ids) const;
  Chunk chunk(const std::vector<std::vector<TokenId>>& ids, std::span<const std::size_t> texts) const;
  // use(rows, stretch) for each text, on the threads; those that were cut, ascending.
  std::vector<std::size_t> for_each(std::span<const std::string> texts, const CancelToken& cancel,
                                    const std::function<void()>& heartbeat,
                                    const std::function<void(const at::Tensor&, const Stretch&)>& use) const;
  at::Tensor embedded(const std::vector<std::vector<TokenId>>& ids,
                      const std::vector<Stretch>& stretches) const;
  at::Tensor attention(const at::Tensor& qkv, const std::vector<Stretch>& stretches) const;
  void pool(const at::Tensor& x, const Stretch& stretch, float* out) const;

  EncoderFile file;
  EncoderConfig config;
  std::size_t threads, max_tokens;
  bool integers;
  at::Tensor words, places;  // {vocabulary, width}; {positions, width}, with the token type added
  Norm norm;
  std::vector<Layer> layers;
  std::string name;
};

TextEncoder::Impl::Impl(const std::string& path, const TextEncoderOptions& options)
    : file(EncoderFile::open(path)),
      config(file.config()),
      threads(options.threads),
      integers(options.dtype == "int8" || (options.dtype == "fastest" && multiplies_bytes_fast())) {
  if (options.dtype != "float32" && options.dtype != "int8" && options.dtype != "fastest")
    throw ConfigError({.field = "dtype"},
                      message("'", options.dtype, "' is none of float32, int8 and fastest."));
  max_tokens = options.max_tokens > 0 ? options.max_tokens : static_cast<std::size_t>(config.max_tokens);
  if (max_tokens < 3 || max_tokens > static_cast<std::size_t>(config.positions))
    throw ConfigError({.field = "max_tokens"}, message("This model reads texts of 3 to ", config.positions,
                                                       " tokens, not ", max_tokens, "."));
  const c10::InferenceMode inference;
  words = read(file, "embeddings.word_embeddings.weight");
  places = at::add(read(file, "embeddings.position_embeddings.weight"),
                   read(file, "embeddings.token_type_embeddings.weight").select(0, 0));
  norm = Norm(file, "embeddings.LayerNorm");
  cpu::SharedPages memory;
  for (std::int64_t i = 0; i < config.layers; ++i)
    layers.emplace_back(file, message("encoder.layer.", i, "."),
                        integers ? Products::integers : Products::floats, memory);
}

std::vector<TokenId> TextEncoder::Impl::tokens(std::string_view text, bool* truncated) const {
  const WordPieceTokenizer& tokenizer = file.tokenizer();
  std::vector<TokenId> out = tokenizer.encode(text);
  out.insert(out.begin(), tokenizer.begin_id());
  if (truncated) *truncated = out.size() + 1 > max_tokens;
  out.resize(std::min(out.size(), max_tokens - 1));
  out.push_back(tokenizer.end_id());
  return out;
}

// Texts of similar length stand together, the longest first, so that threads end at about the same time.
std::vector<std::vector<std::size_t>> TextEncoder::Impl::chunks(
    const std::vector<std::vector<TokenId>>& ids) const {
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return ids[i].size(); });
  std::size_t rows = 0;
  for (const auto& text : ids) rows += text.size();
  const std::size_t most = std::min(kChunkRows, rows / thread_count(threads) + 1);
  std::vector<std::vector<std::size_t>> out;
  std::size_t room = 0;
  for (const std::size_t text : order) {
    if (out.empty() || ids[text].size() > room) {
      out.emplace_back();
      room = std::max(most, ids[text].size());
    }
    out.back().push_back(text);
    room -= ids[text].size();
  }
  return out;
}

at::Tensor TextEncoder::Impl::embedded(const std::vector<std::vector<TokenId>>& ids,
                                       const std::vector<Stretch>& stretches) const {
  const std::int64_t rows = stretches.back().first + stretches.back().length;
  at::Tensor x = at::zeros({detail::padded_rows(rows), config.width}, at::kFloat);
  for (const Stretch& stretch : stretches)
    for (std::int64_t i = 0; i < stretch.length; ++i) {
      const float* word = row_of(words, ids[stretch.text][static_cast<std::size_t>(i)]);
      const float* place = row_of(places, i);
      float* out = row_of(x, stretch.first + i);
      for (std::int64_t k = 0; k < config.width; ++k) out[k] = word[k] + place[k];
    }
  return norm(x);
}

// Text by text: what a row gets depends on the rows of its own text only.
at::Tensor TextEncoder::Impl::attention(const at::Tensor& qkv, const std::vector<Stretch>& stretches) const {
  const std::int64_t width = config.width / config.heads;
  at::Tensor out = at::zeros({qkv.size(0), config.width}, at::kFloat);
  for (const Stretch& stretch : stretches) {
    const at::Tensor all = qkv.narrow(0, stretch.first, stretch.length)
                               .view({1, stretch.length, 3, config.heads, width})
                               .permute({2, 0, 3, 1, 4});
    const at::Tensor mixed =
        at::scaled_dot_product_attention(all.select(0, 0), all.select(0, 1), all.select(0, 2));
    out.narrow(0, stretch.first, stretch.length)
        .view({stretch.length, config.heads, width})
        .copy_(mixed.squeeze(0).transpose(0, 1));
  }
  return out;
}

void TextEncoder::Impl::pool(const at::Tensor& x, const Stretch& stretch, float* out) const {
  const auto width = static_cast<std::size_t>(config.width);
  std::copy_n(row_of(x, stretch.first), width, out);
  if (config.pooling == Pooling::mean) {
    for (std::int64_t i = 1; i < stretch.length; ++i) {
      const float* row = row_of(x, stretch.first + i);
      for (std::size_t k = 0; k < width; ++k) out[k] += row[k];
    }
    for (std::size_t k = 0; k < width; ++k) out[k] /= static_cast<float>(stretch.length);
  }
  if (!config.unit_length) return;
  double squares = 0;
  for (std::size_t k = 0; k < width; ++k) squares += double{out[k]} * double{out[k]};
  const auto length = static_cast<float>(std::max(std::sqrt(squares), 1e-12));
  for (std::size_t k = 0; k < width; ++k) out[k] /= length;
}

Chunk TextEncoder::Impl::chunk(const std::vector<std::vector<TokenId>>& ids,
                               std::span<const std::size_t> texts) const {
  std::vector<Stretch> stretches;
  std::int64_t rows = 0;
  for (const std::size_t text : texts) {
    stretches.push_back({text, rows, static_cast<std::int64_t>(ids[text].size())});
    rows += stretches.back().length;
  }
  at::Tensor x = embedded(ids, stretches);
  for (const Layer& layer : layers) {
    x = layer.attention_norm(layer.mixed(attention(layer.qkv(x, rows), stretches), rows).add_(x));
    at::Tensor inner = layer.up(x, rows);
    x = layer.output_norm(layer.down(at::gelu_(inner), rows).add_(x));
  }
  return {std::move(stretches), std::move(x)};
}

std::vector<std::size_t> TextEncoder::Impl::for_each(
    std::span<const std::string> texts, const CancelToken& cancel, const std::function<void()>& heartbeat,
    const std::function<void(const at::Tensor&, const Stretch&)>& use) const {
  std::vector<std::vector<TokenId>> ids(texts.size());
  std::vector<char> cut(texts.size());  // not bool: threads write neighbours
  parallel_for(
      texts.size(),
      [&](std::size_t i) {
        bool truncated = false;
        ids[i] = tokens(texts[i], &truncated);
        cut[i] = truncated ? 1 : 0;
      },
      threads, 64);
  const auto together = chunks(ids);
  const std::thread::id caller = std::this_thread::get_id();
  parallel_for(
      together.size(),
      [&](std::size_t i) {
        cancel.check();
        if (heartbeat && std::this_thread::get_id() == caller) heartbeat();
        detail::guarded("embedding texts", [&] {
          const c10::InferenceMode inference;
          const detail::ThreadsGuard one_thread(1);
          const Chunk read = chunk(ids, together[i]);
          for (const Stretch& stretch : read.stretches) use(read.rows, stretch);
        });
      },
      threads);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < cut.size(); ++i)
    if (cut[i]) out.push_back(i);
  return out;
}

TextEncoder::TextEncoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  const std::string& stated = impl_->config.name;
  const std::string folder = std::filesystem::path(impl_->file.path()).filename().string();
  impl_->name = message(stated.empty() ? folder : stated, " (", digest().substr(0, 12), "), ",
                        name_of(impl_->config.pooling), " pooling, ", numeric_path());
}
TextEncoder::~TextEncoder() = default;
TextEncoder::TextEncoder(TextEncoder&&) noexcept = default;
TextEncoder& TextEncoder::operator=(TextEncoder&&) noexcept = default;

TextEncoder TextEncoder::load(const std::string& path, const TextEncoderOptions& options) {
  return detail::guarded("building the encoder",
                         [&] { return TextEncoder(std::make_unique<Impl>(path, options)); });
}

Embeddings TextEncoder::embed_all(std::span<const std::string> texts, const CancelToken& cancel,
                                  const std::function<void()>& heartbeat) const {
  Embeddings out;
  out.width = width();
  out.values.resize(texts.size() * out.width);
  out.truncated =
      impl_->for_each(texts, cancel, heartbeat, [&](const at::Tensor& rows, const Stretch& stretch) {
        impl_->pool(rows, stretch, out.values.data() + stretch.text * out.width);
      });
  return out;
}

TokenEmbeddings TextEncoder::embed_tokens(std::span<const std::string> texts, const CancelToken& cancel,
                                          const std::function<void()>& heartbeat) const {
  TokenEmbeddings out;
  out.width = width();
  out.texts.resize(texts.size());
  out.truncated =
      impl_->for_each(texts, cancel, heartbeat, [&](const at::Tensor& rows, const Stretch& stretch) {
        out.texts[stretch.text].assign(row_of(rows, stretch.first + 1),
                                       row_of(rows, stretch.first + stretch.length - 1));
      });
  return out;
}

std::vector<std::vector<float>> TextEncoder::embed(std::span<const std::string> texts) const {
  const Embeddings all = embed_all(texts);
  std::vector<std::vector<float>> out;
  out.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const float* const row = all.values.data() + i * all.width;
    out.emplace_back(row, row + all.width);
  }
  return out;
}

const std::string& TextEncoder::name() const {
  return impl_->name;
}
std::size_t TextEncoder::width() const {
  return static_cast<std::size_t>(impl_->config.width);
}
std::size_t TextEncoder::max_tokens() const {
  return impl_->max_tokens;
}
std::vector<TokenId> TextEncoder::tokens(std::string_view text) const {
  return impl_->tokens(text, nullptr);
}
const std::string& TextEncoder::digest() const {
  return impl_->file.digest();
}

std::string TextEncoder::numeric_path() const {
  std::string isa = at::get_cpu_capability();
  std::ranges::transform(isa, isa.begin(), [](unsigned char c) { return std::tolower(c); });
  return message(impl_->integers ? "int8" : "fp32", "-cpu-", isa, "-torch", TORCH_VERSION);
}

}  // namespace synthema
