// Numbers and dates as other countries write them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "synthema/data/csv.hpp"

namespace synthema::detail {

// How a file of texts writes numbers and dates. `room`: for what is written otherwise than the file has it.
struct WrittenForm {
  char decimal = '.';
  DateOrder dates = DateOrder::year_first;

  // A number with a decimal point; what is no number as the file writes them is none afterwards.
  std::string_view number(std::string_view text, std::string& room) const {
    if (decimal == '.') return text;
    room = text;
    for (char& c : room) c = c == ',' ? '.' : c == '.' ? ',' : c;
    return room;
  }
  // "5.11.2026 8:05" and what follows as "2026-11-05 08:05" and what follows; other texts as they are.
  std::string_view time(std::string_view text, std::string& room) const {
    if (dates == DateOrder::year_first) return text;
    std::string_view left = text;
    const std::string_view first = digits(left, 2);
    const char separator = left.empty() ? '\0' : left.front();
    if (first.empty() || !is_separator(left)) return text;
    const std::string_view second = digits(left, 2);
    if (second.empty() || left.empty() || left.front() != separator || !is_separator(left)) return text;
    const std::string_view year = digits(left, 4);
    if (year.size() != 4 || starts_with_digit(left)) return text;
    const bool day_first = dates == DateOrder::day_first;
    room.assign(year).append("-");
    append_two(day_first ? second : first, room);
    room += '-';
    append_two(day_first ? first : second, room);
    if (left.starts_with(' ') || left.starts_with('T')) {
      room += left.front();
      left.remove_prefix(1);
      append_two(digits(left, 2), room);
    }
    room += left;
    return room;
  }

 private:
  static bool starts_with_digit(std::string_view text) {
    return !text.empty() && text.front() >= '0' && text.front() <= '9';
  }
  static std::string_view digits(std::string_view& text, std::size_t most) {
    std::size_t count = 0;
    while (count < most && starts_with_digit(text.substr(count))) ++count;
    const std::string_view out = text.substr(0, count);
    text.remove_prefix(count);
    return out;
  }
  static bool is_separator(std::string_view& text) {
    if (!text.starts_with('.') && !text.starts_with('/') && !text.starts_with('-')) return false;
    text.remove_prefix(1);
    return true;
  }
  static void append_two(std::string_view digits, std::string& to) {
    if (digits.size() == 1) to += '0';
    to += digits;
  }
};

}  // namespace synthema::detail
