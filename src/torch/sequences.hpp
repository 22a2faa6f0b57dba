// Which blocks of keys and values belong to which sequence. Blocks are counted references: a fork shares the
// whole blocks of its parent and copies the last, partly filled one. Blocks start at fixed positions, so
// attention adds up in the same order whether a prefix is shared or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "synthema/model/language_model.hpp"

namespace synthema::detail {

// Where blocks live: main memory or a device.
class BlockStore {
 public:
  virtual ~BlockStore() = default;
  virtual void clear(std::int32_t block) = 0;  // all zero: hidden lanes must never hold NaN
  virtual void copy(std::int32_t from, std::int32_t to) = 0;
};

struct Sequence {
  std::vector<std::int32_t> blocks;
  std::int64_t length = 0;
  bool open = false;
  bool is_long = false;  // computed as a sequence beyond the short context
};

class Sequences {
 public:
  Sequences(BlockStore& store, std::size_t capacity) : store_(&store), capacity_(capacity) {}

  Slot open(bool is_long);
  Slot fork(Slot slot);
  void close(Slot slot);
  Sequence& at(Slot slot);  // ModelError if the slot is not open
  const Sequence& at(Slot slot) const;
  // Blocks for `more` tokens at the end; ModelError when the memory is full.
  void reserve(Slot slot, std::size_t more);

 private:
  std::int32_t take_block();

  BlockStore* store_;
  std::size_t capacity_;  // in blocks
  std::vector<Sequence> sequences_;
  std::vector<Slot> free_slots_;
  std::vector<std::uint32_t> references_;  // by block
  std::vector<std::int32_t> free_blocks_;
};

}  // namespace synthema::detail
