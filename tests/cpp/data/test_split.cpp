#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "synthema/data/split.hpp"

using namespace synthema;

namespace {

// 100 subjects with one to five rows each; row 0 has no subject.
Table visits(bool with_subject) {
  Schema schema;
  schema.fields = {{.name = "who", .kind = Kind::integer}};
  if (with_subject) schema.fields[0].roles = {Role::subject};
  std::vector<Record> records{{}};
  for (int visit = 0; visit < 5; ++visit)
    for (int who = 0; who < 100; ++who)
      if (who % 5 >= visit) records.push_back({{"who", who}});
  return Table::from_records(schema, records);
}

const std::vector<double> kShares{0.6, 0.3, 0.1};

}  // namespace

TEST_CASE("no subject is in two parts, and every row is in one") {
  const Table table = visits(true);
  const auto parts = split(table, kShares, Random(4));
  std::set<std::size_t> rows;
  std::vector<std::set<std::int64_t>> subjects;
  for (const auto& part : parts) {
    CHECK(std::is_sorted(part.begin(), part.end()));
    subjects.emplace_back();
    for (const std::size_t row : part) {
      CHECK(rows.insert(row).second);
      subjects.back().insert(row == 0 ? -1 : table.column(0).integers()[row]);
    }
  }
  CHECK(rows.size() == table.rows());
  CHECK(subjects[0].size() + subjects[1].size() + subjects[2].size() == 101);
  CHECK(subjects[0].size() == 61);  // 60 % of 101 subjects, rounded
  CHECK(subjects[1].size() == 30);
}

TEST_CASE("the same stream gives the same parts, another one others") {
  const Table table = visits(true);
  CHECK(split(table, kShares, Random(4)) == split(table, kShares, Random(4)));
  CHECK(split(table, kShares, Random(4)) != split(table, kShares, Random(5)));
}

TEST_CASE("without a subject the rows are split") {
  const auto parts = split(visits(false), std::vector<double>{0.5, 0.5}, Random(1));
  CHECK(parts[0].size() + parts[1].size() == visits(false).rows());
  CHECK(parts[0].size() - parts[1].size() <= 1);
}

TEST_CASE("shares that make no split are refused") {
  for (const std::vector<double>& shares :
       {std::vector<double>{}, {0.5, 0.4}, {1.5, -0.5}, {1.0, 0.0}, {0.999, 0.001}})
    CHECK_THROWS_AS(split(visits(true), shares, Random(1)), ConfigError);
}
