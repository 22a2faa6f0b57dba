#include <doctest/doctest.h>

#include <limits>

#include "synthema/prompt/prompt.hpp"

using namespace synthema;

TEST_CASE("an empty form is refused, not lifted") {
  const auto asked = [] { return Prompt::plain("Yes or no?"); };
  CHECK_THROWS_WITH_AS((void)asked().among({}), doctest::Contains("at least one string"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().matching(""), doctest::Contains("expression is empty"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().json(""), doctest::Contains("JSON Schema is empty"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().under({.name = "none"}), doctest::Contains("constraint"), ConfigError);
}

TEST_CASE("what is forbidden and biased adds up") {
  const Prompt prompt = Prompt::plain("A note:").without({"cancer"}).without({"tumour", "mass"});
  CHECK(prompt.banned == std::vector<std::string>{"cancer", "tumour", "mass"});
  const Prompt biased = Prompt::plain("A note:").with_bias({{"a", 1}, {"b", 2}}).with_bias({{"b", 3}});
  CHECK(biased.bias == std::map<std::string, double>{{"a", 1}, {"b", 3}});
}

TEST_CASE("what no model could keep to is refused where it is given") {
  const auto asked = [] { return Prompt::plain("A note:"); };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS((void)asked().until(""), doctest::Contains("stop text is empty"), ConfigError);
  CHECK_THROWS_WITH_AS((void)asked().without({"a", ""}), doctest::Contains("banned text is empty"),
                       ConfigError);
  for (const double bias : {infinity, 1e39, -1e39, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_WITH_AS((void)asked().with_bias({{"a", bias}}), doctest::Contains("A bias must be"),
                         ConfigError);
  CHECK_NOTHROW((void)asked().with_bias({{"a", -infinity}}));
}
