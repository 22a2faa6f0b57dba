#include <doctest/doctest.h>

#include "synthema/data/label_columns.hpp"

using namespace synthema;

namespace {

Table texts(const std::vector<std::string>& values, Field field = {.name = "t", .kind = Kind::text}) {
  std::vector<Record> records(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != "-") records[i].set("t", values[i]);
  Schema schema;
  schema.fields = {std::move(field)};
  return Table::from_records(schema, records);
}

bool found(const Table& table) {
  return label_columns(table) == std::vector<std::string>{"t"};
}

}  // namespace

TEST_CASE("texts that repeat are labels") {
  CHECK(found(texts({"f", "m", "m", "f"})));
  CHECK(found(texts({"f", "-", "f", "-"})));
  CHECK(!found(texts({"f", "m", "x"})));
  CHECK(!found(texts({"-", "-"})));
  CHECK(!found(texts({})));
  const std::string note(65, 'n');
  CHECK(!found(texts({note, note, note})));
  // Long labels repeat more often than long texts do.
  std::vector<std::string> rows;
  for (int i = 0; i < 30; ++i) rows.push_back(note + std::to_string(i % 3));
  CHECK(found(texts(rows)));
  rows.pop_back();
  CHECK(!found(texts(rows)));
  rows.clear();
  for (int i = 0; i < 1000; ++i) rows.push_back(note + std::to_string(i % 21));
  CHECK(!found(texts(rows)));
  std::vector<std::string> many;
  for (int i = 0; i < 2002; ++i) many.push_back(std::to_string(i % 1001));
  CHECK(!found(texts(many)));
}

TEST_CASE("a role that was given is kept") {
  Field key{.name = "t", .kind = Kind::text};
  key.roles = {Role::identifier};
  CHECK(!found(texts({"f", "m", "m", "f"}, key)));
}

TEST_CASE("columns become categories with the same values and gaps") {
  const Table before = texts({"m", "-", "f", "m"});
  const std::vector<std::string> names = {"t", "absent"};
  const Table after = with_categories(before, names);
  REQUIRE(after.schema().fields[0].kind == Kind::category);
  const Column& column = after.column("t");
  CHECK(column.text_at(0) == "m");
  CHECK(column.is_null(1));
  CHECK(column.text_at(2) == "f");
  CHECK(column.text_at(3) == "m");
  CHECK(column.labels().size() == 2);
  CHECK(before.column("t").kind() == Kind::text);
}
