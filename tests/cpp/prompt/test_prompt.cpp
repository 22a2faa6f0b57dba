#include <doctest/doctest.h>

#include "synthema/prompt/prompt.hpp"

using namespace synthema;

TEST_CASE("an empty form is refused, not lifted") {
  const auto asked = [] { return Prompt::plain("Yes or no?"); };
  CHECK_THROWS_WITH_AS((void)asked().among({}), doctest::Contains("at least one string"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().matching(""), doctest::Contains("expression is empty"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().json(""), doctest::Contains("JSON Schema is empty"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().under({.name = "none"}), doctest::Contains("constraint"), ConfigError);
}
