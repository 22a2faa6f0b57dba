// Attention over keys and values that are stored as floats of 32 or 16 bits. Queries of a tile that share a
// block are multiplied with it together, as many as the registers hold; every score and every sum is one
// chain of fused multiply-adds, so how many does not matter.
#pragma once

#include "src/cpu/attention_tile.hpp"

namespace synthema::cpu {
namespace {  // NOLINT(google-build-namespaces)

constexpr int kQueryStride = kWidestHead + kLanes;

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
void score(const float* queries, const Stored* keys, std::int64_t width, std::ptrdiff_t ahead,
           float* scores) {
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
      for (int v = 0; v < V; ++v) store(sums[t][v], scores + t * kWeightStride + c + v * kLanes);
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
void add_values(const float* weights, const Stored* values, std::int64_t padded, std::ptrdiff_t ahead,
                float* const* states) {
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

template <class Stored>
class FloatProducts {
 public:
  explicit FloatProducts(const AttentionHead& head) : head_(head) {}

  void take_query(const Tile&, int t, const float* query) {
    const std::int64_t width = head_.layout.width;
    const Floats scale = broadcast(head_.scale);
    float* to = queries_ + t * kQueryStride;
    for (std::int64_t i = 0; i < width; i += kLanes) store(load_part(query + i, width - i) * scale, to + i);
  }

  void scores(Tile& tile) const {
    for (int b = 0; b < kBlocksPerChunk; ++b)
      for_each_block(tile, b, [&](const std::byte* block, std::ptrdiff_t ahead, int first, int count) {
        const Stored* keys = reinterpret_cast<const Stored*>(block + head_.offset);
        in_steps<kTileVectors>(first, count, [&]<int T>(int t) {
          score<T>(queries_ + t * kQueryStride, keys, head_.layout.width, ahead,
                   tile.weights + t * kWeightStride + b * kKeysPerBlock);
        });
      });
  }

  void weigh(Tile& tile, int t) const {
    float* weights = tile.weights + t * kWeightStride;
    update_softmax(*tile.chunk[t], weights, tile.state[t], head_.layout.padded_width(),
                   [weights](int j, Floats e) { store(e, weights + j); });
  }

  void sums(Tile& tile) const {
    for (int b = 0; b < kBlocksPerChunk; ++b)
      for_each_block(tile, b, [&](const std::byte* block, std::ptrdiff_t ahead, int first, int count) {
        const Stored* values = reinterpret_cast<const Stored*>(block + head_.offset + head_.layout.values());
        in_steps<kTileVectors>(first, count, [&]<int T>(int t) {
          add_values<T>(tile.weights + t * kWeightStride + b * kKeysPerBlock, values,
                        head_.layout.padded_width(), ahead, tile.state + t);
        });
      });
  }

 private:
  AttentionHead head_;
  alignas(64) float queries_[kTile * kQueryStride];
};

}  // namespace
}  // namespace synthema::cpu
