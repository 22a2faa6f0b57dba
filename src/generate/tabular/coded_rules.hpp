// All that a schema says of coded columns: what is behind RowRules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "src/generate/tabular/coded_group.hpp"
#include "src/generate/tabular/coded_rule.hpp"
#include "src/generate/tabular/combination_index.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

struct CodedRules {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  std::vector<OwnRange> own;
  std::vector<CodedRule> rules;
  std::vector<CodedGroup> groups;
  std::vector<CombinationIndex> combinations;
  std::vector<std::vector<std::size_t>> keys;
  std::vector<std::uint8_t> touching, combined;  // by column
  std::vector<std::vector<std::size_t>> bound;   // by column

  // GenerationError where combinations are listed of which no value may be handed on, or there are none.
  CodedRules(const Schema& schema, std::span<const ColumnCoding> columns);
  CodedRules() = default;

  // Without asking the combinations with the number `skipped`.
  bool admits(std::size_t column, double cell, const KnownCells& row, std::span<const ColumnCoding> columns,
              std::size_t skipped = kNone) const;
  std::optional<std::pair<double, double>> range(std::size_t column, const KnownCells& row,
                                                 std::span<const ColumnCoding> columns) const;

 private:
  void add_own(std::span<const ColumnCoding> columns);
  void add_group(const Schema& schema, const GroupRule& from, std::span<const ColumnCoding> columns);
  void add_combinations(const Schema& schema, const GroupRule& group, std::span<const ColumnCoding> columns);
  void note_bound();
};

}  // namespace synthema::detail
