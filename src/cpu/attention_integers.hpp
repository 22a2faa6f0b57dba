// Attention over keys and values that are stored in 8 bits, by exact sums of integers. Queries become 8 bits
// too, as the keys are: each vector by its own largest element. Weights become 16 bits a chunk, times the
// values' scales and by the largest of them: with 8 bits one strong key would wipe out all weak ones. At most
// 128 keys are added up before the sum is a float again: 128 * 32767 * 127 < 2^31.
#pragma once

#include "src/cpu/attention_tile.hpp"
#include "src/cpu/simd_integers.hpp"

namespace synthema::cpu {
namespace {  // NOLINT(google-build-namespaces)

// x / scale rounded to nearest even, scale = largest |x| / 127. A vector with a NaN or an infinity gets the
// scale NaN, so that a broken model is noticed. `codes` has room for whole vectors; those past width are 0.
SYNTHEMA_INLINE float quantise(const float* x, std::int64_t width, std::int8_t* codes) {
  Floats tops = zeros(), poison = zeros();
  for (std::int64_t i = 0; i < width; i += kLanes) {
    const Floats v = load_part(x + i, width - i);
    tops = larger(larger(v, zeros() - v), tops);
    poison = poison + v * zeros();
  }
  const float top = largest(tops), inverse = top > 1e-30f ? 127.0f / top : 0.0f;
  for (std::int64_t i = 0; i < width; i += kLanes)
    store_low(load_part(x + i, width - i) * broadcast(inverse) + broadcast(kRounder), codes + i);
  return top / 127.0f + sum(poison);
}

// Where code i of a key and of a value of one position lie in a head of a block.
constexpr std::int64_t key_place(std::int64_t lane, std::int64_t i) {
  return i / 4 * (4 * kKeysPerBlock) + lane * 4 + i % 4;
}
constexpr std::int64_t value_place(const KvLayout& layout, std::int64_t lane, std::int64_t i) {
  return (lane / 2 * layout.padded_width() + i) * 2 + lane % 2;
}
constexpr int kKeyZero = 128;  // what keys are stored above: products are of unsigned and signed bytes

void store_codes(const KvLayout& layout, const float* key, const float* value, std::byte* head,
                 std::int64_t lane) {
  alignas(64) std::int8_t codes[kWidestHead];
  std::uint8_t* keys = reinterpret_cast<std::uint8_t*>(head);
  std::int8_t* values = reinterpret_cast<std::int8_t*>(head + layout.values());
  float* scales = reinterpret_cast<float*>(head + layout.scales()) + lane;
  scales[0] = quantise(key, layout.width, codes);
  for (std::int64_t i = 0; i < layout.width; ++i)
    keys[key_place(lane, i)] = static_cast<std::uint8_t>(codes[i] + kKeyZero);
  scales[kKeysPerBlock] = quantise(value, layout.width, codes);
  for (std::int64_t i = 0; i < layout.width; ++i) values[value_place(layout, lane, i)] = codes[i];
}

constexpr int kCodeStride = kWidestHead + 64;
constexpr int kWeightCodeStride = kChunk + 2 * kLanes;

// What a row's state keeps of its query: scale, sum of the codes, codes.
struct QueryState {
  float* scale;
  float* sum;
  std::int8_t* codes;
  QueryState(float* state, std::int64_t padded)
      : scale(state + padded + kLanes + 1),
        sum(scale + 1),
        codes(reinterpret_cast<std::int8_t*>(state + padded + 2 * kLanes)) {}
};

template <int T>
constexpr int kSumColumns = 2 * T <= kTileVectors ? 2 : 1;

// Scores of T queries with the 32 keys of a block.
template <int T>
void score(const Code* queries, const float* query_scales, const std::int32_t* begin,
           const std::uint8_t* keys, const float* scales, std::int64_t padded, std::ptrdiff_t ahead,
           float* scores) {
  constexpr int V = kSumColumns<T>;
  for (int c = 0; c < kKeysPerBlock; c += V * kLanes) {
    Sums sums[T][V];
#pragma GCC unroll 24
    for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sums[t][v] = sums_of(begin[t]);
    const Code* left = queries;
    const std::uint8_t* right = keys + 4 * c;
    for (std::int64_t k = 0; k < padded; k += 4, left += 4, right += 4 * kKeysPerBlock) {
      Bytes r[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        r[v] = load_bytes(right + v * 4 * kLanes);
        __builtin_prefetch(reinterpret_cast<const std::byte*>(right + v * 4 * kLanes) + ahead, 0, 2);
      }
#pragma GCC unroll 24
      for (int t = 0; t < T; ++t) {
        const Four l = four(left + t * kCodeStride);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sums[t][v] = add_products(sums[t][v], r[v], l);
      }
    }
#pragma GCC unroll 24
    for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v)
        store(floats_of(sums[t][v]) * load(scales + c + v * kLanes) * broadcast(query_scales[t]),
              scores + t * kWeightStride + c + v * kLanes);
  }
}

// V vectors of columns of the states of T queries, plus their weights times the values of a chunk's blocks.
template <int T, int V>
SYNTHEMA_INLINE void add_columns(const std::int16_t* weights, const float* weight_scales,
                                 const std::int8_t* const* blocks, std::int64_t padded, std::int64_t column,
                                 std::ptrdiff_t ahead, float* const* states) {
  Sums sums[T][V];
#pragma GCC unroll 24
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sums[t][v] = sums_of(0);
  for (int b = 0; b < kBlocksPerChunk; ++b) {
    if (!blocks[b]) continue;
    const std::int16_t* left = weights + b * kKeysPerBlock;
    const std::int8_t* right = blocks[b] + 2 * column;
    for (int k = 0; k < kKeysPerBlock; k += 2, left += 2, right += 2 * padded) {
      Pairs r[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        r[v] = load_pairs(right + v * 2 * kLanes);
        __builtin_prefetch(right + v * 2 * kLanes + ahead, 0, 2);
      }
#pragma GCC unroll 24
      for (int t = 0; t < T; ++t) {
        const Two l = two(left + t * kWeightCodeStride);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sums[t][v] = add_products(sums[t][v], r[v], l);
      }
    }
  }
#pragma GCC unroll 24
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      float* to = states[t] + column + v * kLanes;
      store(fused(floats_of(sums[t][v]), broadcast(weight_scales[t]), load(to)), to);
    }
}

class IntegerProducts {
 public:
  explicit IntegerProducts(const AttentionHead& head) : head_(head), padded_(head.layout.padded_width()) {}

  // Quantised with the row's first chunk and kept in its state.
  void take_query(const Tile& tile, int t, const float* query) {
    const QueryState kept(tile.state[t], padded_);
    if (tile.chunk[t]->starts) {
      *kept.scale = quantise(query, head_.layout.width, kept.codes) * head_.scale;
      std::int32_t codes = 0;
      for (std::int64_t i = 0; i < head_.layout.width; ++i) codes += kept.codes[i];
      *kept.sum = static_cast<float>(codes);
      for (std::int64_t i = head_.layout.width; i < padded_; ++i) kept.codes[i] = 0;
    }
    query_scale_[t] = *kept.scale;
    begin_[t] = -kKeyZero * static_cast<std::int32_t>(*kept.sum);
    spread(kept.codes, padded_, queries_ + t * kCodeStride);
  }

  void scores(Tile& tile) const {
    for (int b = 0; b < kBlocksPerChunk; ++b)
      for_each_block(tile, b, [&](const std::byte* block, std::ptrdiff_t ahead, int first, int count) {
        const std::byte* at = block + head_.offset;
        in_steps<kBytesTile>(first, count, [&]<int T>(int t) {
          score<T>(queries_ + t * kCodeStride, query_scale_ + t, begin_ + t,
                   reinterpret_cast<const std::uint8_t*>(at),
                   reinterpret_cast<const float*>(at + head_.layout.scales()), padded_, ahead,
                   tile.weights + t * kWeightStride + b * kKeysPerBlock);
        });
      });
  }

  // Weights times the values' scales, as codes. NaN among them becomes the scale NaN.
  void weigh(Tile& tile, int t) {
    const RowChunk& chunk = *tile.chunk[t];
    float* weights = tile.weights + t * kWeightStride;
    Floats tops = zeros(), poison = zeros();
    update_softmax(chunk, weights, tile.state[t], padded_, [&](int j, Floats e) {
      const std::byte* head = chunk.blocks[j / kKeysPerBlock] + head_.offset + head_.layout.scales();
      const Floats w = e * load(reinterpret_cast<const float*>(head) + kKeysPerBlock + j % kKeysPerBlock);
      store(w, weights + j);
      tops = larger(w, tops);
      poison = poison + w * zeros();
    });
    const float top = largest(tops), inverse = top > 1e-30f ? 32767.0f / top : 0.0f;
    std::int16_t* codes = weight_codes_ + t * kWeightCodeStride;
    const int begin = chunk.first / kKeysPerBlock * kKeysPerBlock;
    const int end = (chunk.last / kKeysPerBlock + 1) * kKeysPerBlock;
    for (int j = begin; j < end; j += kLanes)
      store_low(load(weights + j) * broadcast(inverse) + broadcast(kRounder), codes + j);
    weight_scale_[t] = top / 32767.0f + sum(poison);
  }

  void sums(Tile& tile) {
    for (int i = 0, next; i < tile.count; i = next) {
      const RowChunk& chunk = *tile.chunk[i];
      for (next = i + 1; next < tile.count && has_same_blocks(chunk, *tile.chunk[next]);) ++next;
      const std::int8_t* blocks[kBlocksPerChunk];
      for (int b = 0; b < kBlocksPerChunk; ++b)
        blocks[b] =
            chunk.blocks[b]
                ? reinterpret_cast<const std::int8_t*>(chunk.blocks[b] + head_.offset + head_.layout.values())
                : nullptr;
      const std::byte* following = next < tile.count ? tile.chunk[next]->blocks[0] : nullptr;
      const std::ptrdiff_t ahead = following && chunk.blocks[0] ? following - chunk.blocks[0] : 0;
      in_steps<kTileVectors>(i, next - i, [&]<int T>(int t) { add_values<T>(tile, t, blocks, ahead); });
    }
  }

 private:
  static bool has_same_blocks(const RowChunk& a, const RowChunk& b) {
    for (int i = 0; i < kBlocksPerChunk; ++i)
      if (a.blocks[i] != b.blocks[i]) return false;
    return true;
  }

  template <int T>
  void add_values(const Tile& tile, int t, const std::int8_t* const* blocks, std::ptrdiff_t ahead) const {
    constexpr int V = kSumColumns<T>;
    const std::int16_t* weights = weight_codes_ + t * kWeightCodeStride;
    std::int64_t c = 0;
    for (; c + V * kLanes <= padded_; c += V * kLanes)
      add_columns<T, V>(weights, weight_scale_ + t, blocks, padded_, c, ahead, tile.state + t);
    if (c < padded_) add_columns<T, 1>(weights, weight_scale_ + t, blocks, padded_, c, ahead, tile.state + t);
  }

  AttentionHead head_;
  std::int64_t padded_;
  float query_scale_[kTile], weight_scale_[kTile];
  std::int32_t begin_[kTile];
  alignas(64) Code queries_[kTile * kCodeStride];
  alignas(64) std::int16_t weight_codes_[kTile * kWeightCodeStride];
};

}  // namespace
}  // namespace synthema::cpu
