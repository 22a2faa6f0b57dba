// A group of a schema that is one-hot, exclusive or a sum, over coded columns.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

// What a column may be by itself.
struct OwnRange {
  double minimum, maximum;
  std::vector<bool> labels;  // that are allowed; empty: all
  bool nullable = true;
};

struct CodedGroup {
  std::string kind;
  std::vector<std::size_t> fields;
  std::size_t total = 0;  // of a sum
  std::string text;       // for errors

  bool is_sum() const { return kind == "sum"; }
  bool has_field(std::size_t column) const;
  bool binds(std::size_t column) const { return has_field(column) || (is_sum() && column == total); }
  bool keeps(std::size_t column, double cell, const KnownCells& row, std::span<const ColumnCoding> columns,
             std::span<const OwnRange> own) const;
  // What a member of a sum may be, given the others that are known.
  std::pair<double, double> room(std::size_t column, const KnownCells& row,
                                 std::span<const ColumnCoding> columns, std::span<const OwnRange> own) const;
  // What a number of a one-hot or exclusive group may be: zero where another member is set, and not zero
  // where none other is or can be. All where nothing follows, or it is not zero in any row.
  std::pair<double, double> room_of_member(std::size_t column, const KnownCells& row,
                                           std::span<const ColumnCoding> columns) const;

 private:
  struct Others {
    bool set = false, open = false;  // whether one is
  };
  Others others_of(std::size_t column, const KnownCells& row, std::span<const ColumnCoding> columns) const;
};

}  // namespace synthema::detail
