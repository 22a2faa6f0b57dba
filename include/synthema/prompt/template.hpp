// Text with {field} placeholders, filled from a Record; what all built-in strategies share. "{{" and "}}"
// stand for one brace.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

class SYNTHEMA_EXPORT TextTemplate {
 public:
  TextTemplate() = default;  // renders to nothing
  // ConfigError with the byte column for a brace without partner or an empty placeholder. `what` names the
  // template in messages ("instruction").
  explicit TextTemplate(std::string_view text, std::string what = "template");

  // Values as Value::display() shows them. ConfigError names an unknown field and those there are.
  std::string render(const Record& record) const;
  const std::vector<std::string>& fields() const { return fields_; }  // in order of appearance, with repeats
  bool empty() const { return fields_.empty() && literals_.front().empty(); }

 private:
  std::string what_;
  std::vector<std::string> literals_{""};  // one more than fields: literal, field, literal, ...
  std::vector<std::string> fields_;
};

// The value of a field. ConfigError says that `what` ("instruction") asks for it, and which fields there are.
const Value& needed(const Record& record, const std::string& field, std::string_view what);

// Without leading and trailing ASCII white space.
std::string_view trimmed(std::string_view text);

// The condition's fields followed by `field`: what the built-in strategies return as a row.
Record with_text(Record condition, const std::string& field, std::string_view text);

}  // namespace synthema
