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

}  // namespace
}  // namespace synthema::cpu
