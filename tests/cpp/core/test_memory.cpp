#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "synthema/core/memory.hpp"

using namespace synthema;
namespace fs = std::filesystem;

namespace {

struct System {
  fs::path root = fs::temp_directory_path() / "synthema_test_memory";
  System() { fs::remove_all(root); }
  ~System() { fs::remove_all(root); }
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  }
};

}  // namespace

TEST_CASE("available memory is what the system or the tightest group of the process leaves") {
  const System system;
  CHECK_FALSE(available_memory(system.root));
  system.write("proc/meminfo", "MemTotal: 4000 kB\nMemFree: 100 kB\nMemAvailable: 3000 kB\nCached: 50 kB\n");
  CHECK(available_memory(system.root) == 3000 * 1024);

  system.write("proc/self/cgroup", "0::/job/step\n");
  system.write("sys/fs/cgroup/job/step/memory.max", "max\n");
  system.write("sys/fs/cgroup/job/step/memory.current", "5\n");
  CHECK(available_memory(system.root) == 3000 * 1024);

  system.write("sys/fs/cgroup/job/memory.max", "1000000\n");
  system.write("sys/fs/cgroup/job/memory.current", "900000\n");
  CHECK(available_memory(system.root) == 100000);
  system.write("sys/fs/cgroup/job/memory.stat", "anon 600000\ninactive_file 300000\n");
  CHECK(available_memory(system.root) == 400000);
  system.write("sys/fs/cgroup/job/memory.current", "2000000\n");
  CHECK(available_memory(system.root) == 0);

  system.write("sys/fs/cgroup/memory.max", "10\n");  // a container sees its own group as the top
  system.write("sys/fs/cgroup/memory.current", "3\n");
  system.write("sys/fs/cgroup/job/memory.current", "0\n");
  CHECK(available_memory(system.root) == 7);
}

TEST_CASE("this machine says what it has, where it is Linux") {
#if defined(__linux__)
  REQUIRE(available_memory());
  CHECK(*available_memory() > 1 << 20);
#endif
}

TEST_CASE("the peak is that of this process, in bytes") {
  const System system;
  system.write("proc/self/status", "Name:\ta b\nVmPeak:\t  9000 kB\nVmHWM:\t  3000 kB\nVmRSS:\t  2000 kB\n");
  CHECK(peak_memory(system.root) == 3000 * 1024);
  CHECK(peak_memory("/nowhere") > 1 << 20);  // what getrusage says
  const std::uint64_t before = peak_memory();
  const std::vector<char> held(64 << 20, 'x');
  CHECK(held.back() == 'x');
  CHECK(peak_memory() >= std::max<std::uint64_t>(before, 64 << 20));
}
