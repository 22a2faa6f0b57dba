#include "synthema/generate/checked_model.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "src/model/json_fit.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/json.hpp"
#include "synthema/generate/schema_check.hpp"

namespace synthema {

namespace {

std::optional<std::string> record_misfit(const Prompt& prompt, const std::string& text) {
  Record record;
  try {
    record = record_from_json(text);
  } catch (const ParseError&) {  // its message may show the text
    return "The answer is no JSON object of single values and lists.";
  }
  if (const auto misfit = schema_misfit(schema_from_json(prompt.record_schema), record))
    return "The answer does not fit the schema of the prompt. " + *misfit;
  return std::nullopt;
}

// What is wrong with the answer, in a sentence without any of it.
std::optional<std::string> misfit(AnswerForms& forms, const Prompt& prompt, const std::string& text) {
  for (std::size_t i = 0; i < prompt.banned.size(); ++i)
    if (text.find(prompt.banned[i]) != std::string::npos)
      return message("The answer holds a banned text (banned text ", i + 1, ").");
  if (!prompt.choices.empty() && std::ranges::find(prompt.choices, text) == prompt.choices.end())
    return "The answer is none of the choices of the prompt.";
  if (!prompt.pattern.empty() && !matches(forms, prompt.pattern, text))
    return "The answer does not match the regular expression of the prompt.";
  if (!prompt.json_schema.empty() && !detail::fits_json_schema(forms, prompt.json_schema, text))
    return "The answer is no JSON that the JSON Schema of the prompt allows.";
  return prompt.record_schema.empty() ? std::nullopt : record_misfit(prompt, text);
}

void cut_at_stop(const Prompt& prompt, Completion& completion) {
  std::size_t first = std::string::npos;
  for (const std::string& stop : prompt.stop) first = std::min(first, completion.text.find(stop));
  if (first == std::string::npos) return;
  completion.text.resize(first);
  completion.finish = Finish::stop;
}

}  // namespace

void check_answer(AnswerForms& forms, const Prompt& prompt, Completion& completion) {
  if (completion.finish == Finish::failed) return;
  if (!prompt.has_form()) cut_at_stop(prompt, completion);
  if (const auto why = misfit(forms, prompt, completion.text)) {
    completion.finish = Finish::failed;
    completion.failure = *why;
  }
}

}  // namespace synthema
