#include "src/cpu/logits.hpp"

#include "src/cpu/logits_kernels.hpp"

namespace synthema::cpu {

static_assert(kBlock == kLogitBlock);

namespace {

const LogitKernels& kernels(InstructionSet set) {
  if (set == InstructionSet::avx512) return kLogitsAvx512;
  return set == InstructionSet::avx2 ? kLogitsAvx2 : kLogitsPortable;
}

}  // namespace

bool block_maxima(std::span<const float> logits, std::span<float> largest, InstructionSet set) {
  return kernels(set).block_maxima(logits.data(), logits.size(), largest.data());
}
void weigh(std::span<const float> logits, float top, float factor, std::span<float> weights,
           InstructionSet set) {
  kernels(set).weigh(logits.data(), logits.size(), top, factor, weights.data());
}
void block_sums(std::span<const float> logits, float top, float factor, std::span<float> sums,
                InstructionSet set) {
  kernels(set).block_sums(logits.data(), logits.size(), top, factor, sums.data());
}

}  // namespace synthema::cpu
