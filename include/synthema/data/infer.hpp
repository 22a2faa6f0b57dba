// The schema that plain records suggest by the types of their values.
#pragma once

#include <span>

#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// Fields in order of first appearance. Integers mixed with reals are real; texts stay text; a field without
// any value is text. SchemaError where one field holds values of kinds that do not mix.
Schema schema_of_records(std::span<const Record> records);

}  // namespace synthema
