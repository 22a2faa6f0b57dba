#if defined(__AVX512F__)
#include "src/cpu/row_kernels_impl.hpp"

namespace synthema::cpu {
extern const RowKernels row_kernels_avx512;
const RowKernels row_kernels_avx512 = kRowKernels;
}  // namespace synthema::cpu
#endif
