// Rows as JSON text between a strategy and a model: how exemplars are shown, what is asked for, and how the
// answer is read. The spelling is the one that the masks of model/answer_form.hpp enforce.
#pragma once

#include <string>
#include <string_view>

#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// What a model is asked for under a condition: the schema without the fields that the condition has. Those
// that a rule of another field depends on stay, fixed to the condition's value, so that the rule holds.
// ConfigError if nothing is left to ask, if a field's range leaves no value that can be written, or if a rule
// depends on a list of the condition. A boolean is fixed as the label "true" or "false".
Schema asked_fields(const Schema& schema, const Record& condition);

// The condition with its values in the kinds of the schema's fields, where they can be: a number is a label
// of a category, 0 and 1 are booleans, 71.0 is an integer.
Record in_kinds(const Schema& schema, Record condition);

// The fields of the schema as one JSON object, in the spelling of their masks; null where the record has
// none. Times are dates, with the time of day where the field's unit is "s".
std::string record_text(const Schema& schema, const Record& record);

// The condition with the fields of an answer. ParseError if the answer is no JSON object.
Record with_answer(Record condition, const Schema& asked, std::string_view answer);

}  // namespace synthema
