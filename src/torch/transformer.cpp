#include "synthema/torch/transformer.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "src/cpu/attention.hpp"
#include "src/torch/decoder.hpp"
#include "src/torch/guard.hpp"
#include "src/torch/threads_guard.hpp"
#include "src/torch/workers.hpp"
#include "synthema/core/memory.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

constexpr std::size_t kRowsTogether = 128;  // rows that go through the layers together
// A worker gets rows of its own from so many on; with fewer all threads share each product.
constexpr std::size_t kRowsToShare = detail::kRowTile;
// ... unless the longest part is so many times the mean: nobody helps a worker that is behind.
constexpr double kUnequal = 1.25;

void check_config(const ModelConfig& config) {
  const auto require = [&](bool ok, const char* what) {
    if (!ok) throw ModelError(message("The model's configuration is inconsistent: ", what, "."));
  };
  for (const std::int64_t n : {config.vocabulary, config.context, config.width, config.layers, config.heads,
                               config.kv_heads, config.head_width, config.feed_forward})
    require(n > 0 && n < std::numeric_limits<std::int32_t>::max(),
            "a size is not positive or absurdly large");
  require(config.heads % config.kv_heads == 0, "its heads are not a multiple of its key-value heads");
  require(config.head_width % 2 == 0 && config.head_width <= cpu::kWidestHead,
          "the width of a head must be even and at most 256");
  require(config.rope_width % 2 == 0 && config.rope_width <= config.head_width &&
              (config.rope_width > 0) != config.learned_positions,
          "the rotated width must be even, at most the width of a head, and 0 only with learned positions");
  for (const auto* divisors : {&config.rope_scaling.divisors, &config.rope_scaling.long_divisors})
    require(divisors->empty() || static_cast<std::int64_t>(divisors->size()) == config.rope_width / 2,
            "its rope factors are not one per frequency");
  require(!config.sliding_window || *config.sliding_window > 0, "the sliding window is not positive");
  require(
      config.local_layers.empty() || static_cast<std::int64_t>(config.local_layers.size()) == config.layers,
      "it does not say of every layer whether it is local");
  if (config.activation != "silu" && config.activation != "gelu_tanh")
    throw ModelError(message("The model uses the activation '", config.activation,
                             "'; only silu and gelu_tanh are built."));
}

at::ScalarType dtype_of(const std::string& name, bool own_kernels) {
  if (name == "auto") return own_kernels ? at::kChar : at::kBFloat16;
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  if (name == "int8") return at::kChar;
  throw ConfigError({.field = "dtype"},
                    message("'", name, "' is none of auto, float32, bfloat16, float16 and int8."));
}

cpu::KvType kv_type_of(const std::string& name, at::ScalarType dtype) {
  if (name == "auto") return dtype == at::kChar ? cpu::KvType::int8 : cpu::KvType::float32;
  if (name == "float32") return cpu::KvType::float32;
  if (name == "float16") return cpu::KvType::float16;
  if (name == "int8") return cpu::KvType::int8;
  throw ConfigError({.field = "kv_dtype"},
                    message("'", name, "' is none of auto, float32, float16 and int8."));
}
constexpr const char* kAten = "aten";  // the operations of other devices, on the CPU

at::Device device_of(const std::string& name) {
  if (name == kAten) return at::kCPU;
  const bool known = name == "cpu" || name == "cuda" ||
                     (name.starts_with("cuda:") && name.size() > 5 && name.size() < 8 &&
                      name.find_first_not_of("0123456789", 5) == std::string::npos);
  if (!known)
    throw ConfigError({.field = "device"}, message("'", name, "' is neither cpu nor cuda or cuda:N."));
  const at::Device device(name);
  if (device.is_cuda() && !at::globalContext().hasCUDA())
    throw ConfigError({.field = "device"},
                      "This machine has no CUDA device, or the installed torch is built without CUDA: use "
                      "device=\"cpu\", or install a CUDA build of torch.");
  return device;
}

std::uint64_t block_bytes(const ModelConfig& config, bool own_kernels, at::ScalarType dtype,
                          cpu::KvType kv_type) {
  const std::uint64_t heads = static_cast<std::uint64_t>(config.layers * config.kv_heads);
  if (own_kernels)
    return heads * static_cast<std::uint64_t>(cpu::KvLayout{kv_type, config.head_width}.size());
  return heads * static_cast<std::uint64_t>(2 * cpu::kKeysPerBlock * config.head_width) *
         c10::elementSize(dtype);
}

// Products that one row takes: in all layers, in the head, and for each key that it sees. Local layers count
// as if they saw all: what matters is how rows compare.
struct RowCost {
  double layers, head, key;
};
RowCost row_cost(const ModelConfig& config) {
  const std::int64_t heads = config.heads * config.head_width, kv = config.kv_heads * config.head_width;
  const std::int64_t attention = config.width * (2 * heads + 2 * kv);
  const std::int64_t feed_forward = config.width * config.feed_forward * (config.gated ? 3 : 2);
  return {static_cast<double>(config.layers * (attention + feed_forward)),
          static_cast<double>(config.vocabulary * config.width),
          static_cast<double>(config.layers * 2 * heads)};
}

// The weights alone, and at the least: a code of four bits with a scale for each 32 where the products are of
// integers.
void check_memory(const ModelConfig& config, at::ScalarType dtype) {
  const RowCost cost = row_cost(config);
  const double bytes = dtype == at::kChar ? 0.5 + 4.0 / 32 : static_cast<double>(c10::elementSize(dtype));
  const double need = bytes * (cost.layers + cost.head * (config.tied_head ? 1 : 2));
  const std::optional<std::uint64_t> left = available_memory();
  if (!left || need <= static_cast<double>(*left)) return;
  const auto gib = [](double size) { return static_cast<std::uint64_t>(std::ceil(size / (1 << 30))); };
  throw ModelError(message("The model does not fit into memory: its weights take ", gib(need),
                           " GiB or more, and less than ", gib(static_cast<double>(*left) + 1),
                           " GiB are free. Use a smaller model, a quantised file with dtype=\"int8\", or a "
                           "machine with more memory."));
}

}  // namespace

WeightSource weights_of(const ModelFile& file) {
  return {[file](std::string_view name) -> std::optional<std::vector<std::int64_t>> {
            const TensorView* view = file.find(name);
            return view ? std::optional(view->shape) : std::nullopt;
          },
          [file](std::string_view name, std::span<float> out) { dequantize(file.at(name), out); },
          [file](std::string_view name) { return grouped_codes(file.at(name)); }};
}

struct Transformer::Impl {
  Impl(const ModelConfig& model, const WeightSource& source, const TransformerOptions& options)
      : config(model),
        device(device_of(options.device)),
        own_kernels(device.is_cpu() && options.device != kAten),
        dtype(dtype_of(options.dtype, own_kernels)),
        kv_type(kv_type_of(options.kv_dtype, dtype)),
        blocks(block_count(options.kv_memory)),
        decoder(make_decoder(source)),
        sequences(*decoder, blocks),
        workers(own_kernels ? thread_count(options.threads) : 1) {}

  std::size_t block_count(std::uint64_t memory) const {
    check_config(config);
    if (dtype == at::kChar && !own_kernels)
      throw ConfigError({.field = "dtype"},
                        "Integer products run on the CPU only: use bfloat16 on a device.");
    if (kv_type != cpu::KvType::float32 && !own_kernels)
      throw ConfigError({.field = "kv_dtype"},
                        "The type of keys and values is chosen on the CPU only; on a device it is dtype.");
    const std::uint64_t block = block_bytes(config, own_kernels, dtype, kv_type);
    const std::uint64_t count = memory / block;
    if (count == 0)
      throw ConfigError({.field = "kv_memory"}, message("One block of keys and values of this model takes ",
                                                        block, " bytes; only ", memory, " are allowed."));
    return static_cast<std::size_t>(std::min<std::uint64_t>(count, std::numeric_limits<std::int32_t>::max()));
  }

  std::unique_ptr<detail::Decoder> make_decoder(const WeightSource& source) const {
    const c10::InferenceMode inference;
    if (device.is_cpu()) check_memory(config, dtype);
    detail::Weights weights = detail::load_weights(config, source, device, dtype);
    return own_kernels ? detail::make_cpu_decoder(config, std::move(weights), kv_type)
                       : detail::make_device_decoder(config, std::move(weights), device, dtype, blocks);
  }

  void check(std::span<const SlotStep> steps) const {
    std::vector<Slot> slots;
    for (const SlotStep& step : steps) {
      slots.push_back(step.slot);
      if (step.tokens.empty()) throw ModelError(message("Slot ", step.slot, " was given no token."));
      if (step.wants_logits > step.tokens.size() || (step.wants_logits > 1 && !step.allowed.empty()))
        throw ModelError(
            message("Slot ", step.slot, " wants more logits than it has tokens, or some of several."));
      const detail::Sequence& sequence = sequences.at(step.slot);
      const std::int64_t most = sequence.is_long ? config.context : config.short_context();
      if (static_cast<std::size_t>(sequence.length) + step.tokens.size() > static_cast<std::size_t>(most))
        throw ModelError(message("A sequence would grow beyond the model's ",
                                 most < config.context ? "short " : "", "context of ", most, " tokens."));
      const auto outside = [&](TokenId id) { return id < 0 || id >= config.vocabulary; };
      for (const std::span<const TokenId> ids : {step.tokens, step.allowed})
        if (const auto bad = std::ranges::find_if(ids, outside); bad != ids.end())
          throw ModelError(
              message("Token id ", *bad, " is outside the vocabulary of ", config.vocabulary, "."));
    }
    std::ranges::sort(slots);
    if (std::ranges::adjacent_find(slots) != slots.end())
      throw ModelError("A slot occurs twice in one call of forward().");
  }

  // A step and how many distributions come before its own.
  struct Item {
    const SlotStep* step;
    std::size_t first;
  };
  // Sequences that begin with the same blocks stand together, so that they come to the same worker.
  std::vector<Item> ordered(std::span<const SlotStep> steps) const {
    std::vector<Item> items;
    std::size_t first = 0;
    for (const SlotStep& step : steps) {
      items.push_back({&step, first});
      first += step.wants_logits;
    }
    std::ranges::stable_sort(items, {}, [this](const Item& item) -> const std::vector<std::int32_t>& {
      return sequences.at(item.step->slot).blocks;
    });
    return items;
  }

  // About how long each item takes, in products of a weight and an activation. Keys that the item before it
  // has too are near at hand; a key and value of its own come from memory.
  std::vector<double> costs(std::span<const Item> items) const {
    constexpr double kSharedKey = 1.5, kOwnKey = 4;
    const RowCost cost = row_cost(config);
    std::vector<double> out;
    const std::vector<std::int32_t>* before = nullptr;
    for (const Item& item : items) {
      const detail::Sequence& sequence = sequences.at(item.step->slot);
      const auto rows = static_cast<double>(item.step->tokens.size());
      const auto length = static_cast<double>(sequence.length);
      double shared = 0;
      if (before) {
        const auto differs = std::ranges::mismatch(*before, sequence.blocks).in2;
        shared = static_cast<double>((differs - sequence.blocks.begin()) * cpu::kKeysPerBlock);
      }
      shared = std::min(shared, length);
      const double own = length - shared + (rows + 1) / 2;
      out.push_back(rows * (cost.layers + cost.key * (kSharedKey * shared + kOwnKey * own)) +
                    cost.head * static_cast<double>(item.step->wants_logits));
      before = &sequence.blocks;
    }
    return out;
  }

  // Contiguous runs of about the same cost, one a thread; a single run where there is not enough to share or
  // no fair way to do it (its products then use all threads).
  std::vector<std::span<const Item>> share(std::span<const Item> items) const {
    std::size_t rows = 0;
    for (const Item& item : items) rows += item.step->tokens.size();
    const std::size_t parts = std::min(workers.size(), rows / kRowsToShare);
    if (parts < 2) return {items};
    const std::vector<double> cost = costs(items);
    const double mean = std::accumulate(cost.begin(), cost.end(), 0.0) / static_cast<double>(parts);
    std::vector<std::span<const Item>> out;
    double done = 0, longest = 0;
    for (std::size_t begin = 0; begin < items.size();) {
      const double start = done, goal = mean * static_cast<double>(out.size() + 1);
      std::size_t end = begin;
      while (end < items.size() && (end == begin || done + cost[end] / 2 <= goal || out.size() + 1 == parts))
        done += cost[end++];
      out.push_back(items.subspan(begin, end - begin));
      longest = std::max(longest, done - start);
      begin = end;
    }
    if (longest > kUnequal * mean) return {items};
    return out;
  }

  // A row that wants logits, and what they are for.
  struct Wanted {
    std::size_t which;
    std::span<const TokenId> allowed;
  };

  // Torch's threads share its products. Integer products are the team's own, and a thread of torch's that
  // turns after some small operation would take a core from it.
  std::size_t torch_threads(bool alone) const { return alone && dtype != at::kChar ? workers.size() : 1; }

  // All rows of some steps, in chunks; what wants logits gets them before the next chunk. A part that is
  // alone spreads over all threads; else every thread works for itself.
  void compute(std::span<const Item> items, std::size_t worker, bool alone, const LogitsUse& use) {
    const c10::InferenceMode inference;
    const auto threads = static_cast<int>(torch_threads(alone));
    if (at::get_num_threads() != threads) at::set_num_threads(threads);
    std::vector<detail::DecoderRow> rows;
    std::vector<Wanted> wanted;
    for (const auto& [step, first] : items) {
      const detail::Sequence& sequence = sequences.at(step->slot);
      const std::size_t silent = step->tokens.size() - step->wants_logits;
      for (std::size_t i = 0; i < step->tokens.size(); ++i) {
        rows.push_back({step->tokens[i], sequence.length + static_cast<std::int64_t>(i), &sequence.blocks,
                        i >= silent, step->allowed, sequence.is_long});
        if (i >= silent) wanted.push_back({first + i - silent, step->allowed});
      }
    }
    for (std::size_t begin = 0, given = 0; begin < rows.size(); begin += kRowsTogether) {
      const auto chunk = std::span(rows).subspan(begin, std::min(kRowsTogether, rows.size() - begin));
      const detail::Logits logits = decoder->run(chunk, alone ? &workers : nullptr);
      const std::size_t now = logits.place.size();
      const auto some = std::span(wanted).subspan(given, now);
      const auto hand_out = [&](std::size_t part, std::size_t parts, std::size_t by) {
        detail::Laps laps(decoder->times());
        for (std::size_t i = part; i < now; i += parts)
          hand(some[i], logits.rows.data_ptr<float>() + logits.place[i] * config.vocabulary, by, use);
        laps.end(detail::Part::draws);
      };
      if (alone && now > 1)
        workers.run(std::min(workers.size(), now),
                    [&](std::size_t by) { hand_out(by, std::min(workers.size(), now), by); });
      else
        hand_out(0, 1, worker);
      given += now;
    }
  }
  void hand(const Wanted& wanted, const float* logits, std::size_t worker, const LogitsUse& use) const {
    if (wanted.allowed.empty())
      return use(wanted.which, worker, {logits, static_cast<std::size_t>(config.vocabulary)});
    std::vector<float> values;
    values.reserve(wanted.allowed.size());
    for (const TokenId id : wanted.allowed) values.push_back(logits[id]);
    use(wanted.which, worker, values);
  }

  void forward(std::span<const SlotStep> steps, const LogitsUse& use) {
    check(steps);
    for (const SlotStep& step : steps) sequences.reserve(step.slot, step.tokens.size());
    const std::vector<Item> items = ordered(steps);
    const auto parts = share(items);
    const bool alone = parts.size() == 1;
    const detail::ThreadsGuard guard(torch_threads(alone));
    const auto work = [&](std::size_t i) {
      detail::guarded("computing a batch", [&] { compute(parts[i], i, alone, use); });
    };
    if (alone)
      work(0);
    else
      workers.run(parts.size(), work);
    for (const SlotStep& step : steps)
      sequences.at(step.slot).length += static_cast<std::int64_t>(step.tokens.size());
  }

  // For callers that want to keep all logits until the next call.
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    std::size_t count = 0;
    for (const SlotStep& step : steps) count += step.wants_logits;
    kept.assign(count, {});
    forward(steps, [&](std::size_t which, std::size_t, std::span<const float> logits) {
      kept[which].assign(logits.begin(), logits.end());
    });
    return {kept.begin(), kept.end()};
  }

  ModelConfig config;
  at::Device device;
  bool own_kernels;
  at::ScalarType dtype;
  cpu::KvType kv_type;
  std::size_t blocks;
  std::unique_ptr<detail::Decoder> decoder;
  detail::Sequences sequences;
  detail::Workers workers;
  std::vector<std::vector<float>> kept;  // what the spans of the last forward() point to
};

Transformer::Transformer(const ModelConfig& config, const WeightSource& weights,
                         const TransformerOptions& options)
    : impl_(detail::guarded("building the model",
                            [&] { return std::make_unique<Impl>(config, weights, options); })) {}
Transformer::~Transformer() = default;
Transformer::Transformer(Transformer&&) noexcept = default;
Transformer& Transformer::operator=(Transformer&&) noexcept = default;

Slot Transformer::open() {
  return impl_->sequences.open(false);
}
Slot Transformer::open_long() {
  return impl_->sequences.open(true);
}
Slot Transformer::fork(Slot slot) {
  return detail::guarded("forking a sequence", [&] { return impl_->sequences.fork(slot); });
}
void Transformer::close(Slot slot) {
  impl_->sequences.close(slot);
}
std::size_t Transformer::length(Slot slot) const {
  return static_cast<std::size_t>(impl_->sequences.at(slot).length);
}
std::vector<std::span<const float>> Transformer::forward(std::span<const SlotStep> steps) {
  return detail::guarded("computing a batch", [&] { return impl_->forward(steps); });
}
void Transformer::forward(std::span<const SlotStep> steps, const LogitsUse& use) {
  detail::guarded("computing a batch", [&] { impl_->forward(steps, use); });
}
std::size_t Transformer::workers() const {
  return impl_->workers.size();
}
std::size_t Transformer::vocabulary_size() const {
  return static_cast<std::size_t>(impl_->config.vocabulary);
}
std::size_t Transformer::context_limit() const {
  return static_cast<std::size_t>(impl_->config.context);
}
std::size_t Transformer::short_context() const {
  return static_cast<std::size_t>(impl_->config.short_context());
}
std::size_t Transformer::token_capacity() const {
  return impl_->blocks * static_cast<std::size_t>(cpu::kKeysPerBlock);
}

std::vector<std::pair<std::string, double>> Transformer::seconds_by_part() const {
  return impl_->decoder->times().seconds();
}

std::string Transformer::numeric_path() const {
  const char* kv = impl_->kv_type == cpu::KvType::float16 ? "-kv16"
                   : impl_->kv_type == cpu::KvType::int8  ? "-kv8"
                                                          : "";
  if (impl_->dtype == at::kChar) return message("int8-cpu", kv);
  const char* dtype = impl_->dtype == at::kFloat ? "fp32" : impl_->dtype == at::kHalf ? "fp16" : "bf16";
  if (!impl_->own_kernels)
    return message(dtype, impl_->device.is_cpu() ? "-aten-torch" : "-cuda-torch", TORCH_VERSION);
  std::string isa = at::get_cpu_capability();
  std::ranges::transform(isa, isa.begin(), [](unsigned char c) { return std::tolower(c); });
  return message(dtype, "-cpu-", isa, kv, "-torch", TORCH_VERSION);
}

}  // namespace synthema
