// Which vector instructions a kernel may use. Every kernel exists once as a template over its vector type and
// is compiled once per instruction set: <name>_portable.cpp, <name>_avx2.cpp, <name>_avx512.cpp, each with
// the flags that CMakeLists.txt gives to that suffix. All of them add in the same order and fuse the same
// multiply-adds, so their results are bitwise equal: a faster CPU changes no row.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace synthema::cpu {

enum class InstructionSet : std::uint8_t {
  portable,  // plain C++, any machine
  avx2,      // AVX2, FMA and F16C
  avx512,    // AVX-512 F, BW, DQ, VL and VNNI
  neon_dot   // AArch64 with the dot product of ARMv8.2; plain AArch64 is `portable`
};
constexpr std::string_view name_of(InstructionSet set) {
  constexpr std::string_view names[] = {"portable", "avx2", "avx512", "neon_dot"};
  return names[static_cast<int>(set)];
}

// Whether this CPU (and this build) can run such a kernel.
bool is_supported(InstructionSet set);
// The best of this machine, or the one that the environment variable SYNTHEMA_INSTRUCTION_SET names (to
// measure or to look for a fault; results are the same); decided once. ConfigError: it names none that runs
// here.
InstructionSet best_instruction_set();
// The same for a limit by name; null or "": none.
InstructionSet best_instruction_set(const char* limit);
// All that this machine can run, portable first: what tests compare with one another.
std::vector<InstructionSet> supported_instruction_sets();

}  // namespace synthema::cpu
