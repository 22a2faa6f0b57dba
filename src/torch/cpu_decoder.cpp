#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "src/cpu/attention.hpp"
#include "src/cpu/block_memory.hpp"
#include "src/cpu/row_kernels.hpp"
#include "src/torch/decoder.hpp"
#include "src/torch/rope.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kRowsToPart = 8;  // a thread's, from which a team shares attention by rows

float* row_of(const at::Tensor& matrix, std::size_t row) {
  return matrix.data_ptr<float>() + static_cast<std::int64_t>(row) * matrix.size(1);
}

struct Angles {
  std::vector<float> cosines, sines;  // {rows, pairs}
};

// The part of one run() that all layers share.
struct Batch {
  std::span<const DecoderRow> rows;
  Workers* team = nullptr;
  std::vector<std::vector<const std::byte*>> blocks;  // by row
  std::size_t parts = 1;                              // that attention is computed in: every parts-th row
  std::vector<cpu::AttentionPlan> plans[2];           // by part; of layers that see all, and of local layers
  std::vector<float> states;                          // of the attention, by key-value head
  std::vector<Angles> angles;                         // by kind of layer
  at::Tensor x, normed, mixed, inner;                 // {padded rows, ...}; padding rows stay zero
  std::optional<Laps> laps;
};

class CpuDecoder final : public Decoder {
 public:
  CpuDecoder(const ModelConfig& config, Weights weights, cpu::KvType kv_type)
      : config_(config),
        weights_(std::move(weights)),
        layout_{kv_type, config.head_width},
        blocks_(config.layers * config.kv_heads * layout_.size()),
        ropes_(ropes_of(config, false)),
        long_ropes_(ropes_of(config, true)),
        scale_(static_cast<float>(attention_scale(config))),
        activation_(config.activation == "silu" ? cpu::Activation::silu : cpu::Activation::gelu_tanh) {}

  void clear(std::int32_t block) override { blocks_.clear(block); }
  void copy(std::int32_t from, std::int32_t to) override { blocks_.copy(from, to); }

  Logits run(std::span<const DecoderRow> rows, Workers* team) override {
    Batch batch = prepare(rows, team);
    batch.laps->end(Part::rest);
    for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
      attention(batch, weights_.layers[i], static_cast<std::int64_t>(i));
      feed_forward(batch, weights_.layers[i]);
    }
    return logits(batch);
  }

 private:
  // Of one key-value head of one layer inside a block, in bytes.
  std::int64_t offset(std::int64_t layer, std::int64_t kv_head) const {
    return (layer * config_.kv_heads + kv_head) * layout_.size();
  }

  Batch prepare(std::span<const DecoderRow> rows, Workers* team) {
    Batch batch;
    batch.rows = rows;
    batch.team = team;
    batch.laps.emplace(times_, team ? team->size() : 1);
    const std::int64_t padded = padded_rows(static_cast<std::int64_t>(rows.size()));
    batch.x = at::zeros({padded, config_.width}, at::kFloat);
    batch.normed = at::zeros({padded, config_.width}, at::kFloat);
    batch.mixed = at::zeros({padded, config_.heads * config_.head_width}, at::kFloat);
    batch.inner = at::zeros({padded, config_.feed_forward}, at::kFloat);
    batch.angles.resize(ropes_.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      embed(rows[r], row_of(batch.x, r));
      std::vector<const std::byte*>& pointers = batch.blocks.emplace_back();
      for (const std::int32_t b : *rows[r].blocks) pointers.push_back(blocks_[b]);
      const std::vector<Rope>& ropes = rows[r].is_long ? long_ropes_ : ropes_;
      for (std::size_t i = 0; i < ropes.size(); ++i)
        ropes[i].append(rows[r].position, batch.angles[i].cosines, batch.angles[i].sines);
    }
    plan_attention(batch);
    return batch;
  }

  // A team's thread takes every other row, so that all have about as many keys to see; with few rows it takes
  // heads instead.
  void plan_attention(Batch& batch) const {
    if (batch.team && batch.rows.size() >= kRowsToPart * batch.team->size()) batch.parts = batch.team->size();
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
      std::vector<cpu::AttentionPlan>& plans = batch.plans[config_.is_local(layer)];
      if (!plans.empty()) continue;  // as for an earlier layer
      plans.resize(batch.parts);
      for (std::size_t part = 0; part < batch.parts; ++part) {
        std::vector<cpu::RowView> views;
        for (std::size_t r = part; r < batch.rows.size(); r += batch.parts) {
          const std::int64_t position = batch.rows[r].position;
          views.push_back({batch.blocks[r].data(), first_visible(config_, layer, position), position,
                           static_cast<std::int32_t>(r)});
        }
        plans[part].assign(views);
      }
    }
    const std::int64_t group = config_.heads / config_.kv_heads;
    batch.states.resize(batch.rows.size() *
                        static_cast<std::size_t>(config_.kv_heads * group * cpu::state_size(layout_)));
  }

  static std::int64_t used(const Batch& batch) { return static_cast<std::int64_t>(batch.rows.size()); }
  // Rows shared by the team.
  template <class Task>
  static void for_rows(const Batch& batch, const Task& task) {
    split(batch.team, used(batch), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t r = first; r < last; ++r) task(static_cast<std::size_t>(r));
    });
  }

  void embed(const DecoderRow& row, float* out) const {
    if (weights_.coded_embedding) {
      weights_.coded_embedding->decode(row.token, out);
    } else {
      const at::Tensor token = weights_.embedding.select(0, row.token).to(at::kFloat);
      std::copy_n(token.data_ptr<float>(), config_.width, out);
    }
    const auto scale = static_cast<float>(config_.embedding_scale);
    for (float& x : std::span(out, static_cast<std::size_t>(config_.width))) x *= scale;
    if (!weights_.positions.defined()) return;
    const at::Tensor position = weights_.positions.select(0, row.position).to(at::kFloat);
    rows_.add(position.data_ptr<float>(), out, config_.width);
  }

  // out may be x.
  void norm(const Norm& norm, const float* x, float* out) const {
    const auto epsilon = static_cast<float>(config_.norm_epsilon);
    const std::int64_t width = norm.gain.size(0);
    if (norm.bias.defined())
      rows_.layer_norm(x, norm.gain.data_ptr<float>(), norm.bias.data_ptr<float>(), out, width, epsilon);
    else
      rows_.rms_norm(x, norm.gain.data_ptr<float>(), out, width, epsilon);
  }
  void norm_rows(const Batch& batch, const Norm& gain) const {
    for_rows(batch, [&](std::size_t r) { norm(gain, row_of(batch.x, r), row_of(batch.normed, r)); });
  }

  // Adds what attention or feed-forward gave, after its own norm where there is one.
  void add_rows(const Batch& batch, const Norm& post, const at::Tensor& change) const {
    for_rows(batch, [&](std::size_t r) {
      float* row = row_of(change, r);
      if (post.gain.defined()) norm(post, row, row);
      rows_.add(row, row_of(batch.x, r), batch.x.size(1));
    });
  }

  void attention(Batch& batch, const Layer& layer, std::int64_t index) {
    norm_rows(batch, layer.attention_norm);
    batch.laps->end(Part::rest);
    const at::Tensor qkv = layer.qkv(batch.normed, used(batch), batch.team);
    batch.laps->end(Part::products);
    for_rows(batch, [&](std::size_t r) { append(batch, layer, index, r, row_of(qkv, r)); });
    batch.laps->end(Part::rest);
    if (batch.parts > 1)
      split(batch.team, static_cast<std::int64_t>(batch.parts), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t part = first; part < last; ++part)
          for (std::int64_t head = 0; head < config_.kv_heads; ++head) mix(batch, index, head, part, qkv);
      });
    else
      split(batch.team, config_.kv_heads, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t head = first; head < last; ++head) mix(batch, index, head, 0, qkv);
      });
    batch.laps->skip();
    const at::Tensor change = layer.output(batch.mixed, used(batch), batch.team);
    batch.laps->end(Part::products);
    add_rows(batch, layer.attention_post_norm, change);
  }

  // Rotates the row's queries and keys and stores its keys and values.
  void append(const Batch& batch, const Layer& layer, std::int64_t index, std::size_t r, float* qkv) const {
    const std::int64_t d = config_.head_width;
    const std::size_t kind = rope_of_layer(config_, index);
    const std::int64_t pairs = ropes_[kind].pairs();
    const float* cosines = batch.angles[kind].cosines.data() + static_cast<std::int64_t>(r) * pairs;
    const float* sines = batch.angles[kind].sines.data() + static_cast<std::int64_t>(r) * pairs;
    for (std::int64_t head = 0; head < config_.heads + config_.kv_heads; ++head) {
      float* vector = qkv + head * d;
      const Norm& own = head < config_.heads ? layer.query_norm : layer.key_norm;
      if (own.gain.defined()) norm(own, vector, vector);
      rows_.rotate(vector, cosines, sines, pairs, config_.rope_pairs == RopePairs::adjacent);
    }
    const DecoderRow& row = batch.rows[r];
    std::byte* to = blocks_[(*row.blocks)[static_cast<std::size_t>(row.position / cpu::kKeysPerBlock)]];
    for (std::int64_t head = 0; head < config_.kv_heads; ++head) {
      const float* key = qkv + (config_.heads + head) * d;
      attention_.store(layout_, key, key + config_.kv_heads * d, to + offset(index, head),
                       row.position % cpu::kKeysPerBlock);
    }
  }

  // The query heads of all rows of a part that share one key-value head.
  void mix(Batch& batch, std::int64_t index, std::int64_t kv_head, std::int64_t part, const at::Tensor& qkv) {
    const std::int64_t group = config_.heads / config_.kv_heads, first = kv_head * group * config_.head_width;
    const cpu::AttentionHead head{
        layout_,
        offset(index, kv_head),
        group,
        scale_,
        qkv.data_ptr<float>() + first,
        qkv.size(1),
        batch.mixed.data_ptr<float>() + first,
        batch.mixed.size(1),
        batch.states.data() + kv_head * used(batch) * group * cpu::state_size(layout_)};
    const cpu::AttentionPlan& plan = batch.plans[config_.is_local(index)][static_cast<std::size_t>(part)];
    Laps laps(times_);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      attention_.attend(plan[i].data(), static_cast<std::int64_t>(plan[i].size()), head);
      if (i + 1 == plan.size() || plan.is_shared(i) != plan.is_shared(i + 1))
        laps.end(plan.is_shared(i) ? Part::shared_attention : Part::private_attention);
    }
  }

  void feed_forward(Batch& batch, const Layer& layer) const {
    norm_rows(batch, layer.feed_forward_norm);
    batch.laps->end(Part::rest);
    const at::Tensor gate_up = layer.gate_up(batch.normed, used(batch), batch.team);
    batch.laps->end(Part::products);
    for_rows(batch, [&](std::size_t r) {
      rows_.activate(activation_, config_.gated, row_of(gate_up, r), row_of(batch.inner, r),
                     config_.feed_forward);
    });
    batch.laps->end(Part::rest);
    const at::Tensor change = layer.down(batch.inner, used(batch), batch.team);
    batch.laps->end(Part::products);
    add_rows(batch, layer.feed_forward_post_norm, change);
  }

  // Rows that want all logits come first in the result, so that one product serves them; the others get the
  // outputs they ask for one by one.
  Logits logits(Batch& batch) const {
    std::vector<std::size_t> whole, sliced;
    Logits out;
    for (std::size_t r = 0; r < batch.rows.size(); ++r) {
      if (!batch.rows[r].wants_logits) continue;
      const bool slices = weights_.head.can_slice(batch.rows[r].allowed);
      std::vector<std::size_t>& like = slices ? sliced : whole;
      const auto place = static_cast<std::int64_t>(like.size());
      out.place.push_back(slices ? ~place : place);
      like.push_back(r);
    }
    const std::size_t wanted = whole.size() + sliced.size();
    if (wanted == 0) return out;
    for (std::int64_t& place : out.place)
      if (place < 0) place = static_cast<std::int64_t>(whole.size()) + ~place;
    const at::Tensor last =
        at::zeros({padded_rows(static_cast<std::int64_t>(wanted)), config_.width}, at::kFloat);
    std::size_t to = 0;
    for (const std::vector<std::size_t>* rows : {&whole, &sliced})
      for (const std::size_t r : *rows) norm(weights_.final_norm, row_of(batch.x, r), row_of(last, to++));
    batch.laps->end(Part::rest);
    out.rows = weights_.head(last, static_cast<std::int64_t>(whole.size()), batch.team);
    for (std::size_t i = 0; i < sliced.size(); ++i)
      weights_.head.slice(row_of(last, whole.size() + i), batch.rows[sliced[i]].allowed,
                          row_of(out.rows, whole.size() + i));
    batch.laps->end(Part::head);
    return out;
  }

  ModelConfig config_;
  Weights weights_;
  cpu::KvLayout layout_;
  cpu::BlockMemory blocks_;
  std::vector<Rope> ropes_, long_ropes_;
  float scale_;
  cpu::Activation activation_;
  const cpu::RowKernels& rows_ = cpu::row_kernels();
  const cpu::AttentionKernels& attention_ = cpu::attention_kernels();
};

}  // namespace

std::unique_ptr<Decoder> make_cpu_decoder(const ModelConfig& config, Weights weights, cpu::KvType kv_type) {
  return std::make_unique<CpuDecoder>(config, std::move(weights), kv_type);
}

}  // namespace synthema::detail
