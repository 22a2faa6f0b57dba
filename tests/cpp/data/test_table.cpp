#include <doctest/doctest.h>

#include <limits>

#include "synthema/data/table.hpp"

using namespace synthema;

namespace {

Schema visits() {
  Schema schema;
  schema.fields = {{.name = "age", .kind = Kind::integer},
                   {.name = "weight", .kind = Kind::real},
                   {.name = "smoker", .kind = Kind::boolean},
                   {.name = "sex", .kind = Kind::category},
                   {.name = "note", .kind = Kind::text},
                   {.name = "seen", .kind = Kind::time},
                   {.name = "codes", .kind = Kind::list, .item = Kind::category}};
  return schema;
}

std::vector<Record> three() {
  return {{{"age", 63},
           {"weight", 71.5},
           {"smoker", true},
           {"sex", "female"},
           {"note", "fever"},
           {"seen", "2026-11-24T03:30:00Z"},
           {"codes", ValueList{"I10", "E11"}}},
          {},
          {{"age", 5.0},
           {"weight", 20},
           {"smoker", false},
           {"sex", "male"},
           {"note", ""},
           {"seen", Timestamp{-1}},
           {"codes", ValueList{}}}};
}

}  // namespace

TEST_CASE("records go in and come out, with lossless conversion and nulls") {
  const Table table = Table::from_records(visits(), three());
  CHECK(table.rows() == 3);
  CHECK(table.columns() == 7);
  const Record first = table.record(0);
  CHECK(first.at("age") == Value(63));
  CHECK(first.at("seen") == Value(Timestamp{1795491000'000000}));
  CHECK(first.at("codes") == Value(ValueList{"I10", "E11"}));
  for (const auto& [name, value] : table.record(1)) CHECK_MESSAGE(value.is_null(), name);
  CHECK(table.record(2).at("age") == Value(5));
  CHECK(table.record(2).at("weight") == Value(20.0));
  CHECK(table.record(2).at("note") == Value(""));
  CHECK(table.column("age").null_count() == 1);
  CHECK_THROWS_AS(table.record(3), SchemaError);
}

TEST_CASE("records may name the fields in any order and leave some out") {
  const Record turned{{"note", "b"}, {"age", 5}};
  Record wide = turned;
  wide.append("weight", 2.5);
  wide.set("age", 6);
  CHECK(wide == Record{{"note", "b"}, {"age", 6}, {"weight", 2.5}});
  const Table table = Table::from_records(visits(), std::vector<Record>{turned, {}, wide});
  CHECK(table.record(0).at("age") == Value(5));
  CHECK(table.record(0).at("note") == Value("b"));
  CHECK(table.record(0).at("weight").is_null());
  CHECK(table.record(1).at("age").is_null());
  CHECK(table.record(2).at("weight") == Value(2.5));
}

TEST_CASE("take, head and select keep values, nulls and order") {
  const Table table = Table::from_records(visits(), three());
  const std::vector<std::size_t> rows{2, 0, 1, 2};
  const Table taken = table.take(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(taken.record(i) == table.record(rows[i]));
  CHECK(table.head(2).rows() == 2);
  CHECK(table.head(9).rows() == 3);
  const std::vector<std::string> names{"sex", "age"};
  CHECK(table.select(names).schema().fields[0].name == "sex");
  CHECK(table.select(names).record(2) == Record{{"sex", "male"}, {"age", 5}});
  CHECK_THROWS_AS(table.take(std::vector<std::size_t>{3}), SchemaError);
  CHECK_THROWS_AS(table.select(std::vector<std::string>{"weihgt"}), SchemaError);
}

TEST_CASE("a value that does not fit is refused with record and field, never with the value itself") {
  const auto refused = [](const char* name, Value value, const char* part) {
    const std::vector<Record> records{{}, {{name, std::move(value)}}};
    CHECK_THROWS_WITH_AS(Table::from_records(visits(), records), doctest::Contains(part), SchemaError);
  };
  refused("age", 5.5, "Record 1, field 'age'");
  refused("age", "63", "integer was needed, but the value is text");
  refused("weight", (std::int64_t{1} << 53) + 1, "without loss");
  refused("smoker", 1, "boolean");
  refused("sex", 1, "category");
  refused("note", 1.5, "text");
  refused("note", "\xff", "UTF-8");
  refused("seen", "yesterday", "ISO 8601");
  refused("codes", "I10", "list");
  refused("codes", ValueList{"I10", 3}, "category");
  refused("wieght", 3, "no such field");
  refused("weight", std::numeric_limits<double>::quiet_NaN(), "NaN");
  refused("weight", std::numeric_limits<double>::infinity(), "infinity");
}

TEST_CASE("declared categories and nullability bind the builder") {
  Schema schema;
  schema.fields = {
      {.name = "sex", .kind = Kind::category, .categories = {"male", "female"}, .nullable = false}};
  const Table table = Table::from_records(schema, std::vector<Record>{{{"sex", "female"}}});
  CHECK(table.column(0).codes()[0] == 1);
  CHECK(table.column(0).labels().size() == 2);
  CHECK_THROWS_AS(Table::from_records(schema, std::vector<Record>{{{"sex", "femal"}}}), SchemaError);
  CHECK_THROWS_AS(Table::from_records(schema, std::vector<Record>{{}}), SchemaError);
}

TEST_CASE("columns that do not agree with the schema are refused") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::integer}, {.name = "b", .kind = Kind::integer}};
  const Column two = Column::integers(Buffer<std::int64_t>::from({1, 2}));
  const Column one = Column::integers(Buffer<std::int64_t>::from({1}));
  CHECK_NOTHROW(Table(schema, {two, two}));
  CHECK_THROWS_AS(Table(schema, {two}), SchemaError);
  CHECK_THROWS_WITH_AS(Table(schema, {two, one}), doctest::Contains("field 'b'"), SchemaError);
  CHECK_THROWS_AS(Table(schema, {two, Column::texts(std::vector<std::string>{"x", "y"})}), SchemaError);
  CHECK(Table(Schema{}, {}).rows() == 0);
}
