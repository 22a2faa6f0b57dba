#include "src/cpu/logits_kernels.hpp"

namespace synthema::cpu {

#if defined(__AVX2__)
extern const LogitKernels kLogitsAvx2 = Logits<Vectors32>::kernels;
#else
extern const LogitKernels kLogitsAvx2 = Logits<Vectors16>::kernels;  // never chosen
#endif

}  // namespace synthema::cpu
