// One cell under the rules of the schema, given the cells of its row that are known: drawn, and how likely.
// What all methods share: a free draw that the rules refuse is followed by one from what they leave, so that
// the two together are a draw under the rules; a row that runs into a dead end is drawn again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/column_coding.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/row_rules.hpp"

namespace synthema::detail {

class ModelArrays;

struct RuledCell {
  const RowRules& rules;
  std::span<const ColumnCoding> columns;
  std::size_t column;
  KnownCells row;
  bool whole = false;   // never missing
  bool mixing = false;  // a refused value may be followed by a missing one, as by a label of its own
  // What is known of the row leaves nothing that is made otherwise: a number may be the next one on the grid
  // to an end that is left out, and else the cell is missing.
  bool forced = false;

  bool admits(double cell) const;
  // Whether the column's numbers are those that combinations list: they are drawn as they are, or not at all.
  bool is_listed() const;
  // Before the rules are asked. Numbers that are listed are not smoothed, which would have the rules refuse
  // all but the frequent ones.
  double draw_freely(const CodeCounts& from, const PhiloxBlock& random) const;
  // After the refused draw `free`: from the first of these counts that the rules leave a value of, else the
  // end of the range that is nearest to `free`, else missing; nothing where the rules leave no value. As many
  // cells are missing as were drawn so: a refused value is followed by another one (but in combinations, of
  // which missing is a part, and where the model takes missing for a label).
  std::optional<double> draw(std::span<const CodeCounts> from, double free, const Random& random,
                             std::uint64_t number_of_row) const;
  // Of a cell that is drawn freely from the first counts and, where it is refused, by `draw`. What the rules
  // leave is counted by the values of the counts: exact for labels, listed and frequent numbers. -infinity:
  // never.
  double log_density(std::span<const CodeCounts> from, double cell) const;
  // Whether samples of a number reach what the rules leave of it; if not, all draws are refused.
  bool is_reached() const;
  // The same of a cell that is drawn by `draw`.
  double density_redrawn(std::span<const CodeCounts> from, double cell) const;
  // The entries that the rules leave, and those of them that a refused draw is followed by.
  OwnedCounts left_of(const CodeCounts& from) const;
  OwnedCounts redrawn_of(const CodeCounts& from) const;
  // The only number that the rules leave, beside being missing.
  std::optional<double> determined() const;
  // The share of the rows of the counts that the rules leave, counted by values, of those with a code from
  // `first` to below `last`. Of numbers with more than `most` values that may be left, as many are looked
  // at, at even distances among their rows.
  double share_left(const CodeCounts& from, std::size_t most, std::uint32_t first = 0,
                    std::uint32_t last = std::numeric_limits<std::uint32_t>::max()) const;

 private:
  OwnedCounts left_of(const CodeCounts& from, bool present) const;
};

// The entry of a number that is drawn as it is, or of missing; nothing where there is none.
std::optional<std::size_t> listed_entry(const ColumnCoding& coding, const CodeCounts& counts, double cell);

// The cells of one row while it is drawn.
struct RowCells {
  std::vector<double> cells;
  std::vector<std::uint8_t> known;

  explicit RowCells(std::size_t columns) : cells(columns), known(columns) {}
  KnownCells view() const { return {cells, known}; }
  void forget() { std::fill(known.begin(), known.end(), std::uint8_t{0}); }
  void set(std::size_t column, double cell) {
    cells[column] = cell;
    known[column] = 1;
  }
};

inline constexpr std::uint64_t kMostAttempts = 100;
[[noreturn]] void fail_row(const ColumnCoding& stuck, std::uint64_t row);

// Calls try_row(random) until it gives nothing; what it gives is the column that was left no value.
// GenerationError after kMostAttempts.
template <class TryRow>
void draw_row(std::uint64_t row, const Random& random, std::span<const ColumnCoding> columns,
              const TryRow& try_row) {
  constexpr std::uint64_t kAttemptStream = 4;
  std::optional<std::size_t> stuck;
  for (std::uint64_t attempt = 0; attempt < kMostAttempts; ++attempt) {
    stuck = try_row(attempt == 0 ? random : random.stream(kAttemptStream).stream(attempt));
    if (!stuck) return;
  }
  fail_row(columns[*stuck], row);
}

// The columns that are drawn, in the order of the schema but for what rules want first.
std::vector<std::size_t> modelled_order(const RowRules& rules, std::span<const ColumnCoding> columns);

// The key of a row, for a set.
std::string key_of_row(std::span<const std::size_t> key, const std::vector<std::vector<double>>& cells,
                       std::size_t row);
[[noreturn]] void fail_key(std::span<const std::size_t> key, std::span<const ColumnCoding> columns,
                           std::size_t row);

// Draws each row again whose key an earlier row has, in the order of the rows: redraw(row, random) replaces
// its cells. GenerationError where 1,000 draws in a row have keys that are taken.
template <class Redraw>
void make_unique(const RowRules& rules, std::span<const ColumnCoding> columns,
                 const std::vector<std::vector<double>>& cells, const SampleRequest& request,
                 const Random& random, const Redraw& redraw) {
  constexpr std::uint64_t kStream = 5, kMostDraws = 1000;
  if (rules.keys().empty()) return;
  std::vector<std::unordered_set<std::string>> taken(rules.keys().size());
  for (std::size_t row = 0; row < request.rows; ++row) {
    if (row % 1024 == 0) request.cancel.check();
    for (std::uint64_t draw = 1;; ++draw) {
      std::size_t k = 0;
      while (k < taken.size() && !taken[k].contains(key_of_row(rules.keys()[k], cells, row))) ++k;
      if (k == taken.size()) break;
      if (draw > kMostDraws) fail_key(rules.keys()[k], columns, row);
      redraw(row, random.stream(kStream).stream(draw));
    }
    for (std::size_t k = 0; k < taken.size(); ++k) taken[k].insert(key_of_row(rules.keys()[k], cells, row));
  }
}

// Conditions that break the schema by themselves are found before the first row: GenerationError.
void refuse_contradictions(const RowRules& rules, std::span<const ColumnCoding> columns,
                           const CellConditions& conditions);

// The rules of a schema that was read from a file; ModelError where it leaves nothing to draw.
RowRules loaded_rules(const ModelArrays& file, const CodedTable& coded);

}  // namespace synthema::detail
