// Main memory in huge pages where the system has them: what walks over many megabytes again and again loses
// half of its bandwidth with pages of 4 KiB.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace synthema::cpu {

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using HugePages = std::unique_ptr<std::byte[], FreeMemory>;

constexpr std::size_t kSlab = std::size_t{32} << 20;  // bytes that are asked for at once

// At least `bytes`, not set to anything; pages that nobody touches cost nothing. std::bad_alloc.
HugePages huge_pages(std::size_t bytes);

// Hands out pieces of slabs, so that pieces smaller than a page share one. A slab lives as long as one of its
// pieces. Not for several threads at once.
class SharedPages {
 public:
  // Zeroes, from a cache line on. std::bad_alloc.
  std::shared_ptr<std::byte> take(std::size_t bytes);

 private:
  std::shared_ptr<std::byte> slab_;
  std::size_t size_ = 0, used_ = 0;
};

}  // namespace synthema::cpu
