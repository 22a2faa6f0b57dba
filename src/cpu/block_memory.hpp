// Main memory for the blocks of keys and values: in slabs of huge pages where the system has them, because
// attention walks over many blocks that lie apart (with 4 KiB pages half of its bandwidth is lost).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

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
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::size_t size_, per_slab_;
  std::vector<std::unique_ptr<std::byte[], Free>> slabs_;
};

}  // namespace synthema::cpu
