// JSON lines: one record an object, one object a line. Errors are a ParseError with file, line and field.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

struct JsonlOptions {
  const Schema* schema = nullptr;  // null: inferred; every key becomes a field, in order of first appearance
  std::string file = {};           // name for messages
};

// A missing key is null; a key that the schema does not have is refused; blank lines are skipped. Without a
// schema integers mixed with reals are real; texts are told apart as in read_csv, but are never numbers.
Table read_jsonl(std::string_view text, const JsonlOptions& options = {});
Table read_jsonl_file(const std::string& path, JsonlOptions options = {});

// All fields of all rows, null included. Reads back exactly with the same schema; the name of a time zone is
// not kept, only that there was one. Dates are written as write_csv writes them.
void write_jsonl(const Table& table, std::ostream& out);

}  // namespace synthema
