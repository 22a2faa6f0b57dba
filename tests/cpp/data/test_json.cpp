#include <doctest/doctest.h>

#include <limits>

#include "synthema/data/json.hpp"

using namespace synthema;

TEST_CASE("records read back as they were written, types included") {
  const Record record{{"a", 1},
                      {"b", 1.0},
                      {"c", 0.1},
                      {"d", 1e300},
                      {"e", -0.0},
                      {"f", std::numeric_limits<std::int64_t>::min()},
                      {"g", "quote \" back \\ line \n tab \t nul \x01 \xC3\xA9 \xF0\x9F\x98\x80"},
                      {"h", true},
                      {"i", Value{}},
                      {"j", ValueList{1, "x", Value{}, 2.5}},
                      {"k \"l\"", ""}};
  const std::string json = to_json(record);
  CHECK(json.find('\n') == std::string::npos);
  CHECK(record_from_json(json) == record);
}

TEST_CASE("the text form is exactly this") {
  CHECK(to_json(Record{{"age", 63}, {"w", 70.0}, {"t", Timestamp{1'500'000}}}) ==
        R"({"age": 63, "w": 70.0, "t": "1970-01-01T00:00:01.5Z"})");
  CHECK(to_json(Record{}) == "{}");
}

TEST_CASE("what JSON cannot hold is refused") {
  CHECK_THROWS_WITH_AS(to_json(Record{{"x", std::numeric_limits<double>::quiet_NaN()}}),
                       doctest::Contains("field 'x'"), SchemaError);
  CHECK_THROWS_AS(to_json(Value("\xff")), SchemaError);
}

TEST_CASE("broken records are refused with their place") {
  const auto refused = [](std::string_view text, const char* part) {
    CHECK_THROWS_WITH_AS(record_from_json(text, {.file = "r.jsonl", .line = 7}), doctest::Contains(part),
                         ParseError);
  };
  refused("", "r.jsonl, line 7");
  refused("{\"a\": 1", "line 7, column 8");
  refused("[1]", "must be a JSON object");
  refused(R"({"a": 1, "a": 2})", "field 'a'");
  refused(R"({"a": {"b": 1}})", "object");
  refused(R"({"a": [[1]]})", "list");
  refused(R"({"a": 9223372036854775808})", "64 bits");
  refused(R"({"a": 99999999999999999999999})", "64 bits");
  refused(R"({"a": -9223372036854775809})", "64 bits");
  refused(R"({"a": 1e999})", "line 7");
  refused(R"({"a": NaN})", "line 7");
  refused("{\"a\": \"\xff\"}", "line 7");
  refused(R"({"a": "\ud800"})", "line 7");
  refused(R"({"a": 1} x)", "line 7");
  refused(std::string(100, '['), "nested deeper");
}
