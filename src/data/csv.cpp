#include "synthema/data/csv.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "src/data/number_text.hpp"
#include "src/data/text_reading.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/utf8.hpp"

namespace synthema {

namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // U+FEFF at the start of a file

struct Cell {
  std::string text;
  bool quoted = false;
  std::uint64_t line = 0, column = 0;  // of the first byte
};

// Splits text into rows of cells. Knows nothing of kinds.
class CsvParser {
 public:
  CsvParser(std::string_view text, const CsvOptions& options) : text_(text), options_(options) {
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
      throw ParseError({.file = options.file}, "The file is UTF-16; save it as UTF-8.");
    if (text_.starts_with(kMark)) at_ = line_start_ = kMark.size();
  }

  // The cells of the next row; false at the end.
  bool next(std::vector<Cell>& row) {
    row.clear();
    if (at_ >= text_.size()) return false;
    do row.push_back(cell());
    while (take(options_.delimiter));
    end_of_row();
    return true;
  }
  std::uint64_t line() const { return line_; }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Location here() const { return {.file = options_.file, .line = line_, .column = at_ - line_start_ + 1}; }

  Cell cell() {
    Cell out;
    out.line = line_;
    out.column = at_ - line_start_ + 1;
    out.quoted = take('"');
    out.text = out.quoted ? quoted_text() : plain_text();
    if (const auto bad = first_invalid_utf8(out.text))
      throw ParseError({.file = options_.file, .line = out.line, .column = out.column},
                       message("The field that starts here is not valid UTF-8 (byte ", *bad + 1,
                               " of it); convert the file to UTF-8."));
    return out;
  }
  std::string plain_text() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != options_.delimiter && text_[at_] != '\n' &&
           text_[at_] != '\r') {
      if (text_[at_] == '"')
        throw ParseError(here(),
                         "A quote stands inside an unquoted field; quote the whole field and double the "
                         "quotes in it.");
      ++at_;
    }
    const std::string_view found = text_.substr(begin, at_ - begin);
    return std::string(options_.trim ? detail::trimmed(found) : found);
  }
  std::string quoted_text() {
    Location opened = here();
    --opened.column;  // the quote is behind us
    std::string out;
    for (;;) {
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos)
        throw ParseError(opened, "The quote that opens here is never closed.");
      count_lines(end);
      out += text_.substr(at_, end - at_);
      at_ = end + 1;
      if (!take('"')) return out;
      out += '"';
    }
  }
  void count_lines(std::size_t end) {
    for (std::size_t i = at_; i < end; ++i)
      if (text_[i] == '\n') ++line_, line_start_ = i + 1;
  }
  void end_of_row() {
    if (at_ >= text_.size()) return;
    const Location where = here();
    if (take('\r') && (at_ >= text_.size() || text_[at_] != '\n'))
      throw ParseError(where,
                       "A carriage return stands alone; end lines with LF or CRLF and quote fields that "
                       "hold one.");
    if (!take('\n'))
      throw ParseError(where, "Text follows a closing quote; a quote inside a field is doubled.");
    ++line_;
    line_start_ = at_;
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint64_t line_ = 1;
};

void check_options(const CsvOptions& options) {
  if (options.delimiter == '"' || options.delimiter == '\n' || options.delimiter == '\r')
    throw ConfigError({.field = "delimiter"}, "The delimiter cannot be a quote or the end of a line.");
  if (static_cast<unsigned char>(options.delimiter) >= 0x80)
    throw ConfigError({.field = "delimiter"}, "The delimiter must be an ASCII character.");
  if (options.decimal != '.' && options.decimal != ',')
    throw ConfigError({.field = "decimal"},
                      "Numbers have a decimal point or a decimal comma; the option must be one.");
  if (options.decimal == options.delimiter)
    throw ConfigError({.field = "decimal"},
                      "The same character cannot separate columns and decimals; files with a decimal comma "
                      "mostly have semicolons between columns.");
}

// What a file may separate its columns by. A name that holds one is written in quotes, and a file whose only
// name holds one without quotes was most likely read with the wrong delimiter.
constexpr std::string_view kUsualDelimiters = ",;\t|";

void check_delimiter(const std::vector<Cell>& header, const CsvOptions& options) {
  if (header.size() != 1 || header[0].quoted) return;
  const std::size_t at = header[0].text.find_first_of(kUsualDelimiters);
  if (at == std::string::npos) return;
  const char other = header[0].text[at];
  const std::string name = other == '\t' ? "a tab" : message("'", other, "'");
  throw ParseError(
      {.file = options.file, .line = 1},
      message("The file has a single column, whose name holds ", name, "; if that separates columns, give ",
              name, " as the delimiter, else quote the name."));
}

// Of a file that is blank, or that begins with a blank line of a spreadsheet, the names would be made up.
void check_not_blank(const std::vector<Cell>& header, const CsvOptions& options) {
  for (const Cell& cell : header)
    if (cell.quoted || !detail::trimmed(cell.text).empty()) return;
  throw ParseError({.file = options.file, .line = 1},
                   "The first line names no column; begin the file with a header line of column names.");
}

// The names are not told: of a file without a header line they would be somebody's values.
void check_names(const std::vector<std::string>& names, const CsvOptions& options) {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const auto [first, fresh] = seen.try_emplace(names[i], i); !fresh)
      throw ParseError(
          {.file = options.file, .line = 1},
          message("Columns ", first->second + 1, " and ", i + 1,
                  " of the header have the same name, and every column needs a name of its own; a file "
                  "without a header line needs its names as the option 'header'."));
}

// A table's rows as they come: names, then rows of exactly as many cells.
class CsvRows {
 public:
  CsvRows(std::string_view text, const CsvOptions& options) : parser_(text, options), options_(options) {
    names_ = options.header;
    std::vector<Cell> first;
    if (names_.empty()) {
      if (!parser_.next(first))
        throw ParseError({.file = options.file},
                         "The file is empty; a header line with column names is needed.");
      check_delimiter(first, options);
      check_not_blank(first, options);
      for (Cell& cell : first)
        names_.push_back(cell.text.empty() ? message("column_", names_.size() + 1) : std::move(cell.text));
    }
    check_names(names_, options);
  }
  const std::vector<std::string>& names() const { return names_; }

  bool next(std::vector<Cell>& row) {
    do
      if (!parser_.next(row)) return false;
    while (names_.size() > 1 && row.size() == 1 && row[0].text.empty() && !row[0].quoted);
    if (row.size() != names_.size())
      throw ParseError({.file = options_.file, .line = row[0].line},
                       message("The row has ", counted(row.size(), "field"), ", but the file has ",
                               counted(names_.size(), "column"), "."));
    return true;
  }
  Location place(const Cell& cell, std::size_t column) const {
    return {.file = options_.file, .line = cell.line, .column = cell.column, .field = names_[column]};
  }
  bool is_marker(const std::string& text) const {
    return std::find(options_.missing.begin(), options_.missing.end(), text) != options_.missing.end();
  }

 private:
  CsvParser parser_;
  const CsvOptions& options_;
  std::vector<std::string> names_;
};

constexpr const char* kNotFinite =
    "The number is not finite, or beyond what a real holds. Leave the field empty for a missing value, or "
    "give "
    "the column another kind in a schema.";

Value number_from(std::string_view text, const Location& where) {
  if (const auto integer = detail::whole_number<std::int64_t>(text)) return *integer;
  if (const auto real = detail::finite_number(text)) return *real;
  if (detail::beyond_finite(text)) throw ParseError(where, kNotFinite);
  throw ParseError(where, "The field holds no finite number.");
}

Value boolean_from(std::string_view text, const Location& where) {
  if (const auto value = detail::truth(text)) return *value;
  if (text == "1" || text == "0") return text == "1";
  throw ParseError(where, "The field holds no boolean; write true or false (or 1 or 0).");
}

detail::WrittenForm form_of(const CsvOptions& options) {
  return {options.decimal, options.dates};
}

Value value_of(const Cell& cell, const Field& field, bool marker, const CsvOptions& options,
               const Location& where) {
  const bool textual = field.kind == Kind::text || field.kind == Kind::category;
  if (marker && !(cell.quoted && textual)) return {};
  const std::string_view bare = detail::trimmed(cell.text);
  if (!textual && field.kind != Kind::list && detail::stands_for_missing(bare)) return {};
  const detail::WrittenForm form = form_of(options);
  std::string room;
  switch (field.kind) {
    case Kind::real:
      if (const auto real = detail::finite_number(form.number(bare, room))) return *real;
      [[fallthrough]];  // says what is wrong
    case Kind::integer:
      return number_from(form.number(bare, room), where);
    case Kind::time:
      return std::string(form.time(bare, room));
    case Kind::boolean:
      return boolean_from(bare, where);
    case Kind::list:
      return value_from_json(cell.text, where);
    default:
      return cell.text;
  }
}

CsvShape infer(std::string_view text, const CsvOptions& options) {
  CsvRows rows(text, options);
  std::size_t count = 0;
  std::vector<detail::TextKind> guesses(rows.names().size(), detail::TextKind(true, form_of(options)));
  std::vector<std::optional<Location>> infinite(guesses.size());  // the first of each column
  for (std::vector<Cell> row; rows.next(row); ++count)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (rows.is_marker(row[i].text) && !row[i].quoted) continue;
      const bool finite_so_far = !guesses[i].saw_infinite();
      guesses[i].see(row[i].text);
      if (finite_so_far && guesses[i].saw_infinite()) infinite[i] = rows.place(row[i], i);
    }
  for (std::size_t i = 0; i < guesses.size(); ++i)
    if (guesses[i].holds_infinite_numbers()) throw ParseError(*infinite[i], kNotFinite);
  Schema schema;
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    Field field;
    field.name = rows.names()[i];
    field.kind = guesses[i].kind();
    schema.fields.push_back(std::move(field));
  }
  return {std::move(schema), count};
}

// Whether half of the names are fields of the schema. The first line of a file without a header holds
// somebody's values, which no message may tell.
bool is_header(const std::vector<std::string>& names, const Schema& schema) {
  const auto known =
      std::ranges::count_if(names, [&](const std::string& name) { return schema.find(name) != nullptr; });
  return 2 * static_cast<std::size_t>(known) >= names.size();
}

[[noreturn]] void refuse_column(std::size_t column, const CsvRows& rows, const Schema& schema,
                                const CsvOptions& options) {
  if (is_header(rows.names(), schema))
    throw ParseError({.file = options.file, .line = 1, .field = rows.names()[column]},
                     "The file has this column, but the schema has no such field.");
  throw ParseError(
      {.file = options.file, .line = 1},
      message("Column ", column + 1,
              " of the header is no field of the schema, and neither are most others. Is the first line a "
              "header? A file without one needs its names as the option 'header'."));
}

// For each column of the file its place in the schema.
std::vector<std::size_t> places(const CsvRows& rows, const Schema& schema, const CsvOptions& options) {
  std::vector<std::size_t> out;
  for (std::size_t column = 0; column < rows.names().size(); ++column) {
    const Field* field = schema.find(rows.names()[column]);
    if (!field) refuse_column(column, rows, schema, options);
    out.push_back(static_cast<std::size_t>(field - schema.fields.data()));
  }
  for (const Field& field : schema.fields)
    if (std::find(rows.names().begin(), rows.names().end(), field.name) == rows.names().end())
      throw ParseError({.file = options.file, .line = 1, .field = field.name},
                       "The schema has this field, but the file has no such column.");
  return out;
}

Table read_with(const Schema& schema, std::string_view text, const CsvOptions& options) {
  schema.check();
  CsvRows rows(text, options);
  const auto order = places(rows, schema, options);
  std::vector<detail::PlacedColumn> columns(schema.fields.begin(), schema.fields.end());
  for (std::vector<Cell> row; rows.next(row);)
    for (std::size_t i = 0; i < row.size(); ++i) {
      detail::PlacedColumn& column = columns[order[i]];
      const Location where = rows.place(row[i], i);
      const bool marker = rows.is_marker(row[i].text);
      column.append(value_of(row[i], column.field(), marker, options, where), where);
    }
  std::vector<Column> done;
  for (detail::PlacedColumn& column : columns) done.push_back(column.finish());
  return Table(schema, std::move(done));
}

// --- writing

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string field_text(const std::string& text, const CsvOptions& options) {
  const bool marker =
      std::find(options.missing.begin(), options.missing.end(), text) != options.missing.end();
  const bool special = text.find_first_of(std::string("\"\r\n") + options.delimiter) != std::string::npos;
  const bool blank_edge = detail::trimmed(text).size() != text.size();
  const bool bare = !text.empty() && !marker && !special && !blank_edge && !text.starts_with(kMark);
  return bare ? text : quoted(text);
}

std::string name_text(const std::string& name, const CsvOptions& options) {
  const bool delimits = name.find_first_of(kUsualDelimiters) != std::string::npos;
  return delimits ? quoted(name) : field_text(name, options);
}

// Unquoted, so it must be a marker itself.
std::string missing_text(const CsvOptions& options) {
  if (options.missing.empty())
    throw ConfigError({.field = "missing"},
                      "The table has missing values; name a text that stands for them.");
  return options.missing.front();
}

std::string cell_text(const Column& column, std::size_t row, bool days, const CsvOptions& options) {
  if (column.is_null(row)) return missing_text(options);
  if (column.kind() == Kind::text || column.kind() == Kind::category)
    return field_text(std::string(column.text_at(row)), options);
  if (column.kind() == Kind::time) return detail::time_text(column, row, days);
  std::string text = detail::cell_json(column, row);
  if (column.kind() == Kind::real) std::ranges::replace(text, '.', options.decimal);
  return field_text(text, options);
}

}  // namespace

Table read_csv(std::string_view text, const CsvOptions& options) {
  check_options(options);
  return read_with(options.schema ? *options.schema : infer(text, options).schema, text, options);
}

CsvShape csv_shape(std::string_view text, const CsvOptions& options) {
  check_options(options);
  if (!options.schema) return infer(text, options);
  options.schema->check();
  CsvRows rows(text, options);
  static_cast<void>(places(rows, *options.schema, options));
  CsvShape out{*options.schema, 0};
  for (std::vector<Cell> row; rows.next(row);) ++out.rows;
  return out;
}

Table read_csv_column(std::string_view text, const CsvOptions& options, const CsvShape& shape,
                      std::string_view name) {
  check_options(options);
  CsvRows rows(text, options);
  const auto at = static_cast<std::size_t>(std::ranges::find(rows.names(), name) - rows.names().begin());
  detail::PlacedColumn column(shape.schema.at(name));
  for (std::vector<Cell> row; rows.next(row);) {
    const Location where = rows.place(row.at(at), at);
    const bool marker = rows.is_marker(row[at].text);
    column.append(value_of(row[at], column.field(), marker, options, where), where);
  }
  Schema schema;
  schema.fields = {column.field()};
  std::vector<Column> done;
  done.push_back(column.finish());
  return Table(std::move(schema), std::move(done));
}

Table read_csv_file(const std::string& path, CsvOptions options) {
  if (options.file.empty()) options.file = path;
  return read_csv(detail::file_text(path), options);
}

void write_csv(const Table& table, std::ostream& out, const CsvOptions& options) {
  check_options(options);
  const auto& fields = table.schema().fields;
  const auto end_of = [&](std::size_t i) { return i + 1 < fields.size() ? options.delimiter : '\n'; };
  for (std::size_t i = 0; i < fields.size(); ++i) out << name_text(fields[i].name, options) << end_of(i);
  const std::vector<bool> days = detail::columns_of_days(table);
  for (std::size_t row = 0; row < table.rows(); ++row)
    for (std::size_t i = 0; i < fields.size(); ++i)
      out << cell_text(table.column(i), row, days[i], options) << end_of(i);
  if (!out) throw Error("The CSV text could not be written completely; is the disk full?");
}

}  // namespace synthema
