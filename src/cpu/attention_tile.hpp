// What attention over floats and over integers have in common; for the kernels of one instruction set.
#pragma once

#include "src/cpu/attention.hpp"
#include "src/cpu/simd.hpp"

namespace synthema::cpu {
namespace {  // NOLINT(google-build-namespaces)

constexpr int kTile = 24;
constexpr int kChunk = kBlocksPerChunk * kKeysPerBlock;
// Rows of a tile start in different sets of the first cache.
constexpr int kWeightStride = kChunk + kLanes;
constexpr float kInfinity = __builtin_inff();

// Query heads that go through one chunk together.
struct Tile {
  int count = 0;
  const RowChunk* chunk[kTile];
  float* state[kTile];
  float* out[kTile];
  alignas(64) float weights[kTile * kWeightStride];  // scores at first
};

// action<T>(first) over [first, first + count) in steps of T = 12, 6, 4, 3, 2, 1, the largest that Most
// allows first.
template <int Most, int T = 12, class Action>
SYNTHEMA_INLINE void in_steps(int first, int count, Action action) {
  if constexpr (T <= Most)
    for (; count >= T; first += T, count -= T) action.template operator()<T>(first);
  if constexpr (T > 1) in_steps<Most, T == 12 ? 6 : T == 6 ? 4 : T - 1>(first, count, action);
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

// Scores to weights, each vector of which goes to take(first key, weights); what was summed before shrinks to
// the new largest score.
template <class Take>
SYNTHEMA_INLINE void update_softmax(const RowChunk& chunk, float* scores, float* state, std::int64_t padded,
                                    const Take& take) {
  const int begin = chunk.first / kKeysPerBlock * kKeysPerBlock;
  const int end = (chunk.last / kKeysPerBlock + 1) * kKeysPerBlock;
  for (int j = begin; j < chunk.first; ++j) scores[j] = -kInfinity;
  for (int j = chunk.last + 1; j < end; ++j) scores[j] = -kInfinity;
  Floats highest = load(scores + begin);
  for (int j = begin + kLanes; j < end; j += kLanes) highest = larger(highest, load(scores + j));
  float top = largest(highest);
  Floats denominators = zeros();
  if (chunk.starts) {
    for (std::int64_t c = 0; c < padded; c += kLanes) store(zeros(), state + c);
  } else if (const float before = state[padded + kLanes]; before >= top) {  // the decay would be exactly 1
    top = before;
    denominators = load(state + padded);
  } else {
    const Floats decay = exponential(broadcast(before - top));
    for (std::int64_t c = 0; c < padded; c += kLanes) store(load(state + c) * decay, state + c);
    denominators = load(state + padded) * decay;
  }
  for (int j = begin; j < end; j += kLanes) {
    const Floats e = exponential(load(scores + j) - broadcast(top));
    take(j, e);
    denominators = denominators + e;
  }
  store(denominators, state + padded);
  state[padded + kLanes] = top;
}

}  // namespace
}  // namespace synthema::cpu
