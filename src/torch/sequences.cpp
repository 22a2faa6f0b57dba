#include "src/torch/sequences.hpp"

#include "src/cpu/attention.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

Slot Sequences::open(bool is_long) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<Slot>(sequences_.size()));
    sequences_.emplace_back();
  }
  const Slot slot = free_slots_.back();
  free_slots_.pop_back();
  sequences_[static_cast<std::size_t>(slot)].open = true;
  sequences_[static_cast<std::size_t>(slot)].is_long = is_long;
  return slot;
}

Slot Sequences::fork(Slot slot) {
  const Slot child = open(at(slot).is_long);
  const Sequence& parent = at(slot);
  Sequence& sequence = at(child);
  const auto whole = static_cast<std::size_t>(parent.length / cpu::kKeysPerBlock);
  for (std::size_t b = 0; b < whole; ++b) {
    ++references_[static_cast<std::size_t>(parent.blocks[b])];
    sequence.blocks.push_back(parent.blocks[b]);
  }
  sequence.length = static_cast<std::int64_t>(whole) * cpu::kKeysPerBlock;
  if (parent.length > sequence.length) {
    try {
      reserve(child, 1);
    } catch (...) {
      close(child);
      throw;
    }
    store_->copy(parent.blocks[whole], sequence.blocks[whole]);
    sequence.length = parent.length;
  }
  return child;
}

void Sequences::close(Slot slot) {
  Sequence& sequence = at(slot);
  for (const std::int32_t block : sequence.blocks)
    if (--references_[static_cast<std::size_t>(block)] == 0) free_blocks_.push_back(block);
  sequence = Sequence{};
  free_slots_.push_back(slot);
}

Sequence& Sequences::at(Slot slot) {
  if (slot < 0 || static_cast<std::size_t>(slot) >= sequences_.size() ||
      !sequences_[static_cast<std::size_t>(slot)].open)
    throw ModelError(message("Slot ", slot, " is not open; slots come from open() or fork()."));
  return sequences_[static_cast<std::size_t>(slot)];
}

const Sequence& Sequences::at(Slot slot) const {
  return const_cast<Sequences*>(this)->at(slot);
}

void Sequences::reserve(Slot slot, std::size_t more) {
  Sequence& sequence = at(slot);
  const std::size_t tokens = static_cast<std::size_t>(sequence.length) + more;
  while (sequence.blocks.size() * cpu::kKeysPerBlock < tokens) sequence.blocks.push_back(take_block());
}

std::int32_t Sequences::take_block() {
  if (free_blocks_.empty()) {
    if (references_.size() == capacity_)
      throw ModelError(message("The memory for keys and values is full (", capacity_ * cpu::kKeysPerBlock,
                               " tokens): use fewer slots, shorter prompts, or a larger kv_memory."));
    free_blocks_.push_back(static_cast<std::int32_t>(references_.size()));
    references_.push_back(0);
  }
  const std::int32_t block = free_blocks_.back();
  store_->clear(block);
  free_blocks_.pop_back();
  references_[static_cast<std::size_t>(block)] = 1;
  return block;
}

}  // namespace synthema::detail
