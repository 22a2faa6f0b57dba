// What a draw does with a whole row of logits: the largest of each block, and sums of exponentials. Results
// are bitwise equal on every instruction set.
#pragma once

#include <cstddef>
#include <span>

#include "src/cpu/instruction_set.hpp"

namespace synthema::cpu {

// Draws look at blocks first and open only those that matter.
constexpr std::size_t kLogitBlock = 128;
constexpr std::size_t logit_blocks(std::size_t logits) {
  return (logits + kLogitBlock - 1) / kLogitBlock;
}

// largest[b] = the largest of block b. False if any logit is NaN; `largest` then means nothing.
bool block_maxima(std::span<const float> logits, std::span<float> largest,
                  InstructionSet set = best_instruction_set());

// The weight of a logit is e^((logit - top) * factor), with a relative error of about 1e-6 near 1 (2e-5 at
// 1e-38), and exactly 0 below 2^-126.5. Weights grow with their logits, and that of `top` is exactly 1.
void weigh(std::span<const float> logits, float top, float factor, std::span<float> weights,
           InstructionSet set = best_instruction_set());
// sums[b] = the sum of the weights of block b.
void block_sums(std::span<const float> logits, float top, float factor, std::span<float> sums,
                InstructionSet set = best_instruction_set());

}  // namespace synthema::cpu
