#include "src/cpu/block_memory.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace synthema::cpu {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20, kSlab = std::size_t{32} << 20;

std::byte* allocate(std::size_t bytes) {
  void* memory = std::aligned_alloc(kHugePage, bytes);
  if (!memory) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: a refusal costs speed only
#endif
  return static_cast<std::byte*>(memory);
}

}  // namespace

BlockMemory::BlockMemory(std::int64_t block_size)
    : size_(static_cast<std::size_t>(block_size)), per_slab_(std::max<std::size_t>(1, kSlab / size_)) {}

void BlockMemory::clear(std::int32_t block) {
  while (static_cast<std::size_t>(block) >= slabs_.size() * per_slab_)
    slabs_.emplace_back(allocate((per_slab_ * size_ + kHugePage - 1) / kHugePage * kHugePage));
  std::memset((*this)[block], 0, size_);
}

void BlockMemory::copy(std::int32_t from, std::int32_t to) {
  std::memcpy((*this)[to], (*this)[from], size_);
}

}  // namespace synthema::cpu
