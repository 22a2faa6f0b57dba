#include <doctest/doctest.h>

#include "synthema/data/row_numbers.hpp"

using namespace synthema;

namespace {

template <class Value>
Table numbers(std::size_t rows, Value value, Field field = {.name = "n", .kind = Kind::integer}) {
  std::vector<Record> records(rows);
  for (std::size_t i = 0; i < rows; ++i) records[i].set("n", static_cast<std::int64_t>(value(i)));
  Schema schema;
  schema.fields = {std::move(field)};
  return Table::from_records(schema, records);
}

bool found_numbered(const Table& table) {
  return row_number_columns(table) == std::vector<std::string>{"n"};
}

}  // namespace

TEST_CASE("an index is found, whatever it begins with, its order and some gaps") {
  CHECK(found_numbered(numbers(50, [](std::size_t i) { return i; })));
  CHECK(found_numbered(numbers(80, [](std::size_t i) { return 1000 + (i * 37) % 80; })));
  CHECK(found_numbered(numbers(90, [](std::size_t i) { return i + i / 2; })));
  // Two sites with numbers of their own, in any order.
  CHECK(found_numbered(
      numbers(400, [](std::size_t i) { return (i % 2 == 0 ? 1000 : 3000) + (i / 2 * 37) % 200; })));
}

TEST_CASE("measurements, sparse codes and few rows are not") {
  CHECK(!found_numbered(numbers(49, [](std::size_t i) { return i; })));
  CHECK(!found_numbered(numbers(60, [](std::size_t i) { return i % 59; })));
  CHECK(!found_numbered(numbers(60, [](std::size_t i) { return 3 * i; })));
  CHECK(!found_numbered(numbers(600, [](std::size_t i) { return 3 * i; })));  // a clock
  CHECK(!found_numbered(numbers(60, [](std::size_t i) { return i * i; })));
  CHECK(!found_numbered(numbers(60, [](std::size_t i) { return static_cast<std::int64_t>(i) - 1; })));
  CHECK(row_number_columns(Table()).empty());
}

TEST_CASE("a role that was given is kept") {
  Field target{.name = "n", .kind = Kind::integer};
  target.roles = {Role::target};
  CHECK(!found_numbered(numbers(60, [](std::size_t i) { return i; }, target)));
}

TEST_CASE("what is stated of a quantity is not broken by numbers that go on from the largest") {
  const auto numbered = [](Schema schema) {
    std::vector<Record> records(60);
    for (std::size_t i = 0; i < records.size(); ++i)
      for (const Field& field : schema.fields)
        records[i].set(field.name, static_cast<std::int64_t>(field.name == "n" ? i : i % 7));
    return row_number_columns(Table::from_records(schema, records)).size() == 1;
  };
  Schema schema;
  schema.fields = {{.name = "n", .kind = Kind::integer}, {.name = "m", .kind = Kind::integer}};
  CHECK(numbered(schema));
  Schema one = schema;
  one.fields[0].minimum = 0;  // larger numbers keep it
  CHECK(numbered(one));
  one.fields[0].maximum = 59;
  CHECK(!numbered(one));
  one = schema;
  one.rules = {{.field = "m", .given = "n", .relation = "<="}};
  CHECK(!numbered(one));
  one = schema;
  one.groups = {{.kind = "unique", .fields = {"n", "m"}}};
  CHECK(numbered(one));
  one.groups = {{.kind = "exclusive", .fields = {"n", "m"}}};
  CHECK(!numbered(one));
}
