// Main memory for the blocks of keys and values: in slabs of huge pages, because attention walks over many
// blocks that lie apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/cpu/huge_pages.hpp"

namespace synthema::cpu {

class BlockMemory {
 public:
  explicit BlockMemory(std::int64_t block_size);  // in bytes

  std::byte* operator[](std::int32_t block) const {
    const auto index = static_cast<std::size_t>(block);
    return slabs_[index / per_slab_].get() + index % per_slab_ * size_;
  }
  // All zero; takes memory where the block had none. std::bad_alloc.
  void clear(std::int32_t block);
  void copy(std::int32_t from, std::int32_t to);

 private:
  std::size_t size_, per_slab_;
  std::vector<HugePages> slabs_;
};

}  // namespace synthema::cpu
