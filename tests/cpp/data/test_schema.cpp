#include <doctest/doctest.h>

#include "synthema/data/schema.hpp"

using namespace synthema;

namespace {

Schema example() {
  Schema schema;
  schema.name = "visits";
  schema.licence = "CC0-1.0";
  schema.may_leave_machine = false;
  schema.fields = {
      {.name = "patient", .kind = Kind::text, .roles = {Role::subject, Role::identifier}},
      {.name = "age", .kind = Kind::integer, .unit = "a", .minimum = 0, .maximum = 120},
      {.name = "sex", .kind = Kind::category, .categories = {"female", "male"}, .nullable = false},
      {.name = "codes", .kind = Kind::list, .code_system = "ICD-10-CM", .item = Kind::category}};
  return schema;
}

}  // namespace

TEST_CASE("a schema survives JSON") {
  CHECK(schema_from_json(to_json(example())) == example());
  CHECK(schema_from_json(R"({"fields": [{"name": "a"}]})").fields[0].kind == Kind::text);
}

TEST_CASE("every kind and role has a name that reads back") {
  for (int i = 0; i < 7; ++i) CHECK(kind_from(name_of(static_cast<Kind>(i))) == static_cast<Kind>(i));
  for (int i = 0; i < 6; ++i) CHECK(role_from(name_of(static_cast<Role>(i))) == static_cast<Role>(i));
  CHECK_THROWS_WITH_AS(kind_from("number"), doctest::Contains("real, integer"), SchemaError);
}

TEST_CASE("an inconsistent schema is refused with the field's name") {
  const auto refused = [](auto change, const char* part) {
    Schema schema = example();
    change(schema.fields);
    CHECK_THROWS_WITH_AS(schema.check(), doctest::Contains(part), SchemaError);
  };
  using Fields = std::vector<Field>;
  CHECK_NOTHROW(example().check());
  refused([](Fields& f) { f[1].name = f[0].name; }, "field 'patient'");
  refused([](Fields& f) { f[1].name.clear(); }, "empty name");
  refused([](Fields& f) { f[1].minimum = 130; }, "field 'age'");
  refused([](Fields& f) { f[0].minimum = 1; }, "field 'patient'");
  refused([](Fields& f) { f[2].roles = {Role::subject}; }, "subject");
  refused([](Fields& f) { f[2].roles = {Role::label, Role::label}; }, "twice");
  refused([](Fields& f) { f[2].categories = {"a", "a"}; }, "field 'sex'");
  refused([](Fields& f) { f[0].categories = {"a"}; }, "category");
  refused([](Fields& f) { f[3].item = Kind::list; }, "list of lists");
  refused([](Fields& f) { f[0].name = "\xff"; }, "UTF-8");
}

TEST_CASE("broken schema files are parse errors that say where") {
  const auto refused = [](const char* text, const char* part) {
    CHECK_THROWS_WITH_AS(schema_from_json(text, "s.json"), doctest::Contains(part), ParseError);
  };
  refused("{", "s.json, line 1");
  refused("[]", "s.json");
  refused(R"({"version": 2})", "version");
  refused(R"({"fields": [{"name": "a", "rnage": 1}]})", "'rnage' is not known");
  refused(R"({"fields": [{"name": "a", "kind": "number"}]})", "field 'a'");
  refused(R"({"fields": [{"name": "a", "name": "b"}]})", "s.json, line 1, column 27, field 'name': The key");
  refused("{\"fields\": [\n {\"name\": \"a \\\"kind\\\": b\", \"kind\": \"real\",\n  \"kind\": \"text\"}]}",
          "s.json, line 3, column 3, field 'kind': The key");
  refused(R"({"fields": [{"name": "a"}, {"name": "b", "knd": "real"}]})",
          "field 'b': Field 2: The key 'knd'");
  refused(R"({"fields": [], "rules": [{"field": "a"}, {"left": "b"}]})", "Rule 2: The key 'left'");
  refused(R"({"fields": [], "groups": [7]})", "Group 1: It must be a JSON object.");
  refused(R"({"fields": [], "rules": {}})", "Schema: 'rules': It must be a list.");
  refused("{\n\"name\": 3}", "wrong type");
  refused(R"({"fields": [{"name": 3}]})", "wrong type");
  refused(R"({"fields": [3]})", "s.json");
  refused(R"({"fields": [{"name": "a", "roles": "target"}]})", "should be a list of texts");
  refused(R"({"fields": [{"name": "a", "nullable": "no"}]})", "should be true or false");
  refused(R"({"fields": [{"name": "a", "kind": "real", "minimum": []}]})", "should be a number or a date");
  refused(R"({"rules": [{"field": null, "given": []}]})", "wrong type");
  refused("{\n \"name\": \"x\",\n oops}", "line 3, column 2");
}

TEST_CASE("an inconsistent schema in a file is refused with the file's name and a way out") {
  const char* text =
      R"({"fields": [{"name": "discharge", "kind": "time"}, {"name": "admission", "kind": "time"}],
    "rules": [{"field": "discharge", "given": "admission", "relation": ">="}]})";
  CHECK_THROWS_WITH_AS(schema_from_json(text, "s.json"),
                       doctest::Contains("s.json, field 'discharge': The rule"), SchemaError);
  const char* turned = "Write it as field 'admission', given 'discharge', relation '<='.";
  CHECK_THROWS_WITH_AS(schema_from_json(text, "s.json"), doctest::Contains(turned), SchemaError);
  CHECK_THROWS_WITH_AS(schema_from_json(text), doctest::Contains(turned), SchemaError);
}

TEST_CASE("find, at, roles and subject") {
  const Schema schema = example();
  CHECK(schema.find("age")->unit == "a");
  CHECK(schema.find("nobody") == nullptr);
  CHECK_THROWS_WITH_AS(schema.at("nobody"), doctest::Contains("'patient', 'age', 'sex', 'codes'"),
                       SchemaError);
  CHECK(schema.subject()->name == "patient");
  CHECK(schema.with_role(Role::identifier).size() == 1);
  CHECK(Schema{}.subject() == nullptr);
}
