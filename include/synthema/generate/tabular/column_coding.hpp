// How the tabular generators see a column: its different values as codes, learnt once from the real table,
// and how drawn values become a column again, with the same kind, resolution and missing values.
//
//   category, text, boolean   a code for each label that is handed on
//   real, integer, time       a code for each different value, on the grid that they share: integers and
//   times
//                             are origin + step * x (days stay days), reals of at most nine decimals x /
//                             10^d; other reals have no grid. Rounded to the schema's decimals where it
//                             names them.
//   identifier, subject       drawn afresh by the pattern of the real ones, never equal to a real one; so
//   are
//                             texts that no two rows share and whole numbers that count the rows. As many
//                             rows have none as in the real table, whatever else stands in them
//   without any value         stays so; so does a number that fewer than `rare_below` people have any of
//
// What protects single people, apart from anything that a model adds. People are rows, or subjects where the
// schema names a subject.
//   A label that fewer than `rare_below` people have is not handed on. Such a value of a boolean may be asked
//   for, since everybody knows both, and does not occur else. Nothing is missing in a column in which fewer
//   people have nothing. What the few have is coded as unknown; of missing numbers as that of another row.
//   A number that fewer than `rare_below` people have is not handed on as such: a value between its
//   neighbours in the leaf or group that it was drawn from is. So is one that more people have, where fewer
//   than `rare_below` rows of the leaf do and, in a column of more than 20 values, people do not round to it
//   (three times as frequent as the median of the ten places of the grid around it). One that a single person
//   has does not occur in a sample at all, unless the grid between the extremes leaves no other. Those of the
//   `rare_below` people with the highest numbers are drawn evenly from the lowest of them on, around their
//   mean but no farther than the mean of the farthest half of them, and no number beyond is; so at the other
//   end. Where the two ends meet, as in a column of less than twice as many people, rare numbers are drawn
//   evenly from the one to the other. In a list of particular numbers, which no new one should join, one of
//   the two neighbours that are frequent stands in, drawn so that the mean stays. Such a list is a column in
//   which frequent values make up 95 % of the rows, but
//     not where they are like a measurement, rounded: more than 20 of them, most one step of the grid apart,
//     and as frequent as the next one within a factor of three;
//     nor among rare values in a row that have more than twice the rows of the frequent ones at their ends:
//     those would pile up there, and cut off the tail of the column.
//   No person with many rows speaks for a value alone. Of a person with more than one in `rare_below` of the
//   rows with a label, or of those without a value, or with more than a third of the rows in a part of a
//   number (next), the surplus is coded as unknown; combinations are those of all rows.
//   Trees, networks and conditions tell of a number in which part of the column it lies, no more, whether
//   anybody has it or not. A part holds the values of at least `rare_below` people. A frequent value is one,
//   with all that is nearer to it than to the next frequent one; but where enough people have values between
//   the two, these make parts of their own, and all between belongs to them. So one person's value makes no
//   part, and moves no cut that lies beside a frequent value.
// A model holds the values of its training table. It is as confidential as that table; samples are what may
// be given away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

struct CodingOptions {
  std::size_t rare_below = 5;  // people
  std::size_t bins = 128;      // of a number as a predictor, at most 254
  std::size_t classes = 32;    // of a number as a target, 2 to 128
  std::size_t threads = 0;
};

enum class CodingForm : std::uint8_t { category, number, fresh, absent };
enum class Protection : std::uint8_t { none, rare, single };

struct ColumnCoding {
  Field field;
  CodingForm form = CodingForm::absent;
  bool missing = false;  // some value is

  // Categories, in the order of the real column's labels.
  std::vector<std::string> labels;
  std::vector<std::uint8_t> label_bins;  // by code; the bin and class of each
  std::vector<std::uint8_t> label_classes;
  bool ordered = false;
  bool pooled = false;  // some cell is unknown: its label, or its person, is not handed on

  // Numbers: x of each value, ascending.
  std::vector<double> values;
  // These stand for all between them: the ends of a noisy range, or points of a published distribution.
  bool interval = false;
  std::vector<Protection> protection;  // by code
  std::vector<std::uint8_t> replaced;  // by code: a frequent one stands in; empty: nowhere
  // By code: rows of counts from which on these give a frequent value as it is, and not one between its
  // neighbours; empty: from the first on.
  std::vector<std::uint32_t> exact_from;
  // Codes below `low_tail` and from `high_tail` on are those of the people at the ends; what is drawn for
  // them begins at `lowest` and ends with `highest`. Where few people have a value the tails meet, and rare
  // ones are drawn from all between.
  std::uint32_t low_tail = 0, high_tail = std::numeric_limits<std::uint32_t>::max();
  double lowest = 0, highest = 0;
  // Between parts, in x, ascending; a number at a cut lies below it. Bins and classes are of parts.
  std::vector<double> cuts;
  std::vector<std::uint8_t> part_bins, part_classes;
  // Codes that begin behind a gap, ascending: nothing is drawn inside of one. It lies between two parts and
  // is wider than all on each of its sides, as between dates and one that stands for none.
  std::vector<std::uint32_t> behind_gaps;
  bool grid = false;
  std::uint32_t decimals = 0;         // of reals on a grid
  std::int64_t origin = 0, step = 1;  // of integers, times and whole multiples of reals
  std::string zone;                   // of times

  // Identifiers: 'A', 'a', '9', 'h' and 'H' in the pattern stand for any letter, digit or hexadecimal digit,
  // '\\' for the next character.
  std::string pattern;
  std::vector<std::uint64_t> taken;  // hashes of the real ones, ascending
  std::uint64_t counted_from = 0;    // whole numbers that count rows go on from here; 0: by pattern
  double missing_share = 0;          // of rows without one, drawn apart from all other columns

  std::size_t codes() const { return form == CodingForm::category ? labels.size() : values.size(); }
  std::uint32_t missing_code() const { return static_cast<std::uint32_t>(codes()); }
  std::uint32_t pooled_code() const { return missing_code() + 1; }
  bool modelled() const { return form == CodingForm::category || form == CodingForm::number; }
  bool is_category() const { return form == CodingForm::category; }
  bool is_replaced(std::size_t code) const { return !replaced.empty() && replaced[code] != 0; }
  // Whether counts in which so many rows have the value give it as it is.
  bool is_exact(std::size_t code, std::uint32_t rows) const {
    return protection[code] == Protection::none && (exact_from.empty() || rows >= exact_from[code]);
  }

  std::size_t bins = 1;     // missing is the last, pooled labels the one before
  std::size_t classes = 1;  // missing is the first of a number's, the last of a category's
  std::uint8_t bin_of_code(std::uint32_t code) const;
  std::uint8_t class_of_code(std::uint32_t code) const;
  std::uint8_t bin_of(double cell) const;  // of a drawn cell
  // Of a number, whether anybody has it or not.
  std::size_t part_of(double cell) const;
  // Codes of the values in some parts in a row, from the first to below the second.
  std::pair<std::uint32_t, std::uint32_t> codes_in(std::size_t first_part, std::size_t last_part) const;

  // Cells: x of a number, the code of a category; NaN is missing.
  double number(double x) const;          // as it is written: a real, integer or time in microseconds
  double cell_of_number(double v) const;  // the inverse; off the grid where v is
};

// A part of the rows and what they have in the column: code by code ascending, with cumulative counts.
struct CodeCounts {
  std::span<const std::uint32_t> codes;
  std::span<const std::uint32_t> cumulative;

  std::uint32_t total() const { return cumulative.empty() ? 0 : cumulative.back(); }
  std::uint32_t rows_of(std::size_t entry) const {
    return cumulative[entry] - (entry == 0 ? 0 : cumulative[entry - 1]);
  }
};

// A cell drawn from such a part under the rules above; four 32-bit numbers decide it.
SYNTHEMA_EXPORT double draw_cell(const ColumnCoding& coding, const CodeCounts& counts,
                                 const PhiloxBlock& random);

// Whose row it is, by row: the number of the first row of the subject, or of the row where there is none.
std::vector<std::uint32_t> people_of(const Table& table);

// GenerationError where the schema's range of a number leaves some, but fewer than `rare_below` people, of a
// column with values outside: too few to make values from. Where nobody is left, see row_rules.hpp.
void refuse_few_in_range(const Table& table, std::size_t rare_below);

struct CodedTable {
  Schema schema;  // of what is generated
  std::vector<ColumnCoding> columns;
  std::vector<std::vector<std::uint32_t>> codes;  // by column, empty where it is not modelled; by row
  std::vector<std::uint32_t> people;              // whose row it is, by row
  std::size_t rows = 0;
};

// SchemaError: a list column; a free text that cannot be drawn; a column of which nothing may be handed on.
// GenerationError: fewer rows than `rare_below`, or a range as in refuse_few_in_range. ConfigError: options
// out of range.
SYNTHEMA_EXPORT CodedTable code_table(const Table& table, const CodingOptions& options);

// Sorted codes with cumulative counts; without pooled ones where anything else is left.
struct OwnedCounts {
  std::vector<std::uint32_t> codes, cumulative;
  CodeCounts view() const { return {codes, cumulative}; }
};
OwnedCounts count_codes(const ColumnCoding& coding, std::vector<std::uint32_t> codes);

// The column that these cells say. `row` is the number of the first one: identifiers depend on it.
SYNTHEMA_EXPORT Column decode_column(const ColumnCoding& coding, std::span<const double> cells,
                                     std::uint64_t rows, Random random);

}  // namespace synthema
