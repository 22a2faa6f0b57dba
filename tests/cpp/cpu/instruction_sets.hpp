// Runs a test on every instruction set of this machine, and says which it could not try.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "src/cpu/instruction_set.hpp"
#include "synthema/core/random.hpp"

namespace synthema::cpu {

template <class Test>
void on_every_instruction_set(Test test) {
  for (const InstructionSet set : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
    const std::string name(name_of(set));
    if (is_supported(set)) {
      INFO("instruction set " << name);
      test(set);
    } else {
      MESSAGE("skipped: this CPU or build has no " << name);
    }
  }
}

inline std::vector<float> random_floats(Random& random, std::size_t count, double spread = 2) {
  std::vector<float> out(count);
  for (float& x : out) x = static_cast<float>((random.uniform() - 0.5) * spread);
  return out;
}

inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace synthema::cpu
