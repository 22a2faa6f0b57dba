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
  std::string unit = {};               // UCUM where possible ("mg/dL"); empty: none
  std::optional<double> minimum = {};  // inclusive; real, integer and (in microseconds) time
  std::optional<double> maximum = {};
  std::vector<std::string> categories = {};  // allowed labels of a category, in their order; empty: any
  std::string code_system = {};              // "HPO", "ICD-10-CM", ...; empty: none
  bool nullable = true;
  Kind item = Kind::text;  // kind of the elements of a list

  bool has(Role role) const {
    for (const Role r : roles)
      if (r == role) return true;
    return false;
  }
  friend bool operator==(const Field&, const Field&) = default;
};

// Field names are unique and not empty, ranges are not reversed, at most one field is the subject: `check`
// says so.
struct Schema {
  std::string name = {};
  std::vector<Field> fields = {};
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
