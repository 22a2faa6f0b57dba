#include "src/cpu/huge_pages.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace synthema::cpu {

namespace {

constexpr std::size_t kPage = std::size_t{2} << 20, kCacheLine = 64;

constexpr std::size_t rounded_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

}  // namespace

HugePages huge_pages(std::size_t bytes) {
  bytes = rounded_up(bytes, kPage);
  void* const memory = std::aligned_alloc(kPage, bytes);
  if (!memory) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: a refusal costs speed only
#endif
  return HugePages(static_cast<std::byte*>(memory));
}

std::shared_ptr<std::byte> SharedPages::take(std::size_t bytes) {
  bytes = rounded_up(bytes, kCacheLine);
  if (bytes > size_ - used_) {
    size_ = std::max(bytes, kSlab);
    slab_ = std::shared_ptr<std::byte>(huge_pages(size_).release(), FreeMemory());
    used_ = 0;
  }
  std::byte* const piece = slab_.get() + used_;
  used_ += bytes;
  std::memset(piece, 0, bytes);
  return {slab_, piece};
}

}  // namespace synthema::cpu
