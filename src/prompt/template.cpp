#include "synthema/prompt/template.hpp"

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

[[noreturn]] void refuse(const std::string& what, std::size_t at, const char* problem) {
  throw ConfigError({.column = at + 1, .field = what},
                    message("The template has ", problem,
                            "; write {field} for a field and {{ or }} for a brace of the text itself."));
}

std::string names_of(const Record& record) {
  std::string out;
  for (const auto& [name, value] : record) out += (out.empty() ? "'" : ", '") + name + "'";
  return out.empty() ? "none" : out;
}

}  // namespace

TextTemplate::TextTemplate(std::string_view text, std::string what) : what_(std::move(what)) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '{' && c != '}') {
      literals_.back() += c;
    } else if (at + 1 < text.size() && text[at + 1] == c) {
      literals_.back() += c;
      ++at;
    } else if (c == '}') {
      refuse(what_, at, "a closing brace without an opening one");
    } else {
      const std::size_t end = text.find_first_of("{}", at + 1);
      if (end == text.npos || text[end] == '{') refuse(what_, at, "an opening brace without a closing one");
      if (end == at + 1) refuse(what_, at, "a placeholder without a name");
      fields_.emplace_back(text.substr(at + 1, end - at - 1));
      literals_.emplace_back();
      at = end;
    }
  }
}

const Value& needed(const Record& record, const std::string& field, std::string_view what) {
  if (const Value* value = record.find(field)) return *value;
  throw ConfigError(
      {.field = field},
      message("The ", what, " asks for this field, but the record has only: ", names_of(record), "."));
}

std::string TextTemplate::render(const Record& record) const {
  std::string out = literals_.front();
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    out += needed(record, fields_[i], what_).display();
    out += literals_[i + 1];
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

Record with_text(Record condition, const std::string& field, std::string_view text) {
  condition.set(field, Value(text));
  return condition;
}

}  // namespace synthema
