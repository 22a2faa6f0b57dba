// Memory that this process can still take, and the most that it has held.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace synthema {

namespace detail {

// The number after `key` in a file of lines "key number", or the file's only number where there is no key.
inline std::optional<std::uint64_t> number_in(const std::filesystem::path& file,
                                              const std::string& key = "") {
  std::ifstream in(file);
  std::string word;
  std::uint64_t number = 0;
  if (!key.empty())
    while (in >> word && word != key) {
    }
  return in >> number ? std::optional(number) : std::nullopt;
}

// What the group's own limit leaves; files that are cached count as free.
inline std::optional<std::uint64_t> left_in_group(const std::filesystem::path& group) {
  const auto most = number_in(group / "memory.max"), used = number_in(group / "memory.current");
  if (!most || !used) return std::nullopt;  // "max": no limit
  const std::uint64_t held =
      *used - std::min(*used, number_in(group / "memory.stat", "inactive_file").value_or(0));
  return *most - std::min(*most, held);
}

}  // namespace detail

// Asked before something large is made, because on Linux a request that cannot be met succeeds, and the
// process is killed later. In bytes: what the system has free or can free at once, or less where a control
// group (a container, a batch job; cgroup v2) has a limit. Nothing where the system does not say, as outside
// Linux. `root` is where the system's files are.
inline std::optional<std::uint64_t> available_memory(const std::filesystem::path& root = "/") {
  const auto free = detail::number_in(root / "proc/meminfo", "MemAvailable:");
  if (!free) return std::nullopt;
  std::uint64_t least = *free * 1024;
  std::ifstream groups(root / "proc/self/cgroup");
  const std::filesystem::path top = root / "sys/fs/cgroup";
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    for (std::filesystem::path at = line.substr(4);; at = at.parent_path()) {
      if (const auto left = detail::left_in_group(top / at)) least = std::min(least, *left);
      if (at.empty()) break;
    }
  }
  return least;
}

// The most resident memory that this process has held so far, in bytes. On Linux getrusage begins with the
// peak of the process that started this one, so that it is asked only where there is no /proc.
inline std::uint64_t peak_memory(const std::filesystem::path& root = "/") {
  if (const auto peak = detail::number_in(root / "proc/self/status", "VmHWM:")) return *peak * 1024;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#if defined(__APPLE__)
  constexpr std::uint64_t unit = 1;
#else
  constexpr std::uint64_t unit = 1024;
#endif
  return static_cast<std::uint64_t>(usage.ru_maxrss) * unit;
}

}  // namespace synthema
