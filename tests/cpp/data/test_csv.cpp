#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "synthema/data/csv.hpp"
#include "synthema/data/digest.hpp"

using namespace synthema;

namespace {

Kind kind_of(const std::string& values) {
  return read_csv("a,b\n" + values).schema().fields[0].kind;
}

std::string written(const Table& table, const CsvOptions& options = {}) {
  std::ostringstream out;
  write_csv(table, out, options);
  return out.str();
}

Schema all_kinds() {
  Schema schema;
  schema.fields = {{.name = "i", .kind = Kind::integer}, {.name = "x", .kind = Kind::real},
                   {.name = "b", .kind = Kind::boolean}, {.name = "c", .kind = Kind::category},
                   {.name = "t", .kind = Kind::text},    {.name = "w", .kind = Kind::time},
                   {.name = "l", .kind = Kind::list}};
  return schema;
}

}  // namespace

TEST_CASE("quotes, doubled quotes, newlines, CRLF and the UTF-8 mark") {
  const Table table = read_csv("\xEF\xBB\xBFname,\"no,te\"\r\n\"a \"\"b\"\"\",\"one\r\ntwo\"\r\n,\"\"");
  CHECK(table.schema().fields[0].name == "name");
  CHECK(table.schema().fields[1].name == "no,te");
  CHECK(table.column(0).text_at(0) == "a \"b\"");
  CHECK(table.column(1).text_at(0) == "one\r\ntwo");
  CHECK(table.column(0).is_null(1));
  CHECK(table.column(1).value_at(1) == Value(""));  // quoted: an empty text, not a missing one
}

TEST_CASE("numbers with a decimal comma, and dates that begin with the day or the month") {
  const CsvOptions german{.delimiter = ';', .decimal = ',', .dates = DateOrder::day_first};
  const std::string text =
      "id;dose;born;seen;code\n"
      "7;1,5;31.10.1959;1.2.2026 8:05;1.234,5\n"
      "-8;-0,25;01/02/1960;2026-02-03T09:06:07.5;3.5\n"
      "9;2;1-2-1961;;\"x\"\n";
  const Table table = read_csv(text, german);
  const auto& fields = table.schema().fields;
  CHECK(fields[0].kind == Kind::integer);
  CHECK(fields[1].kind == Kind::real);
  CHECK(fields[2].kind == Kind::time);
  CHECK(fields[3].kind == Kind::time);
  CHECK(fields[4].kind == Kind::text);  // a point is no part of a number
  CHECK(table.column(1).value_at(0) == Value(1.5));
  CHECK(table.column(1).value_at(1) == Value(-0.25));
  CHECK(table.column(4).text_at(0) == "1.234,5");
  CHECK(written(table) ==
        "id,dose,born,seen,code\n7,1.5,1959-10-31,2026-02-01T08:05:00,\"1.234,5\"\n"
        "-8,-0.25,1960-02-01,2026-02-03T09:06:07.5,3.5\n9,2.0,1961-02-01,,x\n");
  CHECK(written(table, german) ==
        "id;dose;born;seen;code\n7;1,5;1959-10-31;2026-02-01T08:05:00;1.234,5\n"
        "-8;-0,25;1960-02-01;2026-02-03T09:06:07.5;3.5\n9;2,0;1961-02-01;;x\n");
  const Table again = read_csv(written(table, german), german);
  CHECK(content_digest(again) == content_digest(table));

  CHECK(read_csv("a,b\n10/31/1959,\n", {.dates = DateOrder::month_first}).schema().fields[0].kind ==
        Kind::time);
  const CsvOptions day_first{.dates = DateOrder::day_first};
  const auto kind = [&](const std::string& value) {
    return read_csv("a,b\n" + value + ",\n", day_first).schema().fields[0].kind;
  };
  for (const char* none : {"10/31/1959", "31.10/1959", "31.10.59", "31.10.19591", "31.10.", "31", ".10.1959",
                           "31.10.1959x", "31.10.1959 8", "31.10.1959 8:5"})
    CHECK(kind(none) != Kind::time);
  CHECK(kind("31.10.1959T08:05Z") == Kind::time);

  Schema real;
  real.fields = {{.name = "a", .kind = Kind::real}};
  CHECK_THROWS_WITH_AS(read_csv("a\n1.5\n", {.delimiter = ';', .decimal = ',', .schema = &real}),
                       "line 2, column 1, field 'a': The field holds no finite number.", ParseError);
  CHECK_THROWS_AS(read_csv("a,b\n", {.decimal = ','}), ConfigError);
  CHECK_THROWS_AS(read_csv("a;b\n", {.delimiter = ';', .decimal = '\''}), ConfigError);
}

TEST_CASE("kinds are inferred from all rows, and codes stay text") {
  CHECK(kind_of("1,\n-20,\n,\n0,") == Kind::integer);
  CHECK(kind_of("1,\n2.5,\n1e-3,") == Kind::real);
  CHECK(kind_of("008,\n250,") == Kind::text);  // ICD-9 codes and postcodes keep their zeros
  CHECK(kind_of("00.5,") == Kind::text);
  CHECK(kind_of("+4,") == Kind::text);
  CHECK(kind_of("9223372036854775807,\n-9223372036854775808,") == Kind::integer);
  CHECK(kind_of("9223372036854775808,\n1,") == Kind::text);  // long numbers of people keep their digits
  CHECK(kind_of("1,\n-9223372036854775809,") == Kind::text);
  CHECK(kind_of((std::string(400, '9') + ",\n1.5,").c_str()) == Kind::text);
  CHECK(kind_of("9223372036854775808.5,\n1e19,") == Kind::real);
  CHECK(kind_of("nan,") == Kind::text);
  CHECK(kind_of("1e999,") == Kind::text);
  CHECK(kind_of("true,\nFALSE,") == Kind::boolean);
  CHECK(kind_of("2020-01-01,\n2020-01-02T03:04,") == Kind::time);
  CHECK(kind_of("2020-01-01T00:00Z,\n2020-01-02T03:04,") == Kind::text);
  CHECK(kind_of("f,\nm,\nf,\nm,") == Kind::category);
  CHECK(kind_of("f,\nm,\nx,\nm,") == Kind::text);
  CHECK(kind_of(",\n,") == Kind::text);
}

TEST_CASE("options: delimiter, markers, trim, header") {
  const Table table =
      read_csv("1; NA ;?\n2; x ;y\n",
               {.delimiter = ';', .missing = {"NA", "?"}, .trim = true, .header = {"a", "b", "c"}});
  CHECK(table.rows() == 2);
  CHECK(table.column("b").is_null(0));
  CHECK(table.column("b").text_at(1) == "x");
  CHECK(table.column("c").is_null(0));
  CHECK(read_csv("a,b\n x,NA\n").column("a").text_at(0) == " x");
  CHECK(read_csv("a,b\n x,NA\n").column("b").text_at(0) == "NA");
  CHECK(read_csv(",x\n1,2\n").schema().fields[0].name == "column_1");
  for (const char* blank : {"\n\n\n", ",,\nname,age,sex\n", "  \n \n", "\xef\xbb\xbf\r\n1\r\n"})
    CHECK_THROWS_WITH_AS(read_csv(blank, {.file = "f.csv"}),
                         doctest::Contains("f.csv, line 1: The first line names no"), ParseError);
  CHECK(read_csv("\" \"\n1\n").schema().fields[0].name == " ");
  CHECK(read_csv("a,b\n1,2\n\n3,4\n\n").rows() == 2);
  CHECK(read_csv("a\n1\n\n3\n").column(0).null_count() == 1);
  CHECK(read_csv("a,b\n").rows() == 0);
  CHECK_THROWS_AS(read_csv("a\n", {.delimiter = '"'}), ConfigError);
}

TEST_CASE("what is broken is refused with its place and without its value") {
  const auto refused = [](std::string_view text, const char* part) {
    CHECK_THROWS_WITH_AS(read_csv(text, {.file = "f.csv"}), doctest::Contains(part), ParseError);
  };
  refused("", "f.csv: The file is empty");
  refused("a,b\n1\n", "f.csv, line 2: The row has 1 field, but the file has 2 columns.");
  refused("a,b\n1,2,3\n", "line 2");
  refused("a,b\n\"x\ny\",1\n\"z,2\n", "line 4, column 1");
  refused("a,b\nx,y\"z\n", "line 2, column 4");
  refused("a,b\nx,\"y\"z\n", "line 2, column 6");
  refused("a,b\nx\ry,1\n", "line 2, column 2");
  refused("a,b\nok,\xff\n", "line 2, column 4");
  refused("a,b,a\n", "line 1: Columns 1 and 3 of the header have the same name");
  refused("a;b\n1;2\n", "line 1: The file has a single column, whose name holds ';'");
  refused("a\tb\n1\t2\n", "give a tab as the delimiter");
  refused(
      "\xFF\xFE"
      "a",
      "UTF-16");
}

TEST_CASE("a number that is not finite is refused with its place, and makes no labels of the others") {
  const auto refused = [](std::string_view text, const char* part) {
    CHECK_THROWS_WITH_AS(read_csv(text, {.file = "f.csv"}), doctest::Contains(part), ParseError);
    CHECK_THROWS_WITH_AS(csv_shape(text, {.file = "f.csv"}), doctest::Contains(part), ParseError);
  };
  refused("a,b\n1,2\n3,inf\n4,-inf\n", "f.csv, line 3, column 3, field 'b': The number is not finite");
  refused("a\n1.5\n1e400\n", "line 3, column 1");
  refused("a\n-Infinity\n2\nNA\n", "line 2, column 1");
  refused("a\n+INF\n2\n", "Leave the field empty");
  const auto kind = [](std::string_view text) { return read_csv(text).column(0).kind(); };
  CHECK(kind("a\ninf\ninf\n") == Kind::category);  // labels, which no number stands beside
  CHECK(kind("a\ninf\n1\nsup\n") == Kind::text);
  Schema schema{.fields = {{.name = "a"}}};
  CHECK(read_csv("a\n1\ninf\n", {.schema = &schema}).column(0).text_at(1) == "inf");
  schema.fields[0].kind = Kind::real;
  CHECK_THROWS_WITH_AS(read_csv("a\n1\ninf\n", {.schema = &schema}), doctest::Contains("is not finite"),
                       ParseError);
}

TEST_CASE("a first line that is no header is not told") {
  const Schema schema{.fields = {{.name = "a"}, {.name = "b"}, {.name = "c"}}};
  for (const std::string text :
       {"Jane Roe,555-1234,f\nx,y,z\n", "c,Jane Roe,555-1234\n", "Jane,Roe,Jane\n"}) {
    try {
      static_cast<void>(read_csv(text, {.schema = &schema}));
      FAIL("it was read");
    } catch (const ParseError& error) {
      const std::string told = error.what();
      CHECK(told.find("Jane") == std::string::npos);
      CHECK(told.find("header") != std::string::npos);
      CHECK(told.find("olumn") != std::string::npos);
    }
  }
}

TEST_CASE("with a schema every field must fit, and the message says where it does not") {
  const Schema schema = all_kinds();
  const auto refused = [&](const std::string& row, const char* part) {
    CHECK_THROWS_WITH_AS(read_csv("i,x,b,c,t,w,l\n" + row, {.schema = &schema, .file = "f.csv"}),
                         doctest::Contains(part), ParseError);
  };
  CHECK_NOTHROW(read_csv("i,x,b,c,t,w,l\n1,2,true,a,b,2020-01-01,\"[\"\"x\"\"]\"\n", {.schema = &schema}));
  refused("x9,,,,,,\n", "f.csv, line 2, column 1, field 'i': The field holds no finite number");
  refused("1.5,,,,,,\n", "field 'i'");
  refused(",1e999,,,,,\n", "line 2, column 2, field 'x'");
  refused(",inf,,,,,\n", "field 'x'");
  refused(",,maybe,,,,\n", "field 'b'");
  refused(",,,,,01/02/2020,\n", "field 'w'");
  refused(",,,,,2020-01-01T00:00,\n,,,,,2020-01-01T00:00Z,\n", "line 3, column 6, field 'w'");
  refused(",,,,,,[1\n", "field 'l'");
  refused(",,,,,,3\n", "field 'l'");
  CHECK_THROWS_WITH_AS(read_csv("i\n1\n", {.schema = &schema}), doctest::Contains("field 'x'"), ParseError);
  CHECK_THROWS_WITH_AS(read_csv("i,x,b,c,t,w,l,more\n", {.schema = &schema}),
                       doctest::Contains("field 'more'"), ParseError);
}

TEST_CASE("columns are found by name, whatever their order") {
  Schema schema;
  schema.fields = {{.name = "a", .kind = Kind::integer}, {.name = "b"}};
  CHECK(read_csv("b,a\n007,007\n", {.schema = &schema}).record(0) == Record{{"a", 7}, {"b", "007"}});
}

TEST_CASE("what is written reads back exactly") {
  const std::vector<Record> records{{{"i", 1},
                                     {"x", 0.1},
                                     {"b", true},
                                     {"c", "a,b"},
                                     {"t", ""},
                                     {"w", Timestamp{1}},
                                     {"l", ValueList{"p", Value{}}}},
                                    {},
                                    {{"i", -5},
                                     {"x", -0.0},
                                     {"b", false},
                                     {"c", " a"},
                                     {"t", "say \"x\"\r\ny"},
                                     {"w", Timestamp{-1}},
                                     {"l", ValueList{}}},
                                    {{"i", 0}, {"x", 1e300}, {"c", "NA"}, {"t", "NA"}}};
  const Schema schema = all_kinds();
  const Table table = Table::from_records(schema, records);
  for (const char* missing : {"", "NA"}) {
    const CsvOptions options{.delimiter = ';', .missing = {missing}, .schema = &schema};
    CHECK(content_digest(read_csv(written(table, options), options)) == content_digest(table));
  }
  CHECK(written(table.head(0)) == "i,x,b,c,t,w,l\n");
}

TEST_CASE("NA and its kin are missing among numbers and times, and labels among labels") {
  const Table table =
      read_csv("n,x,t,s,b\n1,NA,2020-01-01,NA,true\nNaN,2.5,.,yes,NA\n3,n/a,NULL,yes,false\n");
  CHECK(table.column("n").kind() == Kind::integer);
  CHECK(table.column("n").null_count() == 1);
  CHECK(table.column("x").kind() == Kind::real);
  CHECK(table.column("x").null_count() == 2);
  CHECK(table.column("t").kind() == Kind::time);
  CHECK(table.column("t").null_count() == 2);
  CHECK(table.column("b").kind() == Kind::boolean);
  CHECK(table.column("b").is_null(1));
  CHECK(table.column("s").text_at(0) == "NA");
  CHECK(table.column("s").null_count() == 0);
  CHECK(read_csv("a\nNA\nNA\n").column("a").text_at(0) == "NA");
  CHECK(read_csv("a,b\n1,2\nsome,3\nNA,4\n").column("a").text_at(2) == "NA");
  Schema schema;
  for (const Field& field : table.schema().fields) schema.fields.push_back(field);
  const Table again = read_csv("n,x,t,s,b\n1,NA,2020-01-01,NA,true\nNaN,2.5,.,yes,NA\n3,n/a,NULL,yes,false\n",
                               {.schema = &schema});
  CHECK(content_digest(again) == content_digest(table));
  schema.fields = {{.name = "n", .kind = Kind::integer, .nullable = false}};
  CHECK_THROWS_AS(read_csv("n\nNA\n", {.schema = &schema}), ParseError);
}

TEST_CASE("a single column keeps its missing values") {
  Schema schema;
  schema.fields = {{.name = "t"}};
  const Table table = Table::from_records(schema, std::vector<Record>{{}, {{"t", ""}}, {}});
  CHECK(written(table) == "t\n\n\"\"\n\n");
  CHECK(content_digest(read_csv(written(table), {.schema = &schema})) == content_digest(table));
}

TEST_CASE("a single column may be named by what usually separates, in quotes") {
  const Table table = read_csv("\"a;b\"\n1\n");
  CHECK(table.schema().fields[0].name == "a;b");
  CHECK(written(table) == "\"a;b\"\n1\n");
  CHECK(read_csv("a;b\n1;2\n", {.delimiter = ';'}).columns() == 2);
}

TEST_CASE("files: read, empty and missing") {
  const auto path = std::filesystem::temp_directory_path() / "synthema_test.csv";
  std::ofstream(path, std::ios::binary) << "a\n1\n";
  CHECK(read_csv_file(path.string()).rows() == 1);
  std::ofstream(path, std::ios::binary).flush();
  CHECK_THROWS_WITH_AS(read_csv_file(path.string()), doctest::Contains("empty"), ParseError);
  std::filesystem::remove(path);
  CHECK_THROWS_WITH_AS(read_csv_file(path.string()), doctest::Contains("synthema_test.csv"), ParseError);
}

TEST_CASE("A column is read alone as it is read with the others") {
  const std::string text = "code,age,since,text\n7,NA,2021-03-01,\"a,\"\n08,3.5,2021-04-01,\"\"\n,2,NA,b\n";
  const Table whole = read_csv(text);
  const CsvShape shape = csv_shape(text);
  CHECK(shape.schema == whole.schema());
  CHECK(shape.rows == 3);
  for (const Field& field : whole.schema().fields) {
    const Table alone = read_csv_column(text, {}, shape, field.name);
    CHECK(alone.columns() == 1);
    for (std::size_t row = 0; row < 3; ++row)
      CHECK(alone.column(0).value_at(row) == whole.column(field.name).value_at(row));
  }
  CHECK_THROWS_AS(csv_shape("a,b\n1\n"), ParseError);
}

TEST_CASE("days are written as dates, all other times with their time of day") {
  const std::string days =
      "when,other\n2014-01-16,2014-01-16T00:00:00Z\n,2014-01-16T00:00:00Z\n2014-02-28,\n";
  std::ostringstream same, mixed;
  write_csv(read_csv(days, {}), same, {});
  CHECK(same.str() == days);
  write_csv(read_csv("when,n\n2014-01-16T00:00:00,1\n2014-01-16T08:30:00,2\n", {}), mixed, {});
  CHECK(mixed.str() == "when,n\n2014-01-16T00:00:00,1\n2014-01-16T08:30:00,2\n");
}
