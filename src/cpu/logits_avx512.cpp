#include "src/cpu/logits_kernels.hpp"

namespace synthema::cpu {

#if defined(__AVX512F__)
extern const LogitKernels kLogitsAvx512 = Logits<Vectors64>::kernels;
#else
extern const LogitKernels kLogitsAvx512 = Logits<Vectors16>::kernels;  // never chosen
#endif

}  // namespace synthema::cpu
