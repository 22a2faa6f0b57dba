// A JSON Schema of our subset (json_schema.hpp) that is read once, to tell of many JSON texts whether it
// allows them, however they are spelt.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/data/strict_json.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"
#include "synthema/model/answer_form.hpp"

namespace synthema::detail {

class JsonFit {
 public:
  // ConfigError: the schema itself is broken.
  explicit JsonFit(const std::string& schema);

  // The text as JSON where the schema allows it, whatever its rules ("x-rules") say; nothing otherwise.
  // `forms`: of byte_vocabulary(), for patterns.
  std::optional<Json> read(AnswerForms& forms, std::string_view text) const;
  // The rules and the values between which they hold; no fields where there are none.
  const Schema& rules() const { return rules_; }

 private:
  Json root_;
  Schema rules_;
};

}  // namespace synthema::detail
