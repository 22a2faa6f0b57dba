#include "src/data/written_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

namespace {

// A bound as a whole number of 10^-decimals: the first one inside (up: from below, else from above). Exact in
// the decimal digits of the bound.
std::int64_t whole_bound(double bound, bool open, unsigned decimals, bool up, std::int64_t largest) {
  const auto unit = static_cast<std::int64_t>(std::llround(std::pow(10, decimals)));
  const std::int64_t most = largest * unit;
  if (std::abs(bound) >= static_cast<double>(largest)) return bound < 0 ? -most : most;
  const std::string text = fmt::format("{:.20f}", bound);
  const std::string shortest = fmt::format("{}", bound);
  // The digits that were meant: the shortest text that reads as this double, if it has no exponent.
  const std::string& digits = shortest.find('e') == std::string::npos ? shortest : text;
  std::int64_t value = 0;
  unsigned places = 0;
  bool point = false, exact = true;
  for (const char c : digits) {
    if (c == '-') continue;
    if (c == '.') {
      point = true;
    } else if (!point || places < decimals) {
      value = value * 10 + (c - '0');
      places += point;
    } else {
      exact &= c == '0';
    }
  }
  for (; places < decimals; ++places) value *= 10;
  exact &= value != 0 || bound == 0;  // smaller than all digits that were read
  const bool negative = digits.front() == '-';
  if (negative) value = -value;
  if (exact) return open ? value + (up ? 1 : -1) : value;
  // `value` was cut towards zero.
  return value + (up && !negative ? 1 : !up && negative ? -1 : 0);
}

bool is_beyond(const ValueRange& range, std::int64_t largest) {
  const auto end = static_cast<double>(largest);
  return range.minimum.value_or(0) > end || range.maximum.value_or(0) < -end;
}

constexpr std::int64_t kYear0 = -719'528, kYear10000 = 2'932'897;  // first days, since 1970

double microseconds(std::string_view date) {
  return static_cast<double>(parse_iso8601(date).value().time.microseconds);
}

}  // namespace

WrittenRange written_numbers(const ValueRange& range, std::optional<unsigned> places) {
  const std::int64_t largest = places ? kLargestReal : kLargestInteger;
  if (is_beyond(range, largest)) return {};
  const auto bound = [&](const std::optional<double>& given, bool open, bool up) {
    return whole_bound(given.value_or(static_cast<double>(up ? -largest : largest)), given && open,
                       places.value_or(0), up, largest);
  };
  return {bound(range.minimum, range.open_minimum, true), bound(range.maximum, range.open_maximum, false)};
}

WrittenRange written_times(const ValueRange& range, bool date_only) {
  const std::int64_t unit = date_only ? kDay : kSecond;
  const double low = range.minimum.value_or(microseconds(kFirstDate)),
               high = range.maximum.value_or(microseconds(kLastDate) + static_cast<double>(kDay - kSecond));
  const std::int64_t in_day = kDay / unit;
  const auto size = static_cast<double>(unit), first = static_cast<double>(kYear0 * in_day),
             last = static_cast<double>(kYear10000 * in_day - 1);
  if (low / size > last || high / size < first) return {};
  return {static_cast<std::int64_t>(std::max(first, std::ceil(low / size))),
          static_cast<std::int64_t>(std::min(last, std::floor(high / size)))};
}

void require_written(const Field& field) {
  const ValueRange range{field.minimum, field.maximum};
  const unsigned decimals = field.decimals.value_or(kDecimals);
  const bool empty = field.kind == Kind::real ? written_numbers(range, decimals).empty()
                     : field.kind == Kind::integer
                         ? written_numbers(range, std::nullopt).empty()
                         : field.kind == Kind::time && written_times(range, field.unit != "s").empty();
  if (empty)
    throw ConfigError(
        {.field = field.name},
        message("No value fits this field: there is none between its minimum and its maximum that "
                "masks write (numbers up to ",
                kLargestReal, " with at most ", counted(decimals, "decimal"), ", integers up to ",
                kLargestInteger,
                ", of either sign). Give it another range, unit or number of decimals, or leave "
                "it out."));
}

}  // namespace synthema::detail
