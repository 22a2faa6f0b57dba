// Times as text: ISO 8601 in the profile of RFC 3339, proleptic Gregorian calendar, no leap seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "synthema/data/value.hpp"

namespace synthema {

namespace detail {
inline constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;  // in a Timestamp's microseconds
}

// "2026-11-24T03:30:00Z", with as many of six fraction digits as needed; years outside 0000..9999 get a sign
// and six digits. `zoned = false` leaves the 'Z' out (a clock time without a zone).
std::string to_iso8601(Timestamp time, bool zoned = true);

struct ParsedTime {
  Timestamp time;
  bool zoned = false;  // the text had 'Z' or an offset
};

// Accepts a date alone, 'T' or a blank before the time, seconds and up to six fraction digits optional,
// 'Z' or +hh:mm (or +hhmm, +hh) optional. Nothing where the text is no such time or does not fit 64 bits.
std::optional<ParsedTime> parse_iso8601(std::string_view text);

}  // namespace synthema
