#include <doctest/doctest.h>

#include <sstream>

#include "synthema/data/digest.hpp"
#include "synthema/data/infer.hpp"
#include "synthema/data/jsonl.hpp"

using namespace synthema;

namespace {

std::string written_lines(const Table& table) {
  std::ostringstream out;
  write_jsonl(table, out);
  return out.str();
}

}  // namespace

TEST_CASE("kinds are inferred, keys in order of first appearance, missing keys are null") {
  const Table table = read_jsonl(
      "{\"n\": 1, \"x\": 1}\r\n\n{\"x\": 2.5, \"s\": \"1\", \"when\": \"2020-01-01T00:00:00Z\"}\n"
      "{\"b\": true, \"l\": [1, null], \"none\": null}");
  std::string shape;
  for (const Field& field : table.schema().fields)
    shape += field.name + ":" + std::string(name_of(field.kind)) + " ";
  CHECK(shape == "n:integer x:real s:text when:time b:boolean l:list none:text ");
  CHECK(table.rows() == 3);
  CHECK(table.column("n").null_count() == 2);
  CHECK(table.column("l").value_at(2) == Value(ValueList{1, Value{}}));
  CHECK(table.column("when").zone() == "UTC");
  CHECK(read_jsonl("").columns() == 0);
}

TEST_CASE("what is written_lines reads back exactly") {
  Schema schema;
  schema.fields = {{.name = "i", .kind = Kind::integer},
                   {.name = "x", .kind = Kind::real},
                   {.name = "s \"q\"", .kind = Kind::text},
                   {.name = "w", .kind = Kind::time},
                   {.name = "ws", .kind = Kind::list, .item = Kind::time}};
  const Table table =
      Table::from_records(schema, std::vector<Record>{{{"i", 1},
                                                       {"x", 3.0},
                                                       {"s \"q\"", "line\nbreak \xF0\x9F\x98\x80"},
                                                       {"w", Timestamp{123456}},
                                                       {"ws", ValueList{Timestamp{0}, Value{}}}},
                                                      {}});
  CHECK(content_digest(read_jsonl(written_lines(table), {.schema = &schema})) == content_digest(table));
  CHECK(written_lines(table.take(std::vector<std::size_t>{1})) ==
        "{\"i\": null, \"x\": null, \"s \\\"q\\\"\": null, \"w\": null, \"ws\": null}\n");
}

TEST_CASE("what is broken is refused with file, line and field") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::integer}};
  const auto refused = [&](std::string_view text, const char* part, bool with_schema = false) {
    CHECK_THROWS_WITH_AS(read_jsonl(text, {.schema = with_schema ? &schema : nullptr, .file = "f.jsonl"}),
                         doctest::Contains(part), ParseError);
  };
  refused("{\"a\": 1}\n{\"a\": }\n", "f.jsonl, line 2, column 7");
  refused("{\"a\": 1}\n[1]\n", "f.jsonl, line 2");
  refused("{\"a\": 1}\n{\"a\": \"x\"}\n", "f.jsonl, line 2, field 'a': The value is text");
  refused("{\"a\": [1, \"x\"]}\n", "line 1, field 'a'");
  refused("{\"\": 1}\n", "empty");
  refused("{\"a\": \"x\"}\n", "f.jsonl, line 1, field 'a': A value of kind integer was needed", true);
  refused("{\"b\": 1}\n", "line 1, field 'b'", true);
}

TEST_CASE("records suggest a schema") {
  const std::vector<Record> records{{{"a", 1}, {"t", Timestamp{0}}}, {{"a", 0.5}, {"s", "2020-01-01"}}};
  const Schema schema = schema_of_records(records);
  CHECK(schema.at("a").kind == Kind::real);
  CHECK(schema.at("t").kind == Kind::time);
  CHECK(schema.at("s").kind == Kind::text);
  CHECK_THROWS_WITH_AS(schema_of_records(std::vector<Record>{{{"a", 1}}, {{"a", true}}}),
                       doctest::Contains("Record 1, field 'a'"), SchemaError);
}

TEST_CASE("days are written_lines as dates") {
  std::ostringstream out;
  write_jsonl(read_jsonl("{\"when\": \"2014-01-16\"}\n{\"when\": null}\n"), out);
  CHECK(out.str() == "{\"when\": \"2014-01-16\"}\n{\"when\": null}\n");
}
