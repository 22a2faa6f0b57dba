#if defined(__AVX2__)
#include "src/cpu/row_kernels_impl.hpp"

namespace synthema::cpu {
extern const RowKernels row_kernels_avx2;
const RowKernels row_kernels_avx2 = kRowKernels;
}  // namespace synthema::cpu
#endif
