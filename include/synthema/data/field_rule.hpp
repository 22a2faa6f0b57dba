// Rules between the fields of one row, applied: a rule and an earlier value make a field narrower. Masks
// (what may be written) and checks (what was written) both go by this.
#pragma once

#include <optional>

#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// The value as a number: of integers, reals, and of times in microseconds. A time may be given as its text.
std::optional<double> number_of(const Field& field, const Value& value);

// `field` of the schema as its rules leave it, given the values of the fields before it. Nothing: no value is
// left (a missing one still is where the field is nullable).
std::optional<Field> narrowed(const Schema& schema, const Field& field, const Record& values);

// Whether a row keeps a group rule of its schema; "unique" is a rule of tables and always kept.
bool keeps(const Schema& schema, const GroupRule& group, const Record& values);

// Sums of decimal numbers are compared with this much room, relative to the largest member.
inline constexpr double kSumTolerance = 1e-9;

}  // namespace synthema
