// Rules between the fields of one row, applied: a rule and an earlier value make a field narrower. Masks
// (what may be written) and checks (what was written) both go by this.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// The value as a number: of integers, reals, and of times in microseconds. A time may be given as its text.
std::optional<double> number_of(const Field& field, const Value& value);

// `field` of the schema as its rules leave it, given the values of the fields before it. Nothing: no value is
// left (a missing one still is where the field is nullable).
std::optional<Field> narrowed(const Schema& schema, const Field& field, const Record& values);

// The schema with the ranges that its unconditional rules leave: a value that a later field without missing
// values must reach cannot be beyond what that field can reach. SchemaError names a rule that can never hold,
// as ranges or labels exclude each other.
Schema with_reachable_ranges(Schema schema);

// Whether a row keeps a group rule of its schema; "unique" is a rule of tables and always kept, and so is
// "combinations" where none are listed.
bool keeps(const Schema& schema, const GroupRule& group, const Record& values);

// Values that stand together in some fields of a schema, compared as the fields' kinds say (1 is 1.0 of a
// real, a date is its time); missing is a value like any other.
class CombinationSet {
 public:
  CombinationSet(const Schema& schema, std::span<const std::string> fields);
  void add(std::span<const Value> values) { known_.insert(key_of(values)); }
  bool has(std::span<const Value> values) const { return known_.contains(key_of(values)); }
  std::size_t size() const { return known_.size(); }

 private:
  std::string key_of(std::span<const Value> values) const;

  std::vector<Field> fields_;
  std::unordered_set<std::string> known_;
};

// Sums of decimal numbers are compared with this much room, relative to the largest member.
inline constexpr double kSumTolerance = 1e-9;

}  // namespace synthema
