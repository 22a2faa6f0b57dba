#include "src/model/text_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "synthema/core/utf8.hpp"

namespace synthema::detail {

namespace {

using CodePoints = std::pair<char32_t, char32_t>;

constexpr CodePoints kSurrogates{0xD800, 0xDFFF};

std::string utf8(char32_t c) {
  std::string out;
  append_utf8(out, c);
  return out;
}

Expression byte_range(Expressions& pool, char first, char last) {
  return pool.bytes(static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last));
}

bool all_of(std::string_view text, char c) {
  return text.find_first_not_of(c) == std::string_view::npos;
}

// Tails from `low` up (or `high` down) of the same length.
Expression at_least(Expressions& pool, std::string_view low, char least, char most) {
  if (all_of(low, least)) {
    const auto n = static_cast<std::uint32_t>(low.size());
    return pool.repeat(byte_range(pool, least, most), n, n);
  }
  return between(pool, low, std::string(low.size(), most), least, most);
}
Expression at_most(Expressions& pool, std::string_view high, char least, char most) {
  if (all_of(high, most)) return at_least(pool, std::string(high.size(), least), least, most);
  return between(pool, std::string(high.size(), least), high, least, most);
}

}  // namespace

CharacterSet::CharacterSet(std::vector<CodePoints> ranges) {
  for (const auto& [first, last] : ranges) add(first, last);
}

void CharacterSet::add(char32_t first, char32_t last) {
  if (first > last) return;
  if (first <= kSurrogates.second && last >= kSurrogates.first) {
    if (first < kSurrogates.first) add(first, kSurrogates.first - 1);
    if (last > kSurrogates.second) add(kSurrogates.second + 1, last);
    return;
  }
  ranges_.emplace_back(first, last);
  std::ranges::sort(ranges_);
  std::vector<CodePoints> merged;
  for (const CodePoints& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().second + 1)
      merged.back().second = std::max(merged.back().second, range.second);
    else
      merged.push_back(range);
  }
  ranges_ = std::move(merged);
}

void CharacterSet::add(const CharacterSet& other) {
  for (const auto& [first, last] : other.ranges_) add(first, last);
}

CharacterSet CharacterSet::complement() const {
  CharacterSet out;
  char32_t next = 0;
  for (const auto& [first, last] : ranges_) {
    if (first > next) out.add(next, first - 1);
    next = last + 1;
  }
  if (next <= kLast) out.add(next, kLast);
  return out;
}

CharacterSet CharacterSet::without(const CharacterSet& other) const {
  CharacterSet out = complement();
  out.add(other);
  return out.complement();
}

bool CharacterSet::contains(char32_t c) const {
  return std::ranges::any_of(ranges_, [&](const CodePoints& r) { return r.first <= c && c <= r.second; });
}

Expression character(Expressions& pool, const CharacterSet& set) {
  constexpr std::array<CodePoints, 4> lengths{
      {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, CharacterSet::kLast}}};
  std::vector<Expression> parts;
  for (const auto& [first, last] : set.ranges())
    for (const CodePoints& length : lengths) {
      const char32_t low = std::max(first, length.first), high = std::min(last, length.second);
      if (low <= high) parts.push_back(between(pool, utf8(low), utf8(high), '\x80', '\xBF'));
    }
  return pool.either(std::move(parts));
}

Expression json_character(Expressions& pool, const CharacterSet& set) {
  constexpr std::array<std::pair<char32_t, std::string_view>, 7> escapes{{{'"', "\\\""},
                                                                          {'\\', "\\\\"},
                                                                          {'\b', "\\b"},
                                                                          {'\f', "\\f"},
                                                                          {'\n', "\\n"},
                                                                          {'\r', "\\r"},
                                                                          {'\t', "\\t"}}};
  std::vector<Expression> parts{
      character(pool, set.without(CharacterSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}})))};
  for (const auto& [c, text] : escapes)
    if (set.contains(c)) parts.push_back(pool.literal(text));
  return pool.either(std::move(parts));
}

Expression between(Expressions& pool, std::string_view low, std::string_view high, char least, char most) {
  if (low > high) return Expressions::kNothing;
  if (low.empty()) return Expressions::kEmpty;
  const auto byte = [](std::string_view text) { return static_cast<unsigned char>(text.front()); };
  const std::string_view low_tail = low.substr(1), high_tail = high.substr(1);
  if (byte(low) == byte(high))
    return pool.sequence(byte_range(pool, low.front(), low.front()),
                         between(pool, low_tail, high_tail, least, most));
  unsigned from = byte(low), to = byte(high);
  std::vector<Expression> parts;
  if (!all_of(low_tail, least))
    parts.push_back(
        pool.sequence(pool.bytes(static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(from)),
                      at_least(pool, low_tail, least, most))),
        ++from;
  if (!all_of(high_tail, most))
    parts.push_back(pool.sequence(pool.bytes(static_cast<std::uint8_t>(to), static_cast<std::uint8_t>(to)),
                                  at_most(pool, high_tail, least, most))),
        --to;
  if (from <= to)
    parts.push_back(pool.sequence(pool.bytes(static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(to)),
                                  at_least(pool, std::string(low_tail.size(), least), least, most)));
  return pool.either(std::move(parts));
}

namespace {

// Magnitudes from low to high (not negative) with exactly `places` decimals.
Expression magnitudes(Expressions& pool, std::int64_t low, std::int64_t high, unsigned places) {
  std::vector<Expression> parts;
  const std::string last = fmt::format("{:0{}}", high, places + 1);
  for (std::size_t size = fmt::format("{:0{}}", low, places + 1).size(); size <= last.size(); ++size) {
    // Numbers of `size` digits; more than one before the point means that the first is not 0.
    const std::string least = size == places + 1 ? std::string(size, '0') : "1" + std::string(size - 1, '0');
    const std::string first = std::max(least, fmt::format("{:0{}}", low, size));
    const std::string final =
        std::min(std::string(size, '9'), size == last.size() ? last : std::string(size, '9'));
    if (first.size() > size || first > final) continue;
    if (places == 0) {
      parts.push_back(between(pool, first, final, '0', '9'));
      continue;
    }
    // The point goes between the digits: split by the part before it.
    const std::size_t whole = size - places;
    const auto head = [&](const std::string& text) { return text.substr(0, whole); };
    const auto tail = [&](const std::string& text) { return text.substr(whole); };
    const auto number = [&](Expression before, Expression after) {
      return pool.sequence({before, pool.literal("."), after});
    };
    const std::string zeros(places, '0'), nines(places, '9');
    const auto one = [&](const std::string& before, const std::string& from, const std::string& to) {
      parts.push_back(number(pool.literal(before), between(pool, from, to, '0', '9')));
    };
    if (head(first) == head(final)) {
      one(head(first), tail(first), tail(final));
      continue;
    }
    one(head(first), tail(first), nines);
    one(head(final), zeros, tail(final));
    const std::int64_t after = std::stoll(head(first)) + 1, before = std::stoll(head(final)) - 1;
    if (after <= before)
      parts.push_back(number(
          between(pool, fmt::format("{:0{}}", after, whole), fmt::format("{:0{}}", before, whole), '0', '9'),
          between(pool, zeros, nines, '0', '9')));
  }
  return pool.either(std::move(parts));
}

// Numbers with exactly `places` decimals, in units of the last one.
Expression scaled(Expressions& pool, std::int64_t low, std::int64_t high, unsigned places) {
  std::vector<Expression> parts;
  if (high >= 0) parts.push_back(magnitudes(pool, std::max<std::int64_t>(low, 0), high, places));
  if (low < 0)
    parts.push_back(pool.sequence(pool.literal("-"), magnitudes(pool, high < 0 ? -high : 1, -low, places)));
  return low > high ? Expressions::kNothing : pool.either(std::move(parts));
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

std::string two(std::int64_t n) {
  return fmt::format("{:02}", n);
}

Expression two_digits(Expressions& pool, std::int64_t low, std::int64_t high) {
  return between(pool, two(low), two(high), '0', '9');
}

struct Day {
  explicit Day(std::int64_t days) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
    year = static_cast<int>(date.year());
    month = static_cast<unsigned>(date.month());
    day = static_cast<unsigned>(date.day());
  }
  int year;
  unsigned month, day;
};

unsigned days_in(bool leap, unsigned month) {
  constexpr std::array<unsigned, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap ? 29 : days[month - 1];
}

// MM-DD within one year.
Expression days_of_year(Expressions& pool, bool leap, unsigned month1, unsigned day1, unsigned month2,
                        unsigned day2) {
  std::vector<Expression> parts;
  for (unsigned month = month1; month <= month2; ++month)
    parts.push_back(pool.sequence(
        {pool.literal(two(month) + "-"),
         two_digits(pool, month == month1 ? day1 : 1, month == month2 ? day2 : days_in(leap, month))}));
  return pool.either(std::move(parts));
}

Expression clock_times(Expressions& pool, std::int64_t first, std::int64_t last) {
  const auto minutes = [&](std::int64_t from, std::int64_t to) {  // seconds of one minute each way
    std::vector<Expression> parts;
    const std::int64_t m1 = from / 60, m2 = to / 60;
    const auto part = [&](std::int64_t a, std::int64_t b, std::int64_t s1, std::int64_t s2) {
      if (a <= b)
        parts.push_back(pool.sequence({two_digits(pool, a, b), pool.literal(":"), two_digits(pool, s1, s2)}));
    };
    if (m1 == m2) {
      part(m1, m1, from % 60, to % 60);
    } else {
      part(m1, m1, from % 60, 59), part(m1 + 1, m2 - 1, 0, 59), part(m2, m2, 0, to % 60);
    }
    return pool.either(std::move(parts));
  };
  std::vector<Expression> parts;
  const auto hours = [&](std::int64_t a, std::int64_t b, std::int64_t from, std::int64_t to) {
    if (a <= b)
      parts.push_back(pool.sequence({two_digits(pool, a, b), pool.literal(":"), minutes(from, to)}));
  };
  const std::int64_t h1 = first / 3600, h2 = last / 3600;
  if (h1 == h2) {
    hours(h1, h1, first % 3600, last % 3600);
  } else {
    hours(h1, h1, first % 3600, 3599), hours(h1 + 1, h2 - 1, 0, 3599), hours(h2, h2, 0, last % 3600);
  }
  return pool.either(std::move(parts));
}

constexpr std::int64_t kFirstDay = -719528, kLastDay = 2932896;  // 0000-01-01, 9999-12-31

}  // namespace

Expression integers(Expressions& pool, std::int64_t low, std::int64_t high) {
  return scaled(pool, low, high, 0);
}

Expression decimals(Expressions& pool, std::int64_t low, std::int64_t high, unsigned decimals) {
  std::vector<Expression> parts;
  std::int64_t unit = 1;  // of the last decimal written, in units of the finest
  for (unsigned places = decimals + 1; places-- > 0; unit *= 10)
    parts.push_back(scaled(pool, -floor_divide(-low, unit), floor_divide(high, unit), places));
  return pool.either(std::move(parts));
}

Expression dates(Expressions& pool, std::int64_t first, std::int64_t last) {
  first = std::max(first, kFirstDay), last = std::min(last, kLastDay);
  if (first > last) return Expressions::kNothing;
  const Day a(first), b(last);
  const auto leap = [](int year) { return std::chrono::year(year).is_leap(); };
  std::vector<Expression> parts;
  const auto one_year = [&](int year, unsigned month1, unsigned day1, unsigned month2, unsigned day2) {
    parts.push_back(pool.sequence({pool.literal(fmt::format("{:04}-", year)),
                                   days_of_year(pool, leap(year), month1, day1, month2, day2)}));
  };
  if (a.year == b.year) {
    one_year(a.year, a.month, a.day, b.month, b.day);
    return pool.either(std::move(parts));
  }
  one_year(a.year, a.month, a.day, 12, 31);
  one_year(b.year, 1, 1, b.month, b.day);
  for (const bool long_year : {false, true}) {
    std::vector<std::string> years;
    for (int year = a.year + 1; year < b.year; ++year)
      if (leap(year) == long_year) years.push_back(fmt::format("{:04}-", year));
    parts.push_back(pool.sequence(
        {pool.one_of({years.begin(), years.end()}), days_of_year(pool, long_year, 1, 1, 12, 31)}));
  }
  return pool.either(std::move(parts));
}

Expression times(Expressions& pool, std::int64_t first, std::int64_t last) {
  return pool.sequence(clock_times(pool, first, last), pool.literal("Z"));
}

Expression date_times(Expressions& pool, std::int64_t first, std::int64_t last) {
  if (first > last) return Expressions::kNothing;
  constexpr std::int64_t day = 86400;
  const std::int64_t d1 = floor_divide(first, day), d2 = floor_divide(last, day);
  std::vector<Expression> parts;
  const auto on = [&](std::int64_t from_day, std::int64_t to_day, std::int64_t from, std::int64_t to) {
    parts.push_back(pool.sequence({dates(pool, from_day, to_day), pool.literal("T"), times(pool, from, to)}));
  };
  if (d1 == d2) {
    on(d1, d1, first - d1 * day, last - d1 * day);
  } else {
    on(d1, d1, first - d1 * day, day - 1), on(d1 + 1, d2 - 1, 0, day - 1), on(d2, d2, 0, last - d2 * day);
  }
  return pool.either(std::move(parts));
}

}  // namespace synthema::detail
