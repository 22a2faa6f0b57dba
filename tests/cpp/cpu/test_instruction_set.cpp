#include <doctest/doctest.h>

#include "src/cpu/instruction_set.hpp"
#include "synthema/core/error.hpp"

namespace synthema::cpu {
namespace {

TEST_CASE("the best instruction set is the last supported one, or what the user names") {
  const auto supported = supported_instruction_sets();
  CHECK(supported.front() == InstructionSet::portable);
  CHECK(best_instruction_set(nullptr) == supported.back());
  CHECK(best_instruction_set("") == supported.back());
  for (const InstructionSet set : supported)
    CHECK(best_instruction_set(std::string(name_of(set)).c_str()) == set);
}

TEST_CASE("a name that does not run here is an error that lists those that do") {
  try {
    best_instruction_set("sse9");
    FAIL("accepted");
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    CHECK(text.find("'sse9'") != std::string::npos);
    CHECK(text.find("portable") != std::string::npos);
    CHECK(text.ends_with("."));
  }
  const InstructionSet foreign =
      is_supported(InstructionSet::neon_dot) ? InstructionSet::avx2 : InstructionSet::neon_dot;
  CHECK_THROWS_AS(best_instruction_set(std::string(name_of(foreign)).c_str()), ConfigError);
}

}  // namespace
}  // namespace synthema::cpu
