#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "generate/tabular_tables.hpp"
#include "src/generate/tabular/fresh_identifiers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

using namespace synthema;
using testing::quantile;

namespace {

Table one_column(Field field, const std::vector<Value>& values) {
  Schema schema;
  schema.fields = {field};
  std::vector<Record> records;
  for (const Value& value : values) records.push_back({{field.name, value}});
  return Table::from_records(schema, records);
}

std::vector<Value> drawn(const Table& table, std::size_t rows, CodingOptions options = {}) {
  const CodedTable coded = code_table(table, options);
  const ColumnCoding& coding = coded.columns[0];
  std::vector<double> cells;
  const OwnedCounts counts = count_codes(coding, coded.codes[0]);
  for (std::size_t row = 0; row < rows && coding.modelled(); ++row)
    cells.push_back(draw_cell(coding, counts.view(), Random(9).block(row, 0)));
  const Column column = decode_column(coding, cells, rows, Random(9));
  std::vector<Value> out;
  for (std::size_t row = 0; row < rows; ++row) out.push_back(column.value_at(row));
  return out;
}

}  // namespace

TEST_CASE("Decimals, whole numbers and days keep their resolution") {
  std::vector<Value> decimals, tens, days;
  for (int i = 0; i < 200; ++i) {
    decimals.emplace_back(std::round((36 + 0.01 * ((i * 37) % 500)) * 100) / 100);
    tens.emplace_back(std::int64_t{10} * ((i * 17) % 90) - 50);
    days.emplace_back(Timestamp{std::int64_t{86400000000} * (17000 + i * 7 % 300)});
  }
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::real}, decimals), 500)) {
    const double x = *v.get_if<double>();
    CHECK(x == std::round(x * 100) / 100);
  }
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::integer}, tens), 500))
    CHECK(*v.get_if<std::int64_t>() % 10 == 0);
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::time}, days), 500))
    CHECK(v.get_if<Timestamp>()->microseconds % 86400000000 == 0);
}

TEST_CASE("What one person has is not drawn; what few have is not drawn as it is where others may stand in") {
  std::vector<Value> values;
  for (int i = 0; i < 300; ++i)
    values.emplace_back(std::int64_t{1000} + 13 * i + i * i % 7);  // all different
  std::set<std::int64_t> real;
  for (const Value& v : values) real.insert(*v.get_if<std::int64_t>());
  std::size_t different = 0;
  std::set<std::int64_t> seen;
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::integer}, values), 2000)) {
    CHECK_FALSE(real.contains(*v.get_if<std::int64_t>()));
    different += seen.insert(*v.get_if<std::int64_t>()).second;
  }
  CHECK(different > 500);
  // 990 rows of frequent values and ten of rare ones: the rare ones are replaced, the mean stays.
  values.clear();
  for (int i = 0; i < 990; ++i) values.emplace_back(std::int64_t{10} * (i % 3));
  for (int i = 0; i < 10; ++i) values.emplace_back(std::int64_t{11 + i % 5});
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::integer}, values), 2000))
    CHECK(*v.get_if<std::int64_t>() % 10 == 0);
}

namespace {

// Normal numbers by Box and Muller.
double normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(2 * M_PI * random.uniform());
}

}  // namespace

TEST_CASE("A rounded measurement keeps its tails, but not what one person at an end has") {
  // As body mass indices: 97 % of the rows have a value that five people share, none of them in the tails.
  std::vector<double> real;
  std::vector<Value> values;
  for (std::size_t row = 0; row < 4000; ++row) {
    Random random = Random(5).stream(row);
    real.push_back(std::round(10 * (25 + 4 * normal(random))) / 10);
    values.emplace_back(real.back());
  }
  const Table table = one_column({.name = "bmi", .kind = Kind::real}, values);
  const ColumnCoding coding = code_table(table, {}).columns[0];
  std::vector<double> frequent;
  std::set<double> single;
  for (std::size_t code = 0; code < coding.values.size(); ++code) {
    if (coding.protection[code] == Protection::none) frequent.push_back(coding.number(coding.values[code]));
    if (coding.protection[code] == Protection::single) single.insert(coding.number(coding.values[code]));
  }
  std::vector<double> made;
  for (const Value& v : drawn(table, 20'000)) made.push_back(*v.get_if<double>());
  CHECK(std::ranges::max(made) > std::ranges::max(frequent) + 2);
  CHECK(std::ranges::min(made) < std::ranges::min(frequent) - 2);
  for (const double share : {0.001, 0.01, 0.99, 0.999})
    CHECK(std::abs(quantile(made, share) - quantile(real, share)) <
          (share == 0.01 || share == 0.99 ? 0.4 : 1.0));
  // No mass where the frequent values end.
  const auto share_at = [](const std::vector<double>& of, double x) {
    return static_cast<double>(std::ranges::count(of, x)) / static_cast<double>(of.size());
  };
  for (const double end : {std::ranges::min(frequent), std::ranges::max(frequent)})
    CHECK(share_at(made, end) < share_at(real, end) + 0.002);
  // Nobody's own value, nor the extreme of one person.
  for (const double x : made) CHECK_FALSE(single.contains(x));
  REQUIRE(single.contains(std::ranges::max(real)));
  CHECK(std::ranges::max(made) <= quantile(real, 1 - 1.0 / 3999));
  CHECK(std::ranges::min(made) >= quantile(real, 1.0 / 3999));
}

TEST_CASE("What few rows of a leaf have is drawn as it is only where people round to it") {
  std::vector<Value> values;
  for (int i = 0; i < 600; ++i) values.emplace_back(std::int64_t{i % 100});
  for (int i = 0; i < 60; ++i) values.emplace_back(std::int64_t{50});
  const CodedTable coded = code_table(one_column({.name = "x", .kind = Kind::integer}, values), {});
  const ColumnCoding& coding = coded.columns[0];
  REQUIRE(coding.values.size() == 100);
  CHECK(coding.is_exact(50, 1));
  CHECK_FALSE(coding.is_exact(20, 4));
  CHECK(coding.is_exact(20, 5));
  // 20 lies between 10 and 50, with 90 beyond what is given as it is.
  const OwnedCounts leaf = count_codes(coding, {10, 20, 50, 90, 91, 91, 91, 91, 91});
  constexpr int kDraws = 200'000;
  std::vector<double> drawn(100);
  for (std::uint64_t i = 0; i < kDraws; ++i)
    drawn[static_cast<std::size_t>(draw_cell(coding, leaf.view(), Random(4).block(i, 0)))] += 1.0 / kDraws;
  CHECK(drawn[50] > 0.98 / 9);
  CHECK(drawn[50] < 1.2 / 9);
  CHECK(drawn[91] >= 5.0 / 9);
  CHECK(drawn[20] < 0.05 / 9 * 5);
  double sum = 0;
  for (std::size_t x = 0; x < drawn.size(); ++x) {
    const double share = std::exp(log_density(coding, leaf.view(), static_cast<double>(x)));
    sum += share;
    CHECK(std::abs(share - drawn[x]) < 5 * std::sqrt(share / kDraws) + 1e-4);
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-9));
  // Few different numbers are a list.
  std::vector<Value> scores;
  for (int i = 0; i < 600; ++i) scores.emplace_back(std::int64_t{i % 15});
  CHECK(
      code_table(one_column({.name = "x", .kind = Kind::integer}, scores), {}).columns[0].exact_from.empty());
}

TEST_CASE("A list of particular numbers gets no new ones, unless its tail would pile up") {
  std::vector<Value> values;
  for (int i = 0; i < 2000; ++i) values.emplace_back(std::int64_t{500} * (1 + i % 40));  // heaped
  for (int i = 0; i < 8; ++i) values.emplace_back(std::int64_t{1007 + 1100 * i});  // and some that are not
  const Field field{.name = "income", .kind = Kind::integer};
  for (const Value& v : drawn(one_column(field, values), 5000)) CHECK(*v.get_if<std::int64_t>() % 500 == 0);
  // 110 rows beyond 20,000, whose highest value 50 rows have.
  for (int i = 0; i < 110; ++i) values.emplace_back(std::int64_t{20'500} + 211 * i);
  std::size_t beyond = 0;
  for (const Value& v : drawn(one_column(field, values), 20'000))
    beyond += *v.get_if<std::int64_t>() > 20'000;
  CHECK(beyond > 600);
  CHECK(beyond < 1500);
}

TEST_CASE("Who are at an end is counted by subjects") {
  Schema schema;
  schema.fields = {{.name = "patient", .kind = Kind::integer, .roles = {Role::subject}},
                   {.name = "dose", .kind = Kind::integer}};
  std::vector<Record> records;
  for (std::int64_t i = 0; i < 400; ++i)
    records.push_back({{"patient", i < 20 ? std::int64_t{7} : i}, {"dose", i < 20 ? 10'000 + i : i}});
  const CodedTable coded = code_table(Table::from_records(schema, records), {});
  const ColumnCoding& coding = coded.columns[1];
  const OwnedCounts counts = count_codes(coding, coded.codes[1]);
  // Twenty doses, but of one patient: the end reaches down to others.
  CHECK(coding.number(coding.values[coding.high_tail]) < 400);
  CHECK(coding.number(coding.highest) < 10'019);
  for (std::uint64_t row = 0; row < 2000; ++row)
    CHECK(draw_cell(coding, counts.view(), Random(1).block(row, 0)) <= coding.highest);
}

TEST_CASE("A declared label that nobody has is held back as one that few have is") {
  // Else who knows the declared list sees in that of a sample which labels somebody has.
  Field field{.name = "x", .kind = Kind::category, .categories = {"a", "b", "c"}};
  std::vector<Value> rows;
  for (int i = 0; i < 100; ++i) rows.emplace_back(i % 2 ? "a" : "b");
  const ColumnCoding nobody = code_table(one_column(field, rows), {}).columns[0];
  rows.emplace_back("c");
  const ColumnCoding one = code_table(one_column(field, rows), {}).columns[0];
  for (const ColumnCoding& coding : {nobody, one}) {
    CHECK(coding.labels == std::vector<std::string>{"a", "b"});
    CHECK(coding.field.categories == coding.labels);
  }
}

TEST_CASE("Rare labels are not handed on, and none is in the dictionary") {
  std::vector<Value> labels;
  for (int i = 0; i < 100; ++i) labels.emplace_back(i % 2 ? "a" : "b");
  labels.emplace_back("only me");
  const Table table = one_column({.name = "x", .kind = Kind::category}, labels);
  const CodedTable coded = code_table(table, {});
  CHECK(coded.columns[0].labels.size() == 2);
  for (const Value& v : drawn(table, 500)) CHECK(v.text() != "only me");
  // Without protection it is.
  std::set<std::string> seen;
  for (const Value& v : drawn(table, 2000, {.rare_below = 1})) seen.insert(v.text());
  CHECK(seen.contains("only me"));
}

TEST_CASE("People are subjects where the schema names one") {
  Schema schema;
  schema.fields = {{.name = "patient", .kind = Kind::integer, .roles = {Role::subject}},
                   {.name = "code", .kind = Kind::category}};
  std::vector<Record> records;
  for (int i = 0; i < 60; ++i)
    records.push_back({{"patient", std::int64_t{i < 20 ? 1 : i}}, {"code", i < 20 ? "his" : "theirs"}});
  const CodedTable coded = code_table(Table::from_records(schema, records), {});
  CHECK(coded.columns[1].labels == std::vector<std::string>{"theirs"});
}

TEST_CASE(
    "Rows of few people are as few as the people, and what is constant in each is nobody's in a sample") {
  Schema schema;
  schema.fields = {{.name = "height", .kind = Kind::real},
                   {.name = "patient", .kind = Kind::integer, .roles = {Role::subject}}};
  std::set<double> heights;
  const auto patients = [&](std::int64_t people) {
    std::vector<Record> records;
    for (std::int64_t i = 0; i < 50 * people; ++i) {
      const double height = 150 + 0.37 * static_cast<double>((i % people) * (i % people));
      heights.insert(height);
      records.push_back({{"height", height}, {"patient", i % people}});
    }
    return Table::from_records(schema, records);
  };
  CHECK_THROWS_WITH_AS(code_table(patients(4), {}),
                       doctest::Contains("200 rows of 4 people, fewer than the 5"), GenerationError);
  CHECK_THROWS_WITH_AS(code_table(patients(1), {}), doctest::Contains("of a single person"), GenerationError);
  CHECK_NOTHROW(code_table(patients(4), {.rare_below = 4}));
  heights.clear();
  for (const Value& v : drawn(patients(12), 2000)) CHECK_FALSE(heights.contains(*v.get_if<double>()));
}

TEST_CASE("Identifiers are new, different, and look like the real ones") {
  std::vector<Value> ids;
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(1000 + (i * 7919) % 9000);
    ids.emplace_back("P-" + number + static_cast<char>('a' + i % 26));
  }
  std::set<std::string> real, made;
  for (const Value& v : ids) real.insert(v.text());
  for (const Value& v :
       drawn(one_column({.name = "id", .kind = Kind::text, .roles = {Role::identifier}}, ids), 1000)) {
    const std::string& text = v.text();
    CHECK_FALSE(real.contains(text));
    CHECK(made.insert(text).second);
    CHECK(text.size() == 7);
    CHECK(text.substr(0, 2) == "P-");
    CHECK(std::isdigit(text[2]));
    CHECK(std::islower(text[6]));
  }
  std::vector<Value> rows;
  for (int i = 0; i < 100; ++i) rows.emplace_back(std::int64_t{i});
  const auto counted = drawn(one_column({.name = "row", .kind = Kind::integer}, rows), 3);
  CHECK(*counted[0].get_if<std::int64_t>() == 100);
  CHECK(*counted[2].get_if<std::int64_t>() == 102);
}

TEST_CASE("Labels of which few people have any are missing in all samples") {
  for (const Kind kind : {Kind::text, Kind::category}) {
    Field field{.name = "died", .kind = kind};
    if (kind == Kind::category) field.categories = {"N", "Y"};
    std::vector<Value> flags(300);
    const auto coded = [&] { return code_table(one_column(field, flags), {}).columns[0]; };
    for (std::size_t row = 0; row < 4; ++row) flags[row] = "Y";
    const ColumnCoding few = coded();
    CHECK(few.form == CodingForm::absent);
    CHECK(few.missing);
    CHECK(few.field.categories.empty());
    for (const Value& value : drawn(one_column(field, flags), 50)) CHECK(value.is_null());
    flags[4] = "Y";
    CHECK(coded().form == CodingForm::category);
    for (std::size_t row = 0; row < 5; ++row) flags[row] = row < 2 ? "N" : "Y";
    CHECK_THROWS_AS(coded(), SchemaError);  // five people have one: it may be a free text
  }
}

TEST_CASE("What cannot be learnt is refused by name") {
  std::vector<Value> notes;
  for (int i = 0; i < 50; ++i) notes.emplace_back("The patient number " + std::to_string(i) + " feels well.");
  CHECK_THROWS_WITH_AS(code_table(one_column({.name = "note", .kind = Kind::text}, notes), {}),
                       doctest::Contains("note"), SchemaError);
  const Table few = one_column({.name = "x", .kind = Kind::integer}, {Value(1), Value(2)});
  CHECK_THROWS_WITH_AS(code_table(few, {}), doctest::Contains("2 rows"), GenerationError);
  CHECK_THROWS_AS(code_table(few, {.rare_below = 0}), ConfigError);
  CHECK_THROWS_AS(code_table(one_column({.name = "x", .kind = Kind::category},
                                        {Value("a"), Value("b"), Value("c"), Value("d"), Value("e")}),
                             {}),
                  SchemaError);
}

TEST_CASE("A column without values stays so, and a constant one constant") {
  for (const Kind kind : {Kind::real, Kind::integer, Kind::boolean, Kind::time, Kind::category, Kind::text}) {
    const Table table = one_column({.name = "x", .kind = kind}, std::vector<Value>(20));
    for (const Value& v : drawn(table, 7)) CHECK(v.is_null());
  }
  for (const Value& v :
       drawn(one_column({.name = "x", .kind = Kind::real}, std::vector<Value>(20, Value(2.5))), 7))
    CHECK(v == Value(2.5));
}

TEST_CASE("The schema's decimals are kept, and arithmetic in binary adds none") {
  std::vector<Value> values;
  for (int i = 0; i < 400; ++i) values.emplace_back(60 + i * 0.137);
  for (const std::uint32_t decimals : {0U, 1U}) {
    const double power = decimals == 0 ? 1 : 10;
    for (const Value& v :
         drawn(one_column({.name = "x", .kind = Kind::real, .decimals = decimals}, values), 300)) {
      const double number = *v.get_if<double>();
      CHECK(number == std::nearbyint(number * power) / power);
    }
  }
  // More decimals than the values have add none.
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::real, .decimals = 6}, values), 300)) {
    const double number = *v.get_if<double>();
    CHECK(number == std::nearbyint(number * 1000) / 1000);
  }
  // 62.142154690000005 is 62.14215469 after a sum.
  std::vector<Value> noisy;
  for (int i = 0; i < 400; ++i) {
    const double v = std::nearbyint((60 + i * 0.1371) * 1e8) / 1e8;
    noisy.emplace_back(i % 3 == 0 ? std::nextafter(v, 1e3) : v);
  }
  const CodedTable coded = code_table(one_column({.name = "x", .kind = Kind::real}, noisy), {});
  CHECK(coded.columns[0].grid);
  CHECK(coded.columns[0].cell_of_number(*noisy[0].get_if<double>()) == 0);
  for (const Value& v : drawn(one_column({.name = "x", .kind = Kind::real}, noisy), 300)) {
    const double number = *v.get_if<double>();
    CHECK(number == std::nearbyint(number * 1e8) / 1e8);
  }
  // Numbers of full precision keep it.
  std::vector<Value> full;
  for (int i = 0; i < 100; ++i) full.emplace_back(std::sqrt(2.0 + i));
  CHECK_FALSE(code_table(one_column({.name = "x", .kind = Kind::real}, full), {}).columns[0].grid);
}

TEST_CASE("A range that leaves few people is refused") {
  std::vector<Value> ages;
  for (std::int64_t i = 0; i < 200; ++i) ages.emplace_back(20 + i % 40);
  const auto with = [&](int beyond) {
    std::vector<Value> out = ages;
    for (int i = 0; i < beyond; ++i) out.emplace_back(std::int64_t{91 + i});
    return one_column({.name = "age", .kind = Kind::integer, .minimum = 90, .maximum = 100}, out);
  };
  CHECK_THROWS_WITH_AS(code_table(with(1), {}), doctest::Contains("fewer than 5 people"), GenerationError);
  CHECK_THROWS_AS(code_table(with(4), {}), GenerationError);
  CHECK_NOTHROW(code_table(with(5), {}));
  CHECK_NOTHROW(code_table(with(4), {.rare_below = 4}));
  CHECK_THROWS_AS(refuse_few_in_range(with(1), 5), GenerationError);
}

TEST_CASE("Where identifiers run out, their last number grows") {
  for (const std::string& made : detail::fresh_identifiers("\\u99@b.de", {}, 300, Random(2))) {
    CHECK(made.size() == 9);
    CHECK(made.find("@b.de") == 4);
  }
  CHECK(detail::fresh_identifiers("99", {}, 300, Random(2))[0].size() == 3);
  CHECK(detail::fresh_identifiers("A-A", {}, 400, Random(2))[0].size() == 4);  // no number: at the end
}

TEST_CASE("identifiers of hexadecimal digits are drawn as such") {
  std::vector<std::string> uuids;
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    std::string text = "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";
    for (char& c : text)
      if (c == 'x') c = "0123456789abcdef"[random.below(16)];
    uuids.push_back(text);
  }
  const std::vector<std::string_view> views(uuids.begin(), uuids.end());
  const std::string pattern = detail::identifier_pattern(views, 5);
  CHECK(pattern == "hhhhhhhh-hhhh-\\4hhh-hhhh-hhhhhhhhhhhh");
  for (const std::string& made : detail::fresh_identifiers(pattern, {}, 50, Random(2))) {
    REQUIRE(made.size() == 36);
    CHECK(made[14] == '4');
    CHECK(made.find_first_not_of("0123456789abcdef-") == std::string::npos);
  }
  const std::string_view upper[] = {"0AF3-7", "1BC2-7", "99E1-7", "A0A0-7", "12BB-7"};
  CHECK(detail::identifier_pattern(upper, 5) == "HHHH-\\7");
  const std::string_view plain[] = {"AB12", "CD34", "EF56", "BA78", "FA90"};
  CHECK(detail::identifier_pattern(plain, 5) == "AA99");  // what says more of equal shares
}
