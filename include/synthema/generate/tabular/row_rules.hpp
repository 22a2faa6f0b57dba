// The ranges, labels and rules of a schema (data/field_rule.hpp) over coded columns: what a cell may be,
// given the cells of its row that are known already. A rule binds both ways: where the limited column is
// known first, it limits the other one. Columns that are drawn afresh or have no value are not bound.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema {

// Cells of one row by column; those that are not known are not read. NaN is missing.
struct KnownCells {
  std::span<const double> cells;
  std::span<const std::uint8_t> known;
};

// Cells that may stand together in some columns, one row after the other, all different.
struct Combinations {
  std::vector<std::size_t> columns;
  std::vector<double> cells;  // NaN: missing

  std::size_t size() const { return cells.size() / columns.size(); }
};

// Those that at least `rare_below` people have, of modelled columns. GenerationError where there is none.
Combinations combinations_of(const CodedTable& coded, std::vector<std::size_t> columns,
                             std::size_t rare_below);

class RowRules {
 public:
  RowRules() = default;
  // GenerationError where the schema leaves no value for a column, or none beside a label of another.
  RowRules(const Schema& schema, std::span<const ColumnCoding> columns,
           std::vector<Combinations> combinations = {});

  bool touches(std::size_t column) const { return !touching_.empty() && touching_[column]; }
  bool may_miss(std::size_t column) const { return own_.empty() || own_[column].nullable; }
  const std::vector<Combinations>& combinations() const { return combinations_; }
  // Columns that a rule wants to be drawn before this one.
  std::vector<std::size_t> before(std::size_t column) const;

  bool admits(std::size_t column, double cell, const KnownCells& row,
              std::span<const ColumnCoding> columns) const;
  // Smallest and largest number that is left, as cells; nothing where there is none.
  std::optional<std::pair<double, double>> range(std::size_t column, const KnownCells& row,
                                                 std::span<const ColumnCoding> columns) const;

 private:
  struct Own {
    double minimum, maximum;
    std::vector<bool> labels;  // that are allowed; empty: all
    bool nullable = true;
  };
  struct Rule {
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
  };

  bool combines(std::size_t which, std::size_t column, double cell, const KnownCells& row) const;
  bool holds(const Rule& rule, double given, std::span<const ColumnCoding> columns) const;
  bool keeps(const Rule& rule, double field, double given, std::span<const ColumnCoding> columns) const;
  void refuse_conflicts(std::span<const ColumnCoding> columns) const;

  std::vector<Own> own_;
  std::vector<Rule> rules_;
  std::vector<bool> touching_;
  std::vector<Combinations> combinations_;
  // By combination and place of a column in it: which have a cell there; missing is infinity.
  std::vector<std::vector<std::unordered_map<double, std::vector<std::uint32_t>>>> having_;
};

}  // namespace synthema
