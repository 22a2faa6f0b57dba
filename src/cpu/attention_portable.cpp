#include "src/cpu/attention_impl.hpp"

namespace synthema::cpu {
extern const AttentionKernels attention_kernels_portable;
const AttentionKernels attention_kernels_portable = kAttentionKernels;
}  // namespace synthema::cpu
