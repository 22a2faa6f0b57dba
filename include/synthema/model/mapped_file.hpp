// A file mapped read-only into memory: opening costs nothing, pages come in when they are touched.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "synthema/core/export.hpp"

namespace synthema {

class SYNTHEMA_EXPORT MappedFile {
 public:
  // ModelError if the file cannot be opened, is no regular file, or is empty.
  static MappedFile open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace synthema
