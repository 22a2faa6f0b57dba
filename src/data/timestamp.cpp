#include "synthema/data/timestamp.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

namespace synthema {

namespace {

using detail::kDay, detail::kSecond;

std::string year_text(int year) {
  if (year >= 0 && year <= 9999) return fmt::format("{:04}", year);
  return fmt::format("{}{:06}", year < 0 ? '-' : '+', std::abs(year));
}

// Reads from the front of a text; every step says whether it found what it needs.
struct Scanner {
  std::string_view text;

  bool done() const { return text.empty(); }
  bool take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  // Exactly `digits` decimal digits.
  std::optional<int> number(std::size_t digits) {
    if (text.size() < digits) return {};
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (text[i] < '0' || text[i] > '9') return {};
      value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
  }
};

std::optional<int> year(Scanner& in) {
  const bool minus = in.take('-');
  const bool expanded = minus || in.take('+');
  const auto value = in.number(expanded ? 6 : 4);
  if (!value) return {};
  return minus ? -*value : *value;
}

// Days since 1970-01-01.
std::optional<std::int64_t> date(Scanner& in) {
  namespace chrono = std::chrono;
  const auto y = year(in);
  if (!y || !in.take('-')) return {};
  const auto m = in.number(2);
  if (!m || !in.take('-')) return {};
  const auto d = in.number(2);
  if (!d) return {};
  // std::chrono::year ends at +-32767; the calendar repeats every 400 years of 146,097 days.
  const int shifted = ((*y % 400) + 400) % 400;
  const std::int64_t cycles = (*y - shifted) / 400;
  const chrono::year_month_day day{chrono::year{shifted}, chrono::month{static_cast<unsigned>(*m)},
                                   chrono::day{static_cast<unsigned>(*d)}};
  if (!day.ok()) return {};
  return chrono::sys_days{day}.time_since_epoch().count() + cycles * 146'097;
}

// Microseconds behind a decimal point: one to six digits.
std::optional<std::int64_t> fraction(Scanner& in) {
  std::int64_t value = 0, scale = kSecond;
  while (!in.done() && in.text.front() >= '0' && in.text.front() <= '9') {
    scale /= 10;
    if (scale == 0) return {};  // finer than a microsecond
    value += (in.text.front() - '0') * scale;
    in.text.remove_prefix(1);
  }
  if (scale == kSecond) return {};
  return value;
}

// Microseconds since midnight.
std::optional<std::int64_t> clock(Scanner& in) {
  const auto hour = in.number(2);
  if (!hour || !in.take(':')) return {};
  const auto minute = in.number(2);
  if (!minute || *hour > 23 || *minute > 59) return {};
  std::int64_t out = (*hour * 60 + *minute) * 60 * kSecond;
  if (!in.take(':')) return out;
  const auto second = in.number(2);
  if (!second || *second > 59) return {};
  out += *second * kSecond;
  if (!in.take('.')) return out;
  const auto rest = fraction(in);
  if (!rest) return {};
  return out + *rest;
}

// Microseconds east of UTC of "Z", "+hh:mm", "+hhmm" or "+hh".
std::optional<std::int64_t> zone_offset(Scanner& in) {
  if (in.take('Z') || in.take('z')) return 0;
  const bool west = in.take('-');
  if (!west && !in.take('+')) return {};
  const auto hours = in.number(2);
  if (!hours || *hours > 23) return {};
  int minutes = 0;
  if (in.take(':') || !in.done()) {
    const auto read = in.number(2);
    if (!read || *read > 59) return {};
    minutes = *read;
  }
  const std::int64_t offset = (*hours * 60 + minutes) * 60 * kSecond;
  return west ? -offset : offset;
}

}  // namespace

std::string to_iso8601(Timestamp time, bool zoned) {
  namespace chrono = std::chrono;
  std::int64_t days = time.microseconds / kDay, rest = time.microseconds % kDay;
  if (rest < 0) rest += kDay, --days;
  std::int64_t cycles = days / 146'097, within = days % 146'097;  // 400-year cycles, see date()
  if (within < 0) within += 146'097, --cycles;
  const chrono::year_month_day day{chrono::sys_days{chrono::days{within}}};
  const int full_year = static_cast<int>(day.year()) + static_cast<int>(cycles * 400);
  std::string out = fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}", year_text(full_year),
                                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                                rest / (3600 * kSecond), rest / (60 * kSecond) % 60, rest / kSecond % 60);
  if (const std::int64_t micro = rest % kSecond; micro > 0) {
    out += fmt::format(".{:06}", micro);
    out.erase(out.find_last_not_of('0') + 1);
  }
  if (zoned) out += 'Z';
  return out;
}

std::optional<ParsedTime> parse_iso8601(std::string_view text) {
  Scanner in{text};
  const auto days = date(in);
  if (!days) return {};
  std::int64_t within = 0;
  bool zoned = false;
  if (!in.done()) {
    if (!in.take('T') && !in.take('t') && !in.take(' ')) return {};
    const auto time = clock(in);
    if (!time) return {};
    within = *time;
    if (!in.done()) {
      const auto offset = zone_offset(in);
      if (!offset || !in.done()) return {};
      within -= *offset;
      zoned = true;
    }
  }
  std::int64_t out = 0;
  // The first day that 64 bits can hold starts before the first moment they can hold: go by its end.
  const std::int64_t base = *days < 0 ? *days + 1 : *days;
  const std::int64_t from_base = *days < 0 ? within - kDay : within;
  if (__builtin_mul_overflow(base, kDay, &out) || __builtin_add_overflow(out, from_base, &out)) return {};
  return ParsedTime{{out}, zoned};
}

}  // namespace synthema
