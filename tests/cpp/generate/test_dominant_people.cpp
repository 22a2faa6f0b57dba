// Nobody with many rows speaks for a label, a part of a number or for what is missing.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "src/generate/tabular/dominant_people.hpp"
#include "synthema/core/random.hpp"

using namespace synthema;

namespace {

enum class People : std::uint8_t { rows, one_row_each, several_rows_each };

// Rows with a number, and with a label twice.
struct Visits {
  Schema schema;
  std::vector<Record> rows;

  explicit Visits(People people) {
    schema.fields = {{.name = "number", .kind = Kind::integer},
                     {.name = "label", .kind = Kind::category},
                     {.name = "same", .kind = Kind::category}};
    if (people != People::rows)
      schema.fields.push_back({.name = "person", .kind = Kind::integer, .roles = {Role::subject}});
    several_ = people == People::several_rows_each;
  }
  void add(std::int64_t person, std::size_t count, const Value& number, const Value& label) {
    for (std::size_t i = 0; i < count; ++i) {
      Record& row = rows.emplace_back();
      row.set("number", number);
      row.set("label", label);
      row.set("same", label);
      if (schema.fields.size() > 3)
        row.set("person", several_ ? person : static_cast<std::int64_t>(rows.size()));
    }
  }
  CodedTable coded(const CodingOptions& options = {}) const {
    return code_table(Table::from_records(schema, rows), options);
  }

 private:
  bool several_ = false;
};

// Five people with numbers of one part and with one label, six who have neither, and forty with six rows
// each.
Visits uneven(People people) {
  Visits out(people);
  std::int64_t person = 0;
  for (const std::size_t count : {10, 3, 3, 2, 1}) {
    ++person;
    out.add(person, count, 10 + person, "few");
  }
  for (const std::size_t count : {1, 1, 1, 1, 1, 20}) out.add(++person, count, {}, {});
  for (std::int64_t i = 0; i < 40; ++i) out.add(++person, 6, 1000 + i / 20, i % 2 == 0 ? "a" : "b");
  return out;
}

// Known rows of each person where `has(row)`, the most first.
std::vector<std::size_t> known_of(const CodedTable& coded, std::size_t column, const auto& has) {
  std::map<std::uint32_t, std::size_t> of;
  for (std::size_t row = 0; row < coded.rows; ++row)
    if (has(row)) of[coded.people[row]] += coded.codes[column][row] != coded.columns[column].pooled_code();
  std::vector<std::size_t> out;
  for (const auto& [person, count] : of) out.push_back(count);
  std::ranges::sort(out, std::greater());
  return out;
}

}  // namespace

TEST_CASE("A person with many rows keeps as many as leave no more than a share of them") {
  const Visits visits = uneven(People::several_rows_each);
  const CodedTable coded = visits.coded();
  const auto has_label = [&](const char* label) {
    return [&visits, label](std::size_t row) {
      const Value& own = *visits.rows[row].find("label");
      return !own.is_null() && own.text() == label;
    };
  };
  const auto has_nothing = [&](std::size_t row) { return visits.rows[row].find("label")->is_null(); };
  using Counts = std::vector<std::size_t>;
  REQUIRE(coded.columns[0].part_of(coded.columns[0].values[0]) ==
          coded.columns[0].part_of(coded.columns[0].values[4]));
  CHECK(known_of(coded, 0, has_label("few")) == Counts{4, 3, 3, 2, 1});  // a third of a part
  CHECK(known_of(coded, 1, has_label("few")) == Counts{1, 1, 1, 1, 1});  // a fifth of a label
  CHECK(known_of(coded, 1, has_label("a")) == Counts(20, 6));
  for (const std::size_t column : {0, 1})
    CHECK(known_of(coded, column, has_nothing) == Counts{1, 1, 1, 1, 1, 1});
  // Half with two people; nobody is protected with one.
  CHECK(known_of(visits.coded({.rare_below = 2}), 1, has_label("few")) == Counts{9, 3, 3, 2, 1});
  CHECK(known_of(visits.coded({.rare_below = 1}), 1, has_label("few")) == Counts{10, 3, 3, 2, 1});
  CHECK_FALSE(visits.coded({.rare_below = 1}).columns[1].pooled);
}

TEST_CASE("What is hidden is the same in columns that say the same, and at any number of threads") {
  const Visits visits = uneven(People::several_rows_each);
  const CodedTable coded = visits.coded({.threads = 1});
  CHECK(coded.codes[1] == coded.codes[2]);
  CHECK(coded.codes == visits.coded({.threads = 3}).codes);
  // Drawn, not the first ones.
  std::size_t hidden = 0;
  for (std::size_t row = 0; row < 10; ++row) hidden += coded.codes[1][row] == coded.columns[1].pooled_code();
  CHECK(hidden == 9);
  CHECK(coded.codes[1][0] == coded.columns[1].pooled_code());
}

TEST_CASE("Nothing is hidden where each row is a person") {
  const CodedTable rows = uneven(People::rows).coded(), people = uneven(People::one_row_each).coded();
  for (const std::size_t column : {0, 1, 2}) {
    CHECK_FALSE(rows.columns[column].pooled);
    CHECK(rows.codes[column] == people.codes[column]);
  }
}

TEST_CASE("Nobody has more than a share in any table, and nobody's rows are all hidden") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Visits visits(People::several_rows_each);
    Random random = Random(seed);
    for (std::int64_t person = 0; person < 60; ++person) {
      const double u = random.uniform();
      const auto count = static_cast<std::size_t>(1 + 200 * u * u * u * u);
      for (std::size_t i = 0; i < count; ++i) {
        const auto number = static_cast<std::int64_t>(40 * random.uniform() * random.uniform() + u * 30);
        visits.add(person, 1, random.uniform() < 0.1 ? Value() : Value(number),
                   random.uniform() < 0.5 ? Value("own " + std::to_string(person % 7)) : Value("all"));
      }
    }
    const CodedTable coded = visits.coded();
    for (const std::size_t column : {0, 1}) {
      const ColumnCoding& coding = coded.columns[column];
      std::map<std::uint32_t, std::map<std::uint32_t, std::size_t>> known;
      for (std::size_t row = 0; row < coded.rows; ++row) {
        const std::uint32_t code = coded.codes[column][row];
        if (code >= coding.missing_code()) continue;
        const auto place =
            static_cast<std::uint32_t>(column == 1 ? code : coding.part_of(coding.values[code]));
        ++known[place][coded.people[row]];
      }
      const std::size_t equals = column == 1 ? 5 : 3;
      for (const auto& [place, people] : known) {
        CHECK(people.size() >= 5);
        std::size_t all = 0, most = 0;
        for (const auto& [person, count] : people) all += count, most = std::max(most, count);
        CHECK(equals * most <= all);
      }
    }
  }
}

TEST_CASE("Combinations are those of all rows") {
  Visits visits(People::several_rows_each);
  visits.schema.groups = {{.kind = "combinations", .fields = {"number", "label"}}};
  // Of one of the five people some rows have no label any more, and some no number: too few have the pairs.
  for (std::int64_t person = 0; person < 5; ++person)
    for (std::int64_t number = 0; number < 20; ++number) visits.add(person, person < 4 ? 1 : 30, number, "x");
  for (std::int64_t person = 5; person < 60; ++person) visits.add(person, 3, 100, "y");
  CHECK(visits.coded().schema.groups[0].rows.size() == 21);
}

TEST_CASE("Unknown cells are spread evenly over those that are known") {
  std::vector<std::uint32_t> codes;
  for (std::uint32_t i = 0; i < 400; ++i) codes.push_back(i % 4 == 3 ? 9U : i % 2);
  detail::spread_evenly(codes, 9, 2);
  CHECK(std::ranges::count(codes, 9U) == 0);
  CHECK(std::abs(std::ranges::count(codes, 0U) - std::int64_t{267}) <= 1);
  CHECK(codes[0] == 0);
  CHECK(codes[1] == 1);
}

TEST_CASE("Of the rows of a leaf nobody keeps more than a share") {
  std::vector<std::uint32_t> who(200);
  std::iota(who.begin(), who.end(), 0U);
  std::fill_n(who.begin() + 20, 80, 20U);
  const auto kept = [&](std::size_t rare_below, std::uint32_t first, std::uint32_t last) {
    std::vector<std::uint32_t> rows(last - first);
    std::iota(rows.begin(), rows.end(), first);
    detail::drop_surplus(who, rare_below, rows);
    CHECK(std::ranges::is_sorted(rows));
    const auto of_one = std::ranges::count_if(rows, [&](std::uint32_t row) { return who[row] == 20; });
    return std::pair{static_cast<std::ptrdiff_t>(rows.size()) - of_one, of_one};
  };
  using Counts = std::pair<std::ptrdiff_t, std::ptrdiff_t>;
  CHECK(kept(5, 0, 120) == Counts{40, 10});  // a fifth
  CHECK(kept(2, 0, 120) == Counts{40, 40});  // a half
  CHECK(kept(1, 0, 120) == Counts{40, 80});
  CHECK(kept(5, 0, 25) == Counts{20, 5});   // has no more
  CHECK(kept(5, 98, 101) == Counts{1, 1});  // fewer people than five
  CHECK(kept(5, 120, 120) == Counts{0, 0});
}
