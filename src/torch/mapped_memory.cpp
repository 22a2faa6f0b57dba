#include "src/torch/mapped_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

std::size_t whole_pages(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

[[noreturn]] void fail(const std::string& folder, const char* what, int error) {
  throw ConfigError({.field = "spill"}, message("In the folder '", folder, "' ", what, ": ",
                                                std::strerror(error), "; name another one."));
}

}  // namespace

MappedMemory::MappedMemory(const std::string& folder) : folder_(folder) {
#ifdef O_TMPFILE
  file_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
#endif
  if (file_ < 0) {  // a file system without files that have no name
    std::string name = folder + "/.synthema-XXXXXX";
    file_ = ::mkstemp(name.data());  // for the user alone: 0600
    if (file_ < 0) fail(folder, "no file can be made", errno);
    ::unlink(name.c_str());
  }
}

MappedMemory::~MappedMemory() {
  ::close(file_);
}

void MappedMemory::put_away(const void* begin, std::size_t bytes) const {
  void* const from = const_cast<void*>(begin);
  ::msync(from, whole_pages(bytes), MS_SYNC);
  ::madvise(from, whole_pages(bytes), MADV_DONTNEED);  // of the process; the file keeps them
}

void* MappedMemory::do_allocate(std::size_t bytes, std::size_t) {
  const std::size_t size = whole_pages(bytes);
  // Reserved at once: a disk that fills up later would end the process.
  if (const int error = ::posix_fallocate(file_, static_cast<off_t>(size_), static_cast<off_t>(size)))
    fail(folder_, "the coded table does not fit", error);
  void* const out =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, static_cast<off_t>(size_));
  if (out == MAP_FAILED) fail(folder_, "no memory can be mapped", errno);
  size_ += size;
  return out;
}

void MappedMemory::do_deallocate(void* begin, std::size_t bytes, std::size_t) {
  ::munmap(begin, whole_pages(bytes));
}

}  // namespace synthema::detail
