#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <memory_resource>
#include <numeric>
#include <string>
#include <vector>

#include "src/torch/mapped_memory.hpp"
#include "synthema/core/error.hpp"

namespace synthema {
namespace {

using detail::MappedMemory;

struct Folder {
  std::filesystem::path path;
  explicit Folder(const char* name) : path(std::filesystem::temp_directory_path() / name) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST_CASE("arrays keep what was written when their pages are put away, and each has its own") {
  const Folder folder("synthema_test_mapped_memory_kept");
  MappedMemory memory(folder.path.string());
  std::pmr::vector<std::uint32_t> numbers(100'000, &memory);
  std::pmr::vector<std::uint8_t> bytes(5000, std::uint8_t{7}, &memory);  // of a page and a part of one
  std::iota(numbers.begin(), numbers.end(), 3U);
  memory.put_away(numbers.data(), numbers.size() * sizeof(std::uint32_t));
  memory.put_away(bytes.data(), bytes.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) wrong += numbers[i] != i + 3;
  for (const std::uint8_t byte : bytes) wrong += byte != 7;
  CHECK(wrong == 0);

  // They can be written again, also into what grew.
  numbers[99'999] = 1;
  numbers.resize(300'000, 5U);
  memory.put_away(numbers.data(), numbers.size() * sizeof(std::uint32_t));
  CHECK(numbers[0] == 3);
  CHECK(numbers[99'999] == 1);
  CHECK(numbers[299'999] == 5);
  CHECK(bytes[4999] == 7);
}

TEST_CASE("a file for memory has no name, while it is used and afterwards") {
  const Folder folder("synthema_test_mapped_memory_nameless");
  {
    MappedMemory memory(folder.path.string());
    const std::pmr::vector<std::uint8_t> bytes(1 << 16, std::uint8_t{1}, &memory);
    memory.put_away(bytes.data(), bytes.size());
    CHECK(std::filesystem::is_empty(folder.path));
  }
  CHECK(std::filesystem::is_empty(folder.path));
}

TEST_CASE("a folder that is not there is refused in a sentence that names it") {
  try {
    const MappedMemory memory("/no/such/folder");
    FAIL("accepted");
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    CHECK(text.find("'spill'") != std::string::npos);
    CHECK(text.find("'/no/such/folder'") != std::string::npos);
    CHECK(text.ends_with("name another one."));
  }
}

TEST_CASE("an array that does not fit is refused before anything is written to it") {
  const Folder folder("synthema_test_mapped_memory_full");
  MappedMemory memory(folder.path.string());
  // More than a file may have: posix_fallocate says so at once.
  CHECK_THROWS_AS(static_cast<void>(memory.allocate(std::size_t{1} << 62, 1)), ConfigError);
}

}  // namespace
}  // namespace synthema
