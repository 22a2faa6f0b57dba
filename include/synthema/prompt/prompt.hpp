// A Prompt is one question to a model: chat messages or plain text to continue, with what limits the answer.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/prompt/sampling.hpp"

namespace synthema {

class AnyTokenConstraint;  // of the room model

// A constraint that the prompt brings along (model/token_constraint.hpp): every answer begins with a copy of
// it, reset. What has the same name allows the same answers; the name is part of a row's digest.
struct BroughtConstraint {
  std::string name = {};
  std::shared_ptr<const AnyTokenConstraint> prototype = {};
  friend bool operator==(const BroughtConstraint& a, const BroughtConstraint& b) { return a.name == b.name; }
};

struct Message {
  Message() = default;
  Message(std::string role_, std::string text_) : role(std::move(role_)), text(std::move(text_)) {}
  std::string role;  // "system", "user" or "assistant"
  std::string text;
  friend bool operator==(const Message&, const Message&) = default;
};

// What no model could keep to: a ConfigError, where it is given and where a model is asked.
inline void check_stop(const std::string& text) {
  if (text.empty()) throw ConfigError({.field = "stop"}, "A stop text is empty; it would end every answer.");
}
inline void check_banned(const std::vector<std::string>& texts) {
  if (std::ranges::find(texts, std::string()) != texts.end())
    throw ConfigError({.field = "banned"}, "A banned text is empty; nothing could be written.");
}
inline void check_bias(double bias) {
  constexpr double most = std::numeric_limits<float>::max();
  if (!(bias <= most) || (bias < -most && std::isfinite(bias)))
    throw ConfigError({.field = "bias"},
                      "A bias must be a finite number of 32 bits, or -infinity to forbid a token.");
}

// Not an aggregate: g++ 12 destroys aggregates built in the operand of co_await twice.
class SYNTHEMA_EXPORT Prompt {
 public:
  Prompt() = default;
  explicit Prompt(std::vector<Message> messages_) : messages(std::move(messages_)) {}

  // One user message; the model's chat template goes around it.
  static Prompt user(std::string text) { return Prompt({Message("user", std::move(text))}); }
  static Prompt chat(std::string system, std::string text) {
    return Prompt({Message("system", std::move(system)), Message("user", std::move(text))});
  }
  // Text to be continued as it stands, without any chat template: the form for small and base models.
  static Prompt plain(std::string text) {
    Prompt prompt;
    prompt.text = std::move(text);
    return prompt;
  }

  // Chained limits: Prompt::plain(...).until("\n"), or one form of the answer: among, matching, json or
  // under. A form ends by itself; stop texts do not cut it short. An empty form is a ConfigError: it would be
  // a prompt without one.
  Prompt&& until(std::string stop_text) && {
    check_stop(stop_text);
    stop.push_back(std::move(stop_text));
    return std::move(*this);
  }
  Prompt&& among(std::vector<std::string> strings) && {
    refuse(strings.empty(), "choices", "A choice needs at least one string.");
    choices = std::move(strings);
    return std::move(*this);
  }
  // Beside what was forbidden or biased before.
  Prompt&& without(const std::vector<std::string>& texts) && {
    check_banned(texts);
    banned.insert(banned.end(), texts.begin(), texts.end());
    return std::move(*this);
  }
  Prompt&& with_bias(const std::map<std::string, double>& by_text) && {
    for (const auto& [token_text, number] : by_text) {
      check_bias(number);
      bias[token_text] = number;
    }
    return std::move(*this);
  }
  // A regular expression that the whole answer matches.
  Prompt&& matching(std::string regex) && {
    refuse(regex.empty(), "pattern", "The regular expression is empty; only an empty answer fits it.");
    pattern = std::move(regex);
    return std::move(*this);
  }
  // JSON text that a JSON Schema allows.
  Prompt&& json(std::string schema) && {
    refuse(schema.empty(), "json_schema", "The JSON Schema is empty; write one, or give a Schema.");
    json_schema = std::move(schema);
    return std::move(*this);
  }
  // A JSON object with the fields of a schema, in their order, under its rules.
  Prompt&& json(const Schema& schema) && {
    record_schema = to_json(schema);
    return std::move(*this);
  }
  // What a constraint of your own allows, in the tokens of the model that is asked. Unlike the other forms it
  // is cut at max_tokens.
  Prompt&& under(BroughtConstraint brought) && {
    refuse(!brought.prototype, "constraint", "The constraint has nothing that says what is allowed.");
    constraint = std::move(brought);
    return std::move(*this);
  }
  Prompt&& with(Sampling values) && {
    sampling = values;
    return std::move(*this);
  }

  bool is_plain() const { return messages.empty(); }
  bool has_form() const { return has_written_form() || constraint.prototype; }
  // One that stands in the prompt as text.
  bool has_written_form() const {
    return !choices.empty() || !pattern.empty() || !json_schema.empty() || !record_schema.empty();
  }

  std::vector<Message> messages;    // chat; empty: `text` is used
  std::string text;                 // plain text to continue
  std::vector<std::string> stop;    // the answer ends before the first of these; they are not part of it
  std::vector<std::string> banned;  // none of these can occur in the answer, however it is split into tokens
  // Added to the logits of the tokens with exactly this text, or of the control token of this name; finite,
  // or -infinity to forbid them.
  std::map<std::string, double> bias;
  // The form of the answer (at most one of these is not empty).
  std::vector<std::string> choices;  // exactly one of these
  std::string pattern;               // a regular expression
  std::string json_schema;           // a JSON Schema
  std::string record_schema;         // a Schema in its JSON form
  BroughtConstraint constraint;      // of your own
  std::optional<Sampling> sampling;  // replaces the run's values for this question

  friend bool operator==(const Prompt&, const Prompt&) = default;

 private:
  static void refuse(bool is_empty, const char* field, const char* why) {
    if (is_empty) throw ConfigError({.field = field}, why);
  }
};

}  // namespace synthema
