#include <doctest/doctest.h>

#include "synthema/core/error.hpp"

using namespace synthema;

TEST_CASE("a location names only what is known") {
  CHECK(Location{}.text().empty());
  CHECK(Location{.file = "n.csv", .line = 3, .column = 7, .field = "age"}.text() ==
        "n.csv, line 3, column 7, field 'age'");
  CHECK(Location{.line = 3, .field = "age"}.text() == "line 3, field 'age'");
}

TEST_CASE("an error starts with its place and keeps it") {
  const ParseError error({.file = "n.csv", .line = 2}, "The row is short.");
  CHECK(std::string(error.what()) == "n.csv, line 2: The row is short.");
  CHECK(error.where().line == 2);
  CHECK(std::string(SchemaError({}, "Wrong.").what()) == "Wrong.");
  CHECK(Error("Wrong.").where().text().empty());
}

TEST_CASE("all named errors are caught as Error, and none as another") {
  CHECK_THROWS_AS(throw Cancelled("Stopped."), Error);
  bool as_schema = false;
  try {
    throw ParseError("Broken.");
  } catch (const SchemaError&) {
    as_schema = true;
  } catch (const std::runtime_error&) {
  }
  CHECK(!as_schema);
}

TEST_CASE("message joins any pieces") {
  CHECK(message("row ", 3, " of ", 2.5, '!') == "row 3 of 2.5!");
}
