// A rule of a schema between two columns (data/field_rule.hpp) over their codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

struct CodedRule {
  std::size_t field = 0, given = 0;
  std::vector<bool> labels;     // of `given`, by code: the rule holds; empty: see `numbers`
  std::vector<double> numbers;  // of `given`, ascending: the rule holds
  bool by_label = false;
  double lowest, highest;
  int relation = 0;  // place in "<", "<=", "=", ">=", ">", "!="; -1: none
  double minimum, maximum;
  bool limits_labels = false;
  std::vector<bool> categories;    // of `field`, by code
  std::vector<std::int64_t> same;  // code of `field` with the label of a code of `given`, or -1

  // Whatever the given column is.
  bool is_unconditional() const;
  // Beside this cell of the given column.
  bool holds(double given_cell, std::span<const ColumnCoding> columns) const;
  bool keeps(double field_cell, double given_cell, std::span<const ColumnCoding> columns) const;
};

// Nothing of a rule that names a column which is not there, is drawn afresh or has no value.
std::optional<CodedRule> coded_rule(const Schema& schema, const FieldRule& from,
                                    std::span<const ColumnCoding> columns);

// By code, which labels are among these.
std::vector<bool> mask_of(const ColumnCoding& coding, const std::vector<std::string>& labels);

// Number of the field in the schema, which has it.
std::size_t number_of_field(const Schema& schema, const std::string& name);

}  // namespace synthema::detail
