// A Completion is a model's answer to one Prompt, with how it came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"

namespace synthema {

enum class Finish : std::uint8_t {
  stop,        // a stop text or an end-of-text token
  length,      // max_tokens or the context limit
  constraint,  // the constraint was complete
  failed       // the model could not answer (see `failure`); counts as a rejected attempt
};
constexpr std::string_view name_of(Finish finish) {
  constexpr std::string_view names[] = {"stop", "length", "constraint", "failed"};
  return names[static_cast<int>(finish)];
}

struct TokenCounts {
  std::uint64_t prompt = 0;
  std::uint64_t free = 0;    // drawn from the whole vocabulary
  std::uint64_t masked = 0;  // drawn under a mask that left at least two ids
  std::uint64_t forced = 0;  // the only id that a mask allowed

  std::uint64_t generated() const { return free + masked + forced; }
  TokenCounts& operator+=(const TokenCounts& other) {
    prompt += other.prompt, free += other.free, masked += other.masked, forced += other.forced;
    return *this;
  }
  friend bool operator==(const TokenCounts&, const TokenCounts&) = default;
};

struct Completion {
  std::string text;
  Finish finish = Finish::stop;
  TokenCounts tokens;
  std::optional<double>
      log_probability;  // sum over generated tokens, natural log, untempered; absent if not known
  std::string failure;  // a sentence, only for Finish::failed

  friend bool operator==(const Completion&, const Completion&) = default;
};

}  // namespace synthema
