// What the columns of a table mean: kinds, roles, units, ranges, and the terms under which the data may be
// used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/export.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

enum class Kind : std::uint8_t { real, integer, category, boolean, text, time, list };
enum class Role : std::uint8_t { identifier, subject, label, time, target, sensitive };

std::string_view name_of(Kind kind);    // "real", "integer", ...
std::string_view name_of(Role role);    // "identifier", "subject", ...
Kind kind_from(std::string_view name);  // SchemaError names the allowed words
Role role_from(std::string_view name);

struct Field {
  std::string name = {};
  Kind kind = Kind::text;
  std::vector<Role> roles = {};  // none: an ordinary feature
  std::string description = {};
  std::string unit = {};  // UCUM where possible ("mg/dL"); empty: none
  std::optional<double> minimum =
      {};  // inclusive; real, integer and (in microseconds) time; JSON may say a date
  std::optional<double> maximum = {};
  std::vector<std::string> categories = {};  // allowed labels of a category, in their order; empty: any
  std::string code_system = {};              // "HPO", "ICD-10-CM", ...; empty: none
  bool nullable = true;
  Kind item = Kind::text;                            // kind of the elements of a list
  std::optional<std::uint32_t> minimum_length = {};  // of a text in characters, of a list in elements
  std::optional<std::uint32_t> maximum_length = {};
  std::optional<std::uint32_t> decimals = {};  // of a real when it is written, 0 to 9

  bool has(Role role) const {
    for (const Role r : roles)
      if (r == role) return true;
    return false;
  }
  friend bool operator==(const Field&, const Field&) = default;
};

// What a field may be, given an earlier field of the same row (field_rule.hpp): a discharge that is not
// before the admission, diagnoses that depend on the sex, a range that depends on the age.
struct FieldRule {
  std::string field = {};  // what is limited
  std::string given = {};  // stands before it in the schema. A rule says nothing where either is missing
  // When the rule holds: `given` is one of these (as Value::display() shows it), or lies in this range, both
  // ends included (time in microseconds). Neither: always.
  std::vector<std::string> labels = {};
  std::optional<double> lowest = {};
  std::optional<double> highest = {};
  // What must then be true of the field; at least one of these.
  std::string relation = {};  // to `given`: "<", "<=", "=", ">=" or ">"; "=" and "!=" for categories
  std::optional<double> minimum = {};
  std::optional<double> maximum = {};
  std::vector<std::string> categories = {};

  friend bool operator==(const FieldRule&, const FieldRule&) = default;
};

// What several fields of a row must be together. A field that is missing is not set; a sum with a missing
// member says nothing.
struct GroupRule {
  // "one_hot": exactly one of the fields is set (true, or not zero)
  // "exclusive": at most one is
  // "sum": `total` is the sum of the fields
  // "unique": no two rows of a table have the same values in all of the fields
  // "combinations": the values of the fields stand together in one of `rows`, or, where none are listed, in a
  //   row of the real table. Missing is a value like any other here.
  std::string kind = {};
  std::vector<std::string> fields = {};  // boolean or numbers; of the last two anything but lists
  std::string total = {};                // of "sum" only
  std::vector<ValueList> rows = {};      // of "combinations": values in the order of the fields

  friend bool operator==(const GroupRule&, const GroupRule&) = default;
};

// Field names are unique and not empty, ranges are not reversed, at most one field is the subject: `check`
// says so.
struct Schema {
  std::string name = {};
  std::vector<Field> fields = {};
  std::vector<FieldRule> rules = {};
  std::vector<GroupRule> groups = {};
  std::string source = {};        // where the data come from, with version
  std::string licence = {};       // SPDX identifier or a name
  std::string terms = {};         // what the source asks of users (citation, no redistribution, ...)
  std::string language = "en";    // BCP 47
  bool may_leave_machine = true;  // false: no remote endpoint may ever see a row

  const Field* find(std::string_view name) const;
  const Field& at(std::string_view name) const;  // SchemaError names the fields that exist
  std::vector<const Field*> with_role(Role role) const;
  const Field* subject() const;  // the subject column, or null
  void check() const;            // SchemaError on the first inconsistency
  friend bool operator==(const Schema&, const Schema&) = default;
};

// JSON form, version 1: keys are the member names above, enumerations by name, defaults left out.
std::string to_json(const Schema& schema);
Schema schema_from_json(std::string_view json, const std::string& file = {});  // ParseError, SchemaError

}  // namespace synthema
