#include "src/cpu/row_kernels.hpp"

namespace synthema::cpu {

extern const RowKernels row_kernels_portable;
#if defined(__x86_64__)
extern const RowKernels row_kernels_avx2, row_kernels_avx512;
#endif

const RowKernels& row_kernels([[maybe_unused]] InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::avx2) return row_kernels_avx2;
  if (set == InstructionSet::avx512) return row_kernels_avx512;
#endif
  return row_kernels_portable;
}

}  // namespace synthema::cpu
