// A Prompt is one question to a model: chat messages or plain text to continue, with what limits the answer.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/prompt/sampling.hpp"

namespace synthema {

struct Message {
  Message() = default;
  Message(std::string role_, std::string text_) : role(std::move(role_)), text(std::move(text_)) {}
  std::string role;  // "system", "user" or "assistant"
  std::string text;
  friend bool operator==(const Message&, const Message&) = default;
};

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

  // Chained limits: Prompt::plain(...).until("\n"), or one form of the answer: among, matching or json. A
  // form ends by itself; stop texts do not cut it short.
  Prompt&& until(std::string stop_text) && {
    stop.push_back(std::move(stop_text));
    return std::move(*this);
  }
  Prompt&& among(std::vector<std::string> strings) && {
    choices = std::move(strings);
    return std::move(*this);
  }
  // A regular expression that the whole answer matches.
  Prompt&& matching(std::string regex) && {
    pattern = std::move(regex);
    return std::move(*this);
  }
  // JSON text that a JSON Schema allows.
  Prompt&& json(std::string schema) && {
    json_schema = std::move(schema);
    return std::move(*this);
  }
  // A JSON object with the fields of a schema, in their order, under its rules.
  Prompt&& json(const Schema& schema) && {
    record_schema = to_json(schema);
    return std::move(*this);
  }
  Prompt&& with(Sampling values) && {
    sampling = values;
    return std::move(*this);
  }

  bool is_plain() const { return messages.empty(); }
  bool has_form() const {
    return !choices.empty() || !pattern.empty() || !json_schema.empty() || !record_schema.empty();
  }

  std::vector<Message> messages;  // chat; empty: `text` is used
  std::string text;               // plain text to continue
  std::vector<std::string> stop;  // the answer ends before the first of these; they are not part of it
  // The form of the answer (at most one of these is not empty).
  std::vector<std::string> choices;  // exactly one of these
  std::string pattern;               // a regular expression
  std::string json_schema;           // a JSON Schema
  std::string record_schema;         // a Schema in its JSON form
  std::optional<Sampling> sampling;  // replaces the run's values for this question

  friend bool operator==(const Prompt&, const Prompt&) = default;
};

}  // namespace synthema
