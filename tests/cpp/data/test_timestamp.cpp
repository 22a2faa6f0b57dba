#include <doctest/doctest.h>

#include <limits>

#include "synthema/data/timestamp.hpp"

using namespace synthema;

TEST_CASE("times are written in ISO 8601") {
  CHECK(to_iso8601({0}) == "1970-01-01T00:00:00Z");
  CHECK(to_iso8601({-1}) == "1969-12-31T23:59:59.999999Z");
  CHECK(to_iso8601({951'782'400'500'000}) == "2000-02-29T00:00:00.5Z");
  CHECK(to_iso8601({951'782'400'500'000}, false) == "2000-02-29T00:00:00.5");
  CHECK(to_iso8601({253'402'300'800'000'000}) == "+010000-01-01T00:00:00Z");
}

TEST_CASE("every time that 64 bits hold reads back") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t t : {least, least + 1, most, most - 1, std::int64_t{0}, std::int64_t{-1},
                               std::int64_t{-62'167'219'200'000'001}, std::int64_t{1'795'491'000'123'456}}) {
    const auto read = parse_iso8601(to_iso8601({t}));
    REQUIRE(read);
    CHECK(read->time.microseconds == t);
  }
}

TEST_CASE("the accepted forms") {
  const auto micro = [](const char* text) { return parse_iso8601(text)->time.microseconds; };
  CHECK(micro("1970-01-02") == 86'400'000'000);
  CHECK(micro("1970-01-01 00:01") == 60'000'000);
  CHECK(micro("1970-01-01T00:00:01.25") == 1'250'000);
  CHECK(micro("1970-01-01T01:00:00+01:00") == 0);
  CHECK(micro("1969-12-31T22:30:00-0130") == 0);
  CHECK(micro("1970-01-01T02:00:00+02") == 0);
  CHECK(!parse_iso8601("1970-01-01T00:00:00")->zoned);
  CHECK(parse_iso8601("1970-01-01T00:00:00Z")->zoned);
}

TEST_CASE("what is no time is refused") {
  for (const char* text :
       {"", "1970", "1970-1-1", "1970-13-01", "2001-02-29", "1970-01-01T", "1970-01-01T24:00",
        "1970-01-01T00:60", "1970-01-01T00:00:60", "1970-01-01T00:00:00.", "1970-01-01T00:00x",
        "1970-01-01T00:00:00.1234567", "1970-01-01Z", "1970-01-01T00:00:00+", "1970-01-01T00:00:00+1",
        "1970-01-01T00:00:00+24:00", "+294248-01-01T00:00:00Z", "01/02/1970", " 1970-01-01"})
    CHECK_MESSAGE(!parse_iso8601(text), text);
}
