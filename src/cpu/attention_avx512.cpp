#if defined(__AVX512F__)
#include "src/cpu/attention_impl.hpp"

namespace synthema::cpu {
extern const AttentionKernels attention_kernels_avx512;
const AttentionKernels attention_kernels_avx512 = kAttentionKernels;
}  // namespace synthema::cpu
#endif
