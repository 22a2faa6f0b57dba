#include "src/cpu/distance_bounds.hpp"

namespace synthema::cpu {

extern const DistanceBoundKernels distance_bounds_portable;
#if defined(__x86_64__)
extern const DistanceBoundKernels distance_bounds_avx2, distance_bounds_avx512;
#endif

const DistanceBoundKernels& distance_bound_kernels([[maybe_unused]] InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::avx2) return distance_bounds_avx2;
  if (set == InstructionSet::avx512) return distance_bounds_avx512;
#endif
  return distance_bounds_portable;
}

}  // namespace synthema::cpu
