// Attention of query rows over keys and values that lie in blocks of 32 positions. Sequences share blocks by
// reference; a shared block is computed once for all rows that see it (cascade attention: Hydragen, Juravsky
// et al. 2024), because rows with the same blocks stand side by side in the plan. What a row gets does not
// depend on its company: its chunks of 128 keys are at fixed positions and in order, and each product adds up
// key by key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "src/cpu/instruction_set.hpp"

namespace synthema::cpu {

constexpr std::int64_t kKeysPerBlock = 32;
constexpr std::int64_t kBlocksPerChunk = 4;  // one update of the running softmax a chunk
constexpr std::int64_t kWidestHead = 256;

// How keys and values are stored.
enum class KvType : std::uint8_t {
  float32,
  float16,  // rounded to nearest even; products in 32 bits
  int8      // each vector by its own largest element / 127; products of integers
};

// Where one key-value head lies inside a block, in bytes: keys transposed {width, kKeysPerBlock}, values
// {kKeysPerBlock, padded width}. For int8 four elements of a key lie side by side, {padded width / 4,
// kKeysPerBlock, 4}, and two values, {kKeysPerBlock / 2, padded width, 2}; the scales of the keys, then of
// the values, follow as float.
struct KvLayout {
  KvType type = KvType::float32;
  std::int64_t width = 0;  // of a head, even, at most kWidestHead

  constexpr std::int64_t element_size() const {
    return type == KvType::float32 ? 4 : type == KvType::float16 ? 2 : 1;
  }
  constexpr std::int64_t padded_width() const { return (width + 15) / 16 * 16; }
  constexpr std::int64_t values() const {
    return kKeysPerBlock * (type == KvType::int8 ? padded_width() : width) * element_size();
  }
  constexpr std::int64_t scales() const { return values() + kKeysPerBlock * padded_width() * element_size(); }
  constexpr std::int64_t size() const {
    return scales() + (type == KvType::int8 ? 2 * kKeysPerBlock * std::int64_t{sizeof(float)} : 0);
  }
};

// The blocks of one row's sequence and the positions [first, last] that it sees.
struct RowView {
  const std::byte* const* blocks;  // block b holds the positions from b * kKeysPerBlock on
  std::int64_t first;
  std::int64_t last;
  std::int32_t row;  // where its queries, its state and its result stand
};

// What a row sees of one chunk.
struct RowChunk {
  const std::byte* blocks[kBlocksPerChunk];  // nullptr: nothing of it
  std::int32_t row;
  std::uint8_t first, last;  // seen positions, counted from the chunk's first
  bool starts, ends;         // the row's first chunk, its last
};

// The chunks of all rows, in the order in which they are computed; the same for all layers and heads.
class AttentionPlan {
 public:
  void assign(std::span<const RowView> rows);
  std::size_t size() const { return borders_.size() - 1; }
  // All rows that see chunk i of the plan, rows with the same blocks side by side.
  std::span<const RowChunk> operator[](std::size_t i) const {
    return std::span(entries_).subspan(borders_[i], borders_[i + 1] - borders_[i]);
  }
  // Whether most rows that see chunk i see another row's blocks there.
  bool is_shared(std::size_t i) const { return shared_[i]; }

 private:
  std::vector<RowChunk> entries_;
  std::vector<std::size_t> borders_{0};
  std::vector<bool> shared_;
};

// One key-value head and the query heads that share it. Heads of a row lie one after another.
struct AttentionHead {
  KvLayout layout;
  std::int64_t offset;  // of this head of this layer inside a block, in bytes
  std::int64_t group;   // query heads
  float scale;          // of the scores
  const float* queries;
  std::int64_t query_stride;  // floats between rows
  float* out;
  std::int64_t out_stride;
  float* states;  // {rows, group, state_size(layout)}, need not be initialised
};

// Running sums, denominators in 16 lanes, the largest score so far, and for int8 the query's codes.
constexpr std::int64_t state_size(const KvLayout& layout) {
  return layout.padded_width() + 32 + (layout.type == KvType::int8 ? layout.padded_width() / 4 : 0);
}

struct AttentionKernels {
  // Stores key and value of one position into a head of a block; `lane` is the position inside the block.
  void (*store)(const KvLayout& layout, const float* key, const float* value, std::byte* head,
                std::int64_t lane);
  // One chunk of the plan. A row's chunks come in order; its result is written with the last.
  void (*attend)(const RowChunk* rows, std::int64_t count, const AttentionHead& head);
};

// The set must be supported.
const AttentionKernels& attention_kernels(InstructionSet set = best_instruction_set());

}  // namespace synthema::cpu
