// Columns that are read one after the other are coded as those of a table are.
#include <doctest/doctest.h>

#include <algorithm>

#include "synthema/generate/tabular/column_source.hpp"

using namespace synthema;

namespace {

Table visits(std::size_t rows = 600) {
  Schema schema;
  schema.fields = {{.name = "patient", .kind = Kind::text, .roles = {Role::subject}},
                   {.name = "age", .kind = Kind::integer},
                   {.name = "weight", .kind = Kind::real},
                   {.name = "ward", .kind = Kind::text},
                   {.name = "fever", .kind = Kind::boolean}};
  schema.groups = {{.kind = "combinations", .fields = {"ward", "fever"}}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(5).stream(row);
    Value age;
    if (random.uniform() > 0.1) age = static_cast<std::int64_t>(random.below(90));
    // One person has a third of the rows.
    const std::size_t patient = row < 2 * rows / 3 ? row / 3 : rows;
    records.push_back({{"patient", "p" + std::to_string(patient)},
                       {"age", age},
                       {"weight", random.uniform() < 0.5 ? -0.0 : 40 + 50 * random.uniform()},
                       {"ward", row < 3                  ? "rare"
                                : random.uniform() < 0.5 ? "icu"
                                                         : "day"},
                       {"fever", random.uniform() < 0.2}});
  }
  return Table::from_records(schema, records);
}

}  // namespace

TEST_CASE("A source is coded as its table is, one column at a time") {
  const Table table = visits();
  std::vector<std::size_t> asked, taken;
  const ColumnSource source{table.schema(), table.rows(), [&](std::size_t column) {
                              asked.push_back(column);
                              return table.column(column);
                            }};
  const CodedTable whole = code_table(table, {});
  const CodedTable coded = code_columns(source, {}, [&](const CodedTable& now, std::size_t column) {
    CHECK(now.codes[column] == whole.codes[column]);
    taken.push_back(column);
  });
  CHECK(asked == std::vector<std::size_t>{0, 0, 1, 2, 3, 4});  // the first says who is who
  CHECK(taken == std::vector<std::size_t>{0, 1, 2, 3, 4});
  CHECK(coded.schema == whole.schema);
  CHECK(coded.people == whole.people);
  for (std::size_t c = 0; c < coded.columns.size(); ++c) {
    CHECK(coded.columns[c].values == whole.columns[c].values);
    CHECK(coded.columns[c].labels == whole.columns[c].labels);
    CHECK(coded.columns[c].protection == whole.columns[c].protection);
  }
  CHECK(coded.codes[1].empty());
  CHECK(coded.codes[3] == whole.codes[3]);  // a part of combinations
  for (const std::size_t c : {1, 3})
    CHECK(std::ranges::count(whole.codes[c], whole.columns[c].pooled_code()) > 3);  // hidden
}

TEST_CASE("A source that gives another column than it says is refused by name") {
  const Table table = visits(30);
  const auto refuses = [&](std::size_t rows, std::size_t other) {
    const ColumnSource source{table.schema(), rows,
                              [&](std::size_t column) { return table.column(column == 1 ? other : column); }};
    CHECK_THROWS_WITH_AS(code_columns(source, {}, [](const CodedTable&, std::size_t) {}),
                         doctest::Contains("did the file change"), SchemaError);
  };
  refuses(31, 1);
  refuses(30, 2);
}
