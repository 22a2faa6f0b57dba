#include "src/cpu/row_kernels_impl.hpp"

namespace synthema::cpu {
extern const RowKernels row_kernels_portable;
const RowKernels row_kernels_portable = kRowKernels;
}  // namespace synthema::cpu
