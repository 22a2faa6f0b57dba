// Whether a JSON text is one that a JSON Schema of our subset (json_schema.hpp) allows, however it is spelt.
// Rules ("x-rules") and the formats other than dates are not looked at.
#pragma once

#include <string>
#include <string_view>

#include "synthema/model/answer_form.hpp"

namespace synthema::detail {

// `forms`: of byte_vocabulary(), for patterns. ConfigError: the schema itself is broken.
bool fits_json_schema(AnswerForms& forms, const std::string& schema, std::string_view text);

}  // namespace synthema::detail
