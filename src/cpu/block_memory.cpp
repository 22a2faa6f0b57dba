#include "src/cpu/block_memory.hpp"

#include <algorithm>
#include <cstring>

namespace synthema::cpu {

BlockMemory::BlockMemory(std::int64_t block_size)
    : size_(static_cast<std::size_t>(block_size)), per_slab_(std::max<std::size_t>(1, kSlab / size_)) {}

void BlockMemory::clear(std::int32_t block) {
  while (static_cast<std::size_t>(block) >= slabs_.size() * per_slab_)
    slabs_.push_back(huge_pages(per_slab_ * size_));
  std::memset((*this)[block], 0, size_);
}

void BlockMemory::copy(std::int32_t from, std::int32_t to) {
  std::memcpy((*this)[to], (*this)[from], size_);
}

}  // namespace synthema::cpu
