// Attention over the vector type of one instruction set; included by attention_<set>.cpp only.
//
// A tile of queries goes through one chunk: scores block by block, one softmax update a query, weighted
// values.
#pragma once

#include "src/cpu/attention_floats.hpp"
#include "src/cpu/attention_integers.hpp"

namespace synthema::cpu {
namespace {

SYNTHEMA_INLINE void write_result(const float* state, std::int64_t padded, std::int64_t width, float* out) {
  const Floats denominator = broadcast(sum(load(state + padded)));
  for (std::int64_t c = 0; c < width; c += kLanes)
    store_part(load(state + c) / denominator, out + c, width - c);
}

template <class Products>
void compute(Tile& tile, Products& products, const KvLayout& layout) {
  const std::int64_t padded = layout.padded_width();
  products.scores(tile);
  for (int t = 0; t < tile.count; ++t) products.weigh(tile, t);
  products.sums(tile);
  for (int t = 0; t < tile.count; ++t)
    if (tile.chunk[t]->ends) write_result(tile.state[t], padded, layout.width, tile.out[t]);
  tile.count = 0;
}

template <class Products>
void attend_chunk(const RowChunk* rows, std::int64_t count, const AttentionHead& head) {
  Tile tile;
  Products products(head);
  const std::int64_t width = head.layout.width, state = state_size(head.layout);
  for (std::int64_t r = 0; r < count; ++r) {
    const RowChunk& chunk = rows[r];
    for (std::int64_t g = 0; g < head.group; ++g) {
      const int t = tile.count++;
      tile.chunk[t] = &chunk;
      tile.state[t] = head.states + (chunk.row * head.group + g) * state;
      tile.out[t] = head.out + chunk.row * head.out_stride + g * width;
      products.take_query(tile, t, head.queries + chunk.row * head.query_stride + g * width);
      if (tile.count == kTile) compute(tile, products, head.layout);
    }
  }
  if (tile.count > 0) compute(tile, products, head.layout);
}

void attend(const RowChunk* rows, std::int64_t count, const AttentionHead& head) {
  if (head.layout.type == KvType::float32) attend_chunk<FloatProducts<float>>(rows, count, head);
  if (head.layout.type == KvType::float16) attend_chunk<FloatProducts<Half>>(rows, count, head);
  if (head.layout.type == KvType::int8) attend_chunk<IntegerProducts>(rows, count, head);
}

void store_position(const KvLayout& layout, const float* key, const float* value, std::byte* head,
                    std::int64_t lane) {
  const std::int64_t width = layout.width, row = lane * layout.padded_width();
  if (layout.type == KvType::float32) {
    float* keys = reinterpret_cast<float*>(head) + lane;
    float* values = reinterpret_cast<float*>(head + layout.values()) + row;
    for (std::int64_t i = 0; i < width; ++i) keys[i * kKeysPerBlock] = key[i];
    for (std::int64_t i = 0; i < width; ++i) values[i] = value[i];
  } else if (layout.type == KvType::float16) {
    Half* keys = reinterpret_cast<Half*>(head) + lane;
    Half* values = reinterpret_cast<Half*>(head + layout.values()) + row;
    for (std::int64_t i = 0; i < width; ++i) keys[i * kKeysPerBlock] = half_of(key[i]);
    for (std::int64_t i = 0; i < width; ++i) values[i] = half_of(value[i]);
  } else {
    store_codes(layout, key, value, head, lane);
  }
}

constexpr AttentionKernels kAttentionKernels{&store_position, &attend};

}  // namespace
}  // namespace synthema::cpu
