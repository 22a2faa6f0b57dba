#if defined(__AVX2__)
#include "src/cpu/attention_impl.hpp"

namespace synthema::cpu {
extern const AttentionKernels attention_kernels_avx2;
const AttentionKernels attention_kernels_avx2 = kAttentionKernels;
}  // namespace synthema::cpu
#endif
