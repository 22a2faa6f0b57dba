#if defined(__AVX2__)
#include "src/cpu/distance_bounds_impl.hpp"

namespace synthema::cpu {
extern const DistanceBoundKernels distance_bounds_avx2;
const DistanceBoundKernels distance_bounds_avx2 = kDistanceBoundKernels;
}  // namespace synthema::cpu
#endif
