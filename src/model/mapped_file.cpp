#include "synthema/model/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw ModelError(Location{.file = path}, what);
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

MappedFile MappedFile::open(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) fail(path, message("The file cannot be opened: ", std::strerror(errno), "."));
  struct stat about{};
  if (::fstat(file.number, &about) != 0 || !S_ISREG(about.st_mode)) fail(path, "This is not a regular file.");
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size == 0) fail(path, "The file is empty.");
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (start == MAP_FAILED) fail(path, message("The file cannot be mapped: ", std::strerror(errno), "."));
  return MappedFile({static_cast<const std::byte*>(start), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace synthema
