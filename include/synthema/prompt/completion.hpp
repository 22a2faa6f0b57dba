// A Completion is a model's answer to one Prompt, with how it came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// How the tokens of a given answer compare with those that the model draws itself.
struct AnswerCheck {
  std::uint64_t same = 0;
  std::uint64_t near = 0;  // another one, but a change of the logits within the tolerance gives the given one
  std::uint64_t different = 0;  // what this model does not write

  AnswerCheck& operator+=(const AnswerCheck& other) {
    same += other.same, near += other.near, different += other.different;
    return *this;
  }
  friend bool operator==(const AnswerCheck&, const AnswerCheck&) = default;
};

struct Completion {
  std::string text;
  Finish finish = Finish::stop;
  TokenCounts tokens;
  std::optional<double>
      log_probability;  // sum over generated tokens, natural log, untempered; absent if not known
  std::string failure;  // a sentence, only for Finish::failed
  std::vector<std::int32_t> token_ids;  // all generated, the end id too if one was drawn; empty if not known
  std::vector<double> token_log_probabilities;  // of token_ids, where asked for; forced tokens have 0
  std::optional<AnswerCheck> check;             // only where the request gave the answer

  // Of the drawn tokens; 0 where all were forced, absent if not known.
  std::optional<double> mean_log_probability() const {
    const std::uint64_t drawn = tokens.free + tokens.masked;
    if (!log_probability) return std::nullopt;
    return drawn == 0 ? 0 : *log_probability / static_cast<double>(drawn);
  }

  friend bool operator==(const Completion&, const Completion&) = default;
};

}  // namespace synthema
