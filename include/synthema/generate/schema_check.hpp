// Whether one finished row fits its schema: the check that every run with a schema makes first.
#pragma once

#include <optional>
#include <string>

#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// The first misfit as a sentence that names the field and never the value: a missing value of a field that is
// not nullable, another kind, a number outside its range, an unknown category. Fields that the schema does
// not have are no misfit: they stay in the row's record and do not enter the table.
std::optional<std::string> schema_misfit(const Schema& schema, const Record& values);

}  // namespace synthema
