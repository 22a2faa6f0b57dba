#include "src/cpu/logits_kernels.hpp"

namespace synthema::cpu {

extern const LogitKernels kLogitsPortable = Logits<Vectors16>::kernels;

}  // namespace synthema::cpu
