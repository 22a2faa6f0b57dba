// Whether one finished row fits its schema: the check that every run with a schema makes first. Or whether
// what is given of a row can.
#pragma once

#include <optional>
#include <string>

#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// The first misfit as a sentence that names the field and never the value: a missing value of a field that is
// not nullable, another kind, a number outside its range, an unknown category, a field that neither the
// schema nor the condition of the row has.
std::optional<std::string> schema_misfit(const Schema& schema, const Record& values,
                                         const Record& condition = {});

// What a row that will have these values cannot make good any more, as such a sentence: one that does not fit
// its field, or two that break a rule.
std::optional<std::string> given_misfit(const Schema& schema, const Record& given);

// The first rule that the values break, as such a sentence.
std::optional<std::string> broken_rule(const Schema& schema, const Record& values);

// Leaves fields that are NaN or an infinity, or lists with one, without a value, as no table can hold them;
// says of one of them that it was so.
std::optional<std::string> drop_not_finite(Record& values);

}  // namespace synthema
