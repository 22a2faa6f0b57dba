#include "src/cpu/distance_bounds_impl.hpp"

namespace synthema::cpu {
extern const DistanceBoundKernels distance_bounds_portable;
const DistanceBoundKernels distance_bounds_portable = kDistanceBoundKernels;
}  // namespace synthema::cpu
