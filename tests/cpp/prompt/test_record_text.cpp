#include <doctest/doctest.h>

#include "synthema/core/error.hpp"
#include "synthema/data/timestamp.hpp"
#include "synthema/prompt/record_text.hpp"

using namespace synthema;

namespace {

Schema patients() {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category, .categories = {"female", "male"}},
                   {.name = "born", .kind = Kind::time},
                   {.name = "seen", .kind = Kind::time, .unit = "s"},
                   {.name = "diagnosis", .kind = Kind::category, .categories = {"asthma", "prostatitis"}}};
  schema.rules = {{.field = "diagnosis", .given = "sex", .labels = {"female"}, .categories = {"asthma"}},
                  {.field = "diagnosis", .given = "sex", .labels = {"male"}, .categories = {"prostatitis"}}};
  return schema;
}

Timestamp time_of(std::string_view text) {
  return parse_iso8601(text).value().time;
}

}  // namespace

TEST_CASE("a record is written in the schema's order, times as dates or to the second") {
  const Record record{{"diagnosis", "asthma"},
                      {"seen", time_of("2024-01-02T03:04:05Z")},
                      {"born", time_of("1970-01-01T00:00:00Z")},
                      {"other", 1}};
  CHECK(record_text(patients(), record) ==
        R"({"sex": null, "born": "1970-01-01", "seen": "2024-01-02T03:04:05Z", "diagnosis": "asthma"})");
}

TEST_CASE("values of other kinds than their fields are written as the masks of these write them") {
  Schema schema;
  schema.fields = {{.name = "age", .kind = Kind::integer},
                   {.name = "grade", .kind = Kind::category, .categories = {"1", "2"}},
                   {.name = "dose", .kind = Kind::real, .decimals = 1},
                   {.name = "dead", .kind = Kind::boolean},
                   {.name = "seen", .kind = Kind::time, .unit = "s"},
                   {.name = "codes", .kind = Kind::list, .item = Kind::category}};
  const Record record{{"age", 71.0},
                      {"grade", 2},
                      {"dose", 2.16},
                      {"dead", 1},
                      {"codes", ValueList{7, "x"}},
                      {"seen", time_of("2024-01-02T03:04:05.5Z")}};
  CHECK(record_text(schema, record) ==
        R"({"age": 71, "grade": "2", "dose": 2.2, "dead": true, "seen": "2024-01-02T03:04:05Z", )"
        R"("codes": ["7", "x"]})");
  CHECK(record_text(schema, Record{{"age", 71.5}, {"dose", 2}}) ==
        R"({"age": 71.5, "grade": null, "dose": 2, "dead": null, "seen": null, "codes": null})");
}

TEST_CASE("a condition takes the kinds of the fields that it has") {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category, .categories = {"0", "1"}},
                   {.name = "dead", .kind = Kind::boolean},
                   {.name = "age", .kind = Kind::integer},
                   {.name = "born", .kind = Kind::time},
                   {.name = "dose", .kind = Kind::real, .decimals = 1}};
  const Record given{{"sex", 1},     {"dead", 0}, {"age", 71.0}, {"born", time_of("1980-05-06T07:08:09Z")},
                     {"dose", 2.16}, {"ward", 3}};
  CHECK(in_kinds(schema, given) == Record{{"sex", "1"},
                                          {"dead", false},
                                          {"age", 71},
                                          {"born", given.at("born")},
                                          {"dose", 2.16},
                                          {"ward", 3}});
  CHECK(in_kinds(schema, Record{{"sex", Value()}, {"dead", 2}, {"age", 71.5}}) ==
        Record{{"sex", Value()}, {"dead", 2}, {"age", 71.5}});
}

TEST_CASE("what the condition has is not asked for, or stays fixed where a rule needs it") {
  const Schema asked = asked_fields(patients(), Record{{"sex", "male"}, {"born", time_of("1980-05-06")}});
  REQUIRE(asked.fields.size() == 3);
  CHECK(asked.at("sex").categories == std::vector<std::string>{"male"});
  CHECK_FALSE(asked.find("born"));
  REQUIRE(asked.rules.size() == 1);
  CHECK(asked.rules[0].categories == std::vector<std::string>{"prostatitis"});
  asked.check();
  CHECK(asked_fields(patients(), Record{{"ward", "A"}}) == patients());
  CHECK_THROWS_AS(asked_fields(Schema{.fields = {{.name = "a"}}}, Record{{"a", "x"}}), ConfigError);
}

TEST_CASE("a field whose range leaves nothing to write is named, unless the condition has it") {
  Schema schema;
  schema.fields = {{.name = "dose", .kind = Kind::real, .minimum = 1e-8, .maximum = 2e-8},
                   {.name = "seen", .kind = Kind::time, .maximum = 1e18},
                   {.name = "note"}};
  const auto refused = [&](const char* name) {
    CHECK_THROWS_WITH_AS(asked_fields(schema, Record{}), doctest::Contains(name), ConfigError);
  };
  refused("'dose'");
  CHECK(asked_fields(schema, Record{{"dose", 1.5e-8}}).fields.size() == 2);
  schema.fields[0].decimals = 9;
  CHECK(asked_fields(schema, Record{}).fields.size() == 3);
  schema.fields[1].minimum = 3e17, schema.fields[1].maximum = 4e17;  // beyond the year 9999
  refused("'seen'");
}

TEST_CASE("a boolean that a rule needs is fixed as a label, also in the exemplars") {
  Schema schema;
  schema.fields = {{.name = "pregnant", .kind = Kind::boolean},
                   {.name = "sex", .kind = Kind::category, .categories = {"f", "m"}}};
  schema.rules = {{.field = "sex", .given = "pregnant", .labels = {"true"}, .categories = {"f"}}};
  for (const Value& yes : {Value(true), Value(1)}) {
    const Schema asked = asked_fields(schema, Record{{"pregnant", yes}});
    asked.check();
    CHECK(asked.at("pregnant").categories == std::vector<std::string>{"true"});
    CHECK(asked.rules.size() == 1);
    CHECK(record_text(asked, Record{{"pregnant", false}, {"sex", "m"}}) ==
          R"({"pregnant": "false", "sex": "m"})");
  }
  CHECK(asked_fields(schema, Record{{"pregnant", false}}).rules.empty());
}

TEST_CASE("a value that a rule needs is fixed as near as it can be written") {
  Schema schema;
  schema.fields = {{.name = "low", .kind = Kind::real, .decimals = 2},
                   {.name = "seen", .kind = Kind::time, .unit = "s"},
                   {.name = "high", .kind = Kind::real},
                   {.name = "left", .kind = Kind::time, .unit = "s"}};
  schema.rules = {{.field = "high", .given = "low", .relation = ">="},
                  {.field = "left", .given = "seen", .relation = ">="}};
  const Schema asked =
      asked_fields(schema, Record{{"low", 1.0 / 3}, {"seen", time_of("2024-01-02T03:04:05.5Z")}});
  CHECK(asked.at("low").minimum == 0.33);
  CHECK(asked.at("low").maximum == 0.33);
  CHECK(asked.at("seen").minimum == static_cast<double>(time_of("2024-01-02T03:04:05Z").microseconds));
  CHECK_THROWS_WITH_AS(asked_fields(schema, Record{{"low", 1e12}}), doctest::Contains("'low'"), ConfigError);
}

TEST_CASE("an answer joins the condition and does not change it") {
  const Record row = with_answer(Record{{"sex", "male"}}, patients(),
                                 R"({"sex": "female", "born": "1980-05-06", "diagnosis": "asthma"})");
  CHECK(row.at("sex") == Value("male"));
  CHECK(row.at("born") == Value(time_of("1980-05-06")));
  CHECK_THROWS_AS(with_answer(Record{}, patients(), "An answer."), ParseError);
}
