// Memory on a disk: large arrays in a file that nobody else can open, which the system may write out and read
// back as it needs the memory. The file has no name from the start, or loses it at once, and is gone with the
// process, whatever ends it.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <string>

#include "synthema/core/export.hpp"

namespace synthema::detail {

class SYNTHEMA_EXPORT MappedMemory : public std::pmr::memory_resource {
 public:
  // ConfigError where no file can be made in the folder.
  explicit MappedMemory(const std::string& folder);
  ~MappedMemory() override;
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  // Pages of an array that is not needed for a while are written out and no longer count as the process's.
  void put_away(const void* begin, std::size_t bytes) const;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* begin, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  std::string folder_;
  int file_ = -1;
  std::size_t size_ = 0;
};

}  // namespace synthema::detail
