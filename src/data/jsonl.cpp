#include "synthema/data/jsonl.hpp"

#include <algorithm>

#include "src/data/record_cells.hpp"
#include "src/data/schema_guess.hpp"
#include "src/data/text_reading.hpp"

namespace synthema {

namespace {

// Calls visit(record, place) for every line that is not blank.
template <class Visit>
void each_line(std::string_view text, const JsonlOptions& options, const Visit& visit) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Location where{.file = options.file};
  while (!text.empty()) {
    ++where.line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!detail::trimmed(line).empty()) visit(record_from_json(line, where), where);
  }
}

Schema infer(std::string_view text, const JsonlOptions& options) {
  detail::SchemaGuess guess(detail::Texts::told_apart);
  each_line(text, options, [&](const Record& record, const Location& where) {
    try {
      guess.see(record, where);
    } catch (const SchemaError& error) {
      throw ParseError(error.where(), detail::bare_message(error));
    }
  });
  return guess.schema();
}

Table read_with(const Schema& schema, std::string_view text, const JsonlOptions& options) {
  schema.check();
  std::vector<detail::PlacedColumn> columns(schema.fields.begin(), schema.fields.end());
  detail::RecordCells cells(schema);
  each_line(text, options, [&](const Record& record, Location where) {
    const auto values = cells.of(record, [&](const std::string& name) {
      where.field = name;
      throw ParseError(where, "The record has this key, but the schema has no such field.");
    });
    for (std::size_t i = 0; i < values.size(); ++i) {
      where.field = columns[i].field().name;
      columns[i].append(*values[i], where);
    }
  });
  std::vector<Column> done;
  for (detail::PlacedColumn& column : columns) done.push_back(column.finish());
  return Table(schema, std::move(done));
}

}  // namespace

Table read_jsonl(std::string_view text, const JsonlOptions& options) {
  if (options.schema) return read_with(*options.schema, text, options);
  return read_with(infer(text, options), text, options);
}

Table read_jsonl_file(const std::string& path, JsonlOptions options) {
  if (options.file.empty()) options.file = path;
  return read_jsonl(detail::file_text(path), options);
}

void write_jsonl(const Table& table, std::ostream& out) {
  const auto& fields = table.schema().fields;
  std::vector<std::string> keys;
  for (const Field& field : fields) keys.push_back(to_json(Value(field.name)) + ": ");
  const std::vector<bool> days = detail::columns_of_days(table);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    out << '{';
    for (std::size_t i = 0; i < fields.size(); ++i)
      out << (i > 0 ? ", " : "") << keys[i] << detail::cell_json(table.column(i), row, days[i]);
    out << "}\n";
  }
  if (!out) throw Error("The JSON lines could not be written completely; is the disk full?");
}

}  // namespace synthema
