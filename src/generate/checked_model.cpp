#include "synthema/generate/checked_model.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "src/model/json_fit.hpp"
#include "src/model/json_schema.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/schema_check.hpp"
#include "synthema/model/answer_form.hpp"

namespace synthema {

namespace {

std::optional<std::string> record_misfit(const Schema& schema, const std::string& text) {
  Record record;
  try {
    record = record_from_json(text);
  } catch (const ParseError&) {  // its message may show the text
    return "The answer is no JSON object of single values and lists.";
  }
  if (const auto misfit = schema_misfit(schema, record))
    return "The answer does not fit the schema of the prompt. " + *misfit;
  return std::nullopt;
}

std::optional<std::string> json_misfit(const detail::JsonFit& schema, AnswerForms& forms,
                                       const std::string& text) {
  const auto value = schema.read(forms, text);
  if (!value) return "The answer is no JSON that the JSON Schema of the prompt allows.";
  const Schema& rules = schema.rules();
  if (const auto broken = broken_rule(rules, detail::ruled_values(*value, rules, rules.fields.size())))
    return "The answer does not fit the JSON Schema of the prompt. " + *broken;
  return std::nullopt;
}

// What was read of a text before, or is now.
template <class Read, class Maker>
const Read& read_once(std::unordered_map<std::string, Read>& known, const std::string& text,
                      const Maker& make) {
  constexpr std::size_t kMost = 256;
  const auto found = known.find(text);
  if (found != known.end()) return found->second;
  if (known.size() >= kMost) known.clear();
  return known.emplace(text, make(text)).first->second;
}

void cut_at_stop(const Prompt& prompt, Completion& completion) {
  std::size_t first = std::string::npos;
  for (const std::string& stop : prompt.stop) first = std::min(first, completion.text.find(stop));
  if (first == std::string::npos) return;
  completion.text.resize(first);
  completion.finish = Finish::stop;
}

}  // namespace

struct AnswerChecks::Impl {
  AnswerForms forms{byte_vocabulary()};
  std::unordered_map<std::string, detail::JsonFit> json;
  std::unordered_map<std::string, Schema> records;

  // What is wrong with the answer, in a sentence without any of it.
  std::optional<std::string> misfit(const Prompt& prompt, const std::string& text);
};

std::optional<std::string> AnswerChecks::Impl::misfit(const Prompt& prompt, const std::string& text) {
  for (std::size_t i = 0; i < prompt.banned.size(); ++i)
    if (text.find(prompt.banned[i]) != std::string::npos)
      return message("The answer holds a banned text (banned text ", i + 1, ").");
  if (!prompt.choices.empty() && std::ranges::find(prompt.choices, text) == prompt.choices.end())
    return "The answer is none of the choices of the prompt.";
  if (!prompt.pattern.empty() && !matches(forms, prompt.pattern, text))
    return "The answer does not match the regular expression of the prompt.";
  if (!prompt.json_schema.empty())
    return json_misfit(
        read_once(json, prompt.json_schema, [](const std::string& s) { return detail::JsonFit(s); }), forms,
        text);
  if (prompt.record_schema.empty()) return std::nullopt;
  return record_misfit(
      read_once(records, prompt.record_schema, [](const std::string& s) { return schema_from_json(s); }),
      text);
}

AnswerChecks::AnswerChecks() : impl_(std::make_unique<Impl>()) {}
AnswerChecks::AnswerChecks(AnswerChecks&&) noexcept = default;
AnswerChecks& AnswerChecks::operator=(AnswerChecks&&) noexcept = default;
AnswerChecks::~AnswerChecks() = default;

void AnswerChecks::check(const Prompt& prompt, Completion& completion) {
  if (completion.finish == Finish::failed) return;
  if (!prompt.has_form()) cut_at_stop(prompt, completion);
  if (const auto why = impl_->misfit(prompt, completion.text)) {
    completion.finish = Finish::failed;
    completion.failure = *why;
  }
}

}  // namespace synthema
