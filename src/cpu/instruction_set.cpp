#include "src/cpu/instruction_set.hpp"

#include <algorithm>
#include <cstdlib>

#include "synthema/core/error.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace synthema::cpu {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

bool has_f16c() {  // not every compiler's __builtin_cpu_supports knows it
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

}  // namespace
#endif

bool is_supported(InstructionSet set) {
#if defined(__x86_64__) && defined(__GNUC__)
  const auto avx2 = [] {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  };
  const auto avx512 = [] {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
  };
  if (set == InstructionSet::avx2) return avx2();
  if (set == InstructionSet::avx512) return avx2() && avx512();
#elif defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long dot_product = 1UL << 20;  // HWCAP_ASIMDDP
  if (set == InstructionSet::neon_dot) return (getauxval(AT_HWCAP) & dot_product) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  if (set == InstructionSet::neon_dot) return true;
#endif
  return set == InstructionSet::portable;
}

std::vector<InstructionSet> supported_instruction_sets() {
  std::vector<InstructionSet> out;
  for (const InstructionSet set :
       {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512, InstructionSet::neon_dot})
    if (is_supported(set)) out.push_back(set);
  return out;
}

InstructionSet best_instruction_set(const char* limit) {
  const std::vector<InstructionSet> supported = supported_instruction_sets();
  if (limit == nullptr || *limit == '\0') return supported.back();
  const auto found = std::ranges::find(supported, std::string_view(limit), name_of);
  if (found != supported.end()) return *found;
  std::string names;
  for (const InstructionSet set : supported) names += message(names.empty() ? "" : ", ", name_of(set));
  throw ConfigError(message("SYNTHEMA_INSTRUCTION_SET is '", limit,
                            "', which this machine or build cannot run; set it to one of ", names,
                            " or leave it unset."));
}

InstructionSet best_instruction_set() {
  static const InstructionSet best = best_instruction_set(std::getenv("SYNTHEMA_INSTRUCTION_SET"));
  return best;
}

}  // namespace synthema::cpu
