#if defined(__AVX512F__)
#include "src/cpu/distance_bounds_impl.hpp"

namespace synthema::cpu {
extern const DistanceBoundKernels distance_bounds_avx512;
const DistanceBoundKernels distance_bounds_avx512 = kDistanceBoundKernels;
}  // namespace synthema::cpu
#endif
