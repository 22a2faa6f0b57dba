// Attention over the vector type of one instruction set; included by attention_<set>.cpp only.
//
// A tile of queries goes through one chunk: scores block by block, one softmax update a query, weighted
// values block by block. Queries of a tile that share a block are multiplied with it together, as many as the
// registers hold; every score and every sum is one chain of fused multiply-adds, so how many does not matter.
#pragma once

#include "src/cpu/attention.hpp"
#include "src/cpu/simd.hpp"

namespace synthema::cpu {
namespace {

constexpr int kTile = 24;
constexpr int kChunk = kBlocksPerChunk * kKeysPerBlock;
// Rows of a tile start in different sets of the first cache.
constexpr int kQueryStride = kWidestHead + kLanes;
constexpr int kWeightStride = kChunk + kLanes;
constexpr float kInfinity = __builtin_inff();

struct Tile {
  int count = 0;
  const RowChunk* chunk[kTile];
  float* state[kTile];
  float* out[kTile];
  alignas(64) float queries[kTile * kQueryStride];
  alignas(64) float weights[kTile * kWeightStride];  // scores at first
};

template <class Stored>
constexpr bool kScaled = sizeof(Stored) == 1;

// sums[t][v] += left[t][k] * right[k][v] for k in [0, steps). The same place `ahead` bytes on is fetched into
// the cache: blocks lie apart, and no hardware guesses where the next one is.
template <int T, int V, int LeftStride, class Stored>
SYNTHEMA_INLINE void accumulate(Floats (&sums)[T][V], const float* left, const Stored* right,
                                std::int64_t right_stride, std::int64_t steps, std::ptrdiff_t ahead) {
  for (std::int64_t k = 0; k < steps; ++k, ++left, right += right_stride) {
    Floats r[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      r[v] = load(right + v * kLanes);
      __builtin_prefetch(reinterpret_cast<const std::byte*>(right + v * kLanes) + ahead, 0, 2);
    }
#pragma GCC unroll 24
    for (int t = 0; t < T; ++t) {
      const Floats l = broadcast(left[t * LeftStride]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[t][v] = fused(l, r[v], sums[t][v]);
    }
  }
}

template <int T>
constexpr int kColumns = 2 * T <= kTileVectors ? 2 : 1;  // vectors

// Scores of T queries with the 32 keys of a block.
template <int T, class Stored>
void score(const float* queries, const Stored* keys, const float* scales, std::int64_t width,
           std::ptrdiff_t ahead, float* scores) {
  constexpr int V = kColumns<T>;
  for (int c = 0; c < kKeysPerBlock; c += V * kLanes) {
    Floats sums[T][V];
#pragma GCC unroll 24
    for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[t][v] = zeros();
    accumulate<T, V, kQueryStride>(sums, queries, keys + c, kKeysPerBlock, width, ahead);
#pragma GCC unroll 24
    for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        if constexpr (kScaled<Stored>) sums[t][v] = sums[t][v] * load(scales + c + v * kLanes);
        store(sums[t][v], scores + t * kWeightStride + c + v * kLanes);
      }
  }
}

// V vectors of columns of the sums of T queries, plus weights times the 32 values of a block.
template <int T, int V, class Stored>
SYNTHEMA_INLINE void add_columns(const float* weights, const Stored* values, std::int64_t padded,
                                 std::ptrdiff_t ahead, float* const* states) {
  Floats sums[T][V];
#pragma GCC unroll 24
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sums[t][v] = load(states[t] + v * kLanes);
  accumulate<T, V, kWeightStride>(sums, weights, values, padded, kKeysPerBlock, ahead);
#pragma GCC unroll 24
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) store(sums[t][v], states[t] + v * kLanes);
}

template <int T, class Stored>
void add_values(float* weights, const Stored* values, const float* scales, std::int64_t padded,
                std::ptrdiff_t ahead, float* const* states) {
  if constexpr (kScaled<Stored>)
    for (int t = 0; t < T; ++t)
      for (int j = 0; j < kKeysPerBlock; j += kLanes) {
        float* w = weights + t * kWeightStride + j;
        store(load(w) * load(scales + j), w);
      }
  float* columns[T];
  for (int t = 0; t < T; ++t) columns[t] = states[t];
  constexpr int V = kColumns<T>;
  std::int64_t c = 0;
  for (; c + V * kLanes <= padded; c += V * kLanes) {
    add_columns<T, V>(weights, values + c, padded, ahead, columns);
    for (int t = 0; t < T; ++t) columns[t] += V * kLanes;
  }
  if (c < padded) add_columns<T, 1>(weights, values + c, padded, ahead, columns);
}

// action<T>(first, T) over [first, first + count) in steps of T = 12, 6, 4, 3, 2, 1, the largest first.
template <int T = 12, class Action>
SYNTHEMA_INLINE void in_steps(int first, int count, Action action) {
  if constexpr (T <= kTileVectors)
    for (; count >= T; first += T, count -= T) action.template operator()<T>(first);
  if constexpr (T > 1) in_steps<T == 12 ? 6 : T == 6 ? 4 : T - 1>(first, count, action);
}

// action(block, bytes to the next block, first query, queries) for queries of the tile that see the same
// block b of the chunk.
template <class Action>
SYNTHEMA_INLINE void for_each_block(const Tile& tile, int b, Action action) {
  for (int i = 0, next; i < tile.count; i = next) {
    const std::byte* block = tile.chunk[i]->blocks[b];
    for (next = i + 1; next < tile.count && tile.chunk[next]->blocks[b] == block;) ++next;
    const std::byte* following = next < tile.count ? tile.chunk[next]->blocks[b] : nullptr;
    if (block) action(block, following ? following - block : 0, i, next - i);
  }
}

// Scores to weights; what was summed before shrinks to the new largest score.
SYNTHEMA_INLINE void update_softmax(const RowChunk& chunk, float* weights, float* state,
                                    std::int64_t padded) {
  const int begin = chunk.first / kKeysPerBlock * kKeysPerBlock;
  const int end = (chunk.last / kKeysPerBlock + 1) * kKeysPerBlock;
  for (int j = begin; j < chunk.first; ++j) weights[j] = -kInfinity;
  for (int j = chunk.last + 1; j < end; ++j) weights[j] = -kInfinity;
  Floats highest = load(weights + begin);
  for (int j = begin + kLanes; j < end; j += kLanes) highest = larger(highest, load(weights + j));
  float top = largest(highest);
  Floats denominators = zeros();
  if (chunk.starts) {
    for (std::int64_t c = 0; c < padded; c += kLanes) store(zeros(), state + c);
  } else {
    const float before = state[padded + kLanes];
    top = before > top ? before : top;
    const Floats decay = exponential(broadcast(before - top));
    for (std::int64_t c = 0; c < padded; c += kLanes) store(load(state + c) * decay, state + c);
    denominators = load(state + padded) * decay;
  }
  for (int j = begin; j < end; j += kLanes) {
    const Floats e = exponential(load(weights + j) - broadcast(top));
    store(e, weights + j);
    denominators = denominators + e;
  }
  store(denominators, state + padded);
  state[padded + kLanes] = top;
}

SYNTHEMA_INLINE void write_result(const float* state, std::int64_t padded, std::int64_t width, float* out) {
  const Floats denominator = broadcast(sum(load(state + padded)));
  for (std::int64_t c = 0; c < width; c += kLanes)
    store_part(load(state + c) / denominator, out + c, width - c);
}

template <class Stored>
void compute(Tile& tile, const AttentionHead& head) {
  const KvLayout& layout = head.layout;
  const std::int64_t padded = layout.padded_width(), width = layout.width;
  for (int b = 0; b < kBlocksPerChunk; ++b)
    for_each_block(tile, b, [&](const std::byte* block, std::ptrdiff_t ahead, int first, int count) {
      const std::byte* at = block + head.offset;
      in_steps(first, count, [&]<int T>(int t) {
        score<T>(tile.queries + t * kQueryStride, reinterpret_cast<const Stored*>(at),
                 reinterpret_cast<const float*>(at + layout.scales()), width, ahead,
                 tile.weights + t * kWeightStride + b * kKeysPerBlock);
      });
    });
  for (int t = 0; t < tile.count; ++t)
    update_softmax(*tile.chunk[t], tile.weights + t * kWeightStride, tile.state[t], padded);
  for (int b = 0; b < kBlocksPerChunk; ++b)
    for_each_block(tile, b, [&](const std::byte* block, std::ptrdiff_t ahead, int first, int count) {
      const std::byte* at = block + head.offset;
      in_steps(first, count, [&]<int T>(int t) {
        add_values<T>(tile.weights + t * kWeightStride + b * kKeysPerBlock,
                      reinterpret_cast<const Stored*>(at + layout.values()),
                      reinterpret_cast<const float*>(at + layout.scales()) + kKeysPerBlock, padded, ahead,
                      tile.state + t);
      });
    });
  for (int t = 0; t < tile.count; ++t)
    if (tile.chunk[t]->ends) write_result(tile.state[t], padded, width, tile.out[t]);
  tile.count = 0;
}

template <class Stored>
void attend_chunk(const RowChunk* rows, std::int64_t count, const AttentionHead& head) {
  Tile tile;
  const std::int64_t width = head.layout.width, state = state_size(head.layout);
  const Floats scale = broadcast(head.scale);
  for (std::int64_t r = 0; r < count; ++r) {
    const RowChunk& chunk = rows[r];
    for (std::int64_t g = 0; g < head.group; ++g) {
      const int t = tile.count++;
      const float* query = head.queries + chunk.row * head.query_stride + g * width;
      float* to = tile.queries + t * kQueryStride;
      for (std::int64_t i = 0; i < width; i += kLanes) store(load_part(query + i, width - i) * scale, to + i);
      tile.chunk[t] = &chunk;
      tile.state[t] = head.states + (chunk.row * head.group + g) * state;
      tile.out[t] = head.out + chunk.row * head.out_stride + g * width;
      if (tile.count == kTile) compute<Stored>(tile, head);
    }
  }
  if (tile.count > 0) compute<Stored>(tile, head);
}

void attend(const RowChunk* rows, std::int64_t count, const AttentionHead& head) {
  if (head.layout.type == KvType::float32) attend_chunk<float>(rows, count, head);
  if (head.layout.type == KvType::float16) attend_chunk<Half>(rows, count, head);
  if (head.layout.type == KvType::int8) attend_chunk<std::int8_t>(rows, count, head);
}

// x / scale rounded to nearest even, scale = largest |x| / 127. A vector with a NaN or an infinity gets the
// scale NaN, so that a broken model is noticed.
SYNTHEMA_INLINE float quantise(const float* x, std::int64_t width, std::int8_t* out, std::int64_t stride) {
  Floats tops = zeros(), poison = zeros();
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const Floats v = load_part(x + i, width - i);
    tops = larger(larger(v, zeros() - v), tops);
    poison = poison + v * zeros();
  }
  const float top = largest(tops), inverse = top > 1e-30f ? 127.0f / top : 0.0f;
  for (std::int64_t i = 0; i < width; ++i) {
    const float shifted = x[i] * inverse + 12582912.0f;  // 1.5 * 2^23: the code is in the last byte
    out[i * stride] = static_cast<std::int8_t>(__builtin_bit_cast(std::uint32_t, shifted) & 0xffu);
  }
  return top / 127.0f + sum(poison);
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
    std::int8_t* keys = reinterpret_cast<std::int8_t*>(head) + lane;
    std::int8_t* values = reinterpret_cast<std::int8_t*>(head + layout.values()) + row;
    float* scales = reinterpret_cast<float*>(head + layout.scales()) + lane;
    scales[0] = quantise(key, width, keys, kKeysPerBlock);
    scales[kKeysPerBlock] = quantise(value, width, values, 1);
  }
}

constexpr AttentionKernels kAttentionKernels{&store_position, &attend};

}  // namespace
}  // namespace synthema::cpu
