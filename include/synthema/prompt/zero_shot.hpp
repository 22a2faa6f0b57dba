// ZeroShot: one instruction, one answer. The instruction's {placeholders} come from the condition.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/prompt/prompt_strategy.hpp"
#include "synthema/prompt/template.hpp"

namespace synthema {

struct ZeroShotOptions {
  std::string instruction;                // template over the condition
  std::string system = {};                // template of a system message; empty: none. Chat form only
  std::string field = "text";             // where the answer goes
  bool chat = true;                       // false: the instruction is plain text to be continued
  std::vector<std::string> stop = {};     // the answer ends before the first of these
  std::optional<Sampling> sampling = {};  // else the run's
};

// The row is the condition's fields and the answer, without white space around it.
class ZeroShot {
 public:
  explicit ZeroShot(ZeroShotOptions options);  // ConfigError: broken template, no instruction

  std::string_view name() const { return "zero_shot"; }
  Exchange compose(Task task, Random random) const;
  PartOptions options() const;
  // The one question: templates rendered over `record`, with stop texts and sampling values.
  Prompt prompt(const Record& record) const;

 private:
  ZeroShotOptions options_;
  TextTemplate instruction_, system_;
};

static_assert(PromptStrategy<ZeroShot>);

}  // namespace synthema
