// CSV as RFC 4180 has it: quotes, doubled quotes, newlines inside quotes, LF or CRLF, an optional UTF-8 mark
// at the start. What is broken (ragged rows, stray or unclosed quotes, bad numbers, bytes that are no UTF-8)
// is a ParseError with file, line, column and field, without the offending value.
//
// Missing is an unquoted field that equals a marker; a quoted one is a text (for numbers, times and booleans
// the quotes do not matter, and NA, N/A, NaN, NULL and "." are missing too). So null and the empty text both
// survive a round trip with a schema. Lists are JSON arrays in a field; a time without zone is written
// without 'Z', any other in UTC with 'Z'. Where no time of a column has a zone or a time of day, they are
// written as dates.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

// In which order dates that have day, month and a year of four digits are written, parted by '.', '/' or '-'.
// A date that begins with its year is read by all of them.
enum class DateOrder : std::uint8_t { year_first, day_first, month_first };

struct CsvOptions {
  char delimiter = ',';
  char decimal = '.';  // of numbers; ',' as in much of Europe: then a point is no part of a number
  DateOrder dates = DateOrder::year_first;  // read_csv only: they are written with the year first
  std::vector<std::string> missing = {""};  // unquoted texts that mean "no value"
  bool trim = false;                        // drop blanks around unquoted fields
  std::vector<std::string> header = {};     // column names of a file that has no header line
  // Null: kinds are inferred from all rows.
  const Schema* schema = nullptr;
  std::string file = {};  // name for messages
};

// Without a schema a column is, in this order: boolean (true/false), integer (no leading zeros: those are
// codes and stay text, and so do numbers of more digits than 64 bits hold), real, time (ISO 8601), category
// (short texts that repeat), text. A column without any value is text. An unnamed column (as pandas and R
// write for row names) is called column_N. Blank lines are skipped where there is more than one column. A
// single unquoted name that holds a comma, semicolon, tab or bar is a ParseError: the delimiter is another
// one.
Table read_csv(std::string_view text, const CsvOptions& options = {});
Table read_csv_file(const std::string& path, CsvOptions options = {});

// What a text holds, found without keeping it: its kinds as read_csv tells them (or the schema of the
// options), and how many rows. Its columns can then be read one at a time, each as read_csv reads it, where
// the table does not fit into memory; the text may be a mapped file.
struct CsvShape {
  Schema schema;
  std::size_t rows = 0;
};
CsvShape csv_shape(std::string_view text, const CsvOptions& options = {});
Table read_csv_column(std::string_view text, const CsvOptions& options, const CsvShape& shape,
                      std::string_view name);

// Always with a header line and LF. With the same schema and options read_csv gives the same table back; the
// name of a time zone is not kept, only that there was one.
void write_csv(const Table& table, std::ostream& out, const CsvOptions& options = {});

}  // namespace synthema
